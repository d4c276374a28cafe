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
    true
}
