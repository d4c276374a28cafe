//! Live call sites: binding them straight to the code they call.
//!
//! A site is an optimization over stub and slot (design: correctness never rests on patching). It is
//! rewritten by one 4-byte store and only where that store cannot be seen half done.
#![expect(unsafe_code, reason = "stores into running code")]

use crate::host;
use crate::memory::{Memory, Zone};
use crate::symbol::Addr;
use crate::table::Site;
use crate::target::native;

/// Where a site's displacement is.
pub(crate) fn place(memory: &Memory, site: Site) -> Addr {
    memory.start(Zone::Code).offset(i64::from(site.place))
}

/// Where the call at a site goes now.
pub(crate) fn target(memory: &Memory, site: Site) -> Addr {
    let place = place(memory, site);
    // SAFETY: four bytes of linked code of this session. Where another thread writes them as well,
    // it does so by one store.
    let displacement = unsafe { memory.writable(place).cast::<i32>().read_unaligned() };
    place.offset(i64::from(displacement) + 4)
}

/// Can the site be rewritten while code runs through it, so that it goes to `target`?
pub(crate) fn can_bind(memory: &Memory, site: Site, target: Addr) -> bool {
    let place = place(memory, site);
    native::is_patchable(place.0) && memory.reaches(place, target)
}

/// Sends the call at `site` to `target`, if that can be done; tells whether it was.
pub(crate) fn bind(memory: &Memory, site: Site, target: Addr) -> bool {
    if !can_bind(memory, site, target) {
        return false;
    }
    let place = place(memory, site);
    // Both ends are in reach: the difference fits.
    let value = target.0.wrapping_sub(place.0 + 4) as i32;
    // SAFETY: the place is a displacement in code of this session, writable through the view, and
    // lies in one line.
    unsafe { host::patch(memory.writable(place), value) };
    // Where it cannot be done, the call goes through the stub as before.
    memory.sync(place, 4).is_ok()
}
