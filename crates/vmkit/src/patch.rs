//! Live call sites: binding them straight to the code they call.
//!
//! A site is an optimization over stub and slot (design: correctness never rests on patching). It is
//! rewritten by one four-byte store and only where that store cannot be seen half done.
#![expect(unsafe_code, reason = "stores into running code")]

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
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
    if is_word(memory, site) {
        return Addr(word(memory, site).load(Ordering::Acquire));
    }
    let place = place(memory, site);
    Addr(native::call_target(place.0, instruction(memory, place)))
}

/// Is the site a word of data, which holds an address, rather than a call?
pub(crate) fn is_word(memory: &Memory, site: Site) -> bool {
    place(memory, site).0 >= memory.start(Zone::ReadOnly).0
}

/// What an edge's place in code holds.
fn instruction(memory: &Memory, place: Addr) -> u32 {
    // SAFETY: four bytes of linked code of this session. Where another thread writes them as well,
    // it does so by one store.
    unsafe { memory.writable(place).cast::<u32>().read_unaligned() }
}

fn word(memory: &Memory, site: Site) -> &AtomicU64 {
    let word = memory.writable(place(memory, site)).cast::<u64>();
    assert!(word.is_aligned(), "a word of a table");
    // SAFETY: an aligned word of this session's memory, which lives as long as it, and is only
    // written by us, atomically.
    unsafe { AtomicU64::from_ptr(word) }
}

/// Can the site be rewritten while code runs through it, so that it goes to `target`?
pub(crate) fn can_bind(memory: &Memory, site: Site, target: Addr) -> bool {
    let place = place(memory, site);
    native::is_patchable(place.0) && memory.reaches(place, target)
}

/// Sends the call at `site` to `target`, if that can be done; tells whether it was.
pub(crate) fn bind(memory: &Memory, site: Site, target: Addr) -> bool {
    if is_word(memory, site) {
        word(memory, site).store(target.0, Ordering::Release);
        return true;
    }
    if !can_bind(memory, site, target) {
        return false;
    }
    let place = place(memory, site);
    let Some(value) = native::redirected(place.0, instruction(memory, place), target.0) else {
        return false;
    };
    // SAFETY: the place is that of a call or jump in code of this session, writable through the view,
    // and lies in one line.
    unsafe { host::patch(memory.writable(place), value) };
    // Where it cannot be done, the call goes through the stub as before.
    memory.sync(place, 4).is_ok()
}

/// Has the patch point at `at` call `target`, or do nothing.
///
/// # Safety
///
/// `at` is the start of a patch point, in code of this session that is not freed.
pub(crate) unsafe fn set_point(memory: &Memory, at: Addr, target: Option<Addr>) -> Result<()> {
    let size = native::POINT_SIZE;
    let Some(start) = native::point_word(at.0).filter(|_| memory.contains(at)) else {
        let what = "crosses a cache line, or is not in code memory";
        return Err(Error::other(format!("the patch point at {at} {what}")));
    };
    let bytes = native::point(at.0, target.map(|target| target.0));
    let bytes = bytes.ok_or_else(|| Error::other(format!("{at}: the call is out of reach")))?;
    let skip = (at.0 - start) as usize;
    let place = memory.writable(Addr(start));
    loop {
        // SAFETY: code of this session, by the caller's promise; whoever writes there as well does so
        // by one store.
        let old = unsafe { place.cast::<u64>().read_unaligned() };
        let mut new = old.to_le_bytes();
        let point = &mut new[skip..skip + size as usize];
        if !native::is_point((&*point).try_into().expect("as long")) {
            return Err(Error::other(format!("there is no patch point of {size} bytes at {at}")));
        }
        point.copy_from_slice(&bytes);
        // SAFETY: as above; the eight bytes lie in one line.
        if unsafe { host::exchange(place, old, u64::from_le_bytes(new)) } {
            break;
        }
    }
    memory.sync(at, size)?;
    host::sync_cores();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocation::AllocationId;

    /// A call whose displacement lies that many bytes into a line, and two places to call.
    fn site(memory: &Memory, in_line: u64) -> (Site, Addr, Addr) {
        let code = memory.allocate(Zone::Code, 128, 64).unwrap().addr;
        let targets = [(); 2].map(|()| memory.allocate(Zone::Code, 16, 16).unwrap().addr);
        let place = code.offset(in_line.cast_signed()).0 - memory.start(Zone::Code).0;
        let site = Site { place: u32::try_from(place).unwrap(), owner: AllocationId::PERMANENT };
        (site, targets[0], targets[1])
    }

    #[test]
    fn a_site_goes_where_it_was_bound_last() {
        for has_breakpoints in [false, true] {
            let memory = Memory::reserve(None, has_breakpoints).unwrap();
            let (site, first, second) = site(&memory, 4);
            for to in [first, second, first, memory.start(Zone::Stubs)] {
                assert!(bind(&memory, site, to));
                assert_eq!(target(&memory, site), to);
                // SAFETY: four bytes of code memory, which can be read.
                let runs = unsafe { (place(&memory, site).0 as *const u32).read_unaligned() };
                assert_eq!(native::call_target(place(&memory, site).0, runs), to.0);
            }
        }
    }

    #[test]
    fn only_sites_that_one_store_can_change_are_bound() {
        for in_line in 0..64 {
            let can_be = native::is_patchable(in_line);
            let memory = Memory::reserve(None, false).unwrap();
            let (site, to, _) = site(&memory, in_line);
            let before = target(&memory, site);
            assert_eq!(bind(&memory, site, to), can_be, "{in_line}");
            assert_eq!(target(&memory, site), if can_be { to } else { before });
        }
    }

    #[test]
    fn sites_out_of_reach_stay() {
        let memory = Memory::reserve(Some(4096), false).unwrap();
        let (site, near, _) = site(&memory, 0);
        assert!(can_bind(&memory, site, near));
        assert!(!can_bind(&memory, site, near.offset(8192)));
        assert!(!bind(&memory, site, Addr(1 << 40)));
    }
}
