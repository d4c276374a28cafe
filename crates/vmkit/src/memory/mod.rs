//! Code memory: one reserved range of addresses, holding all code, stubs, slots and data.
//!
//! ```text
//! base                                                                 base + size
//! ┌────────┬───────────────┬──────────────┬─────────┬─────────────────────┐
//! │ stubs  │ code   r-x    │ read-only    │ slots   │ data                │
//! │   r-x  │               │ data   r--   │   rw-   │   rw-               │
//! └────────┴───────────────┴──────────────┴─────────┴─────────────────────┘
//!  └────── one memory object, shared ────┘ └──────── private pages ───────┘
//! ```
//!
//! The shared part has a second, writable view elsewhere, so no address is ever writable and
//! executable. The private part is copied by `fork` as any data is; the shared part is copied by
//! [`Memory::snapshot`] and [`Memory::adopt`] around a `fork`.
#![expect(unsafe_code, reason = "maps pages and writes through the writable view")]

mod layout;
mod mirror;
mod pages;
mod zone;

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

pub use self::layout::Layout;
pub(crate) use self::pages::Object;
use self::pages::{Pages, Reservation};
use self::zone::Zone as Area;
use crate::error::{Kind, Result};
use crate::symbol::Addr;
use crate::target::native::{CALL_REACH, DATA_REACH, POISON};

const MIB: u64 = 1 << 20;
/// Data larger than this does not lie in the range. Compilers reach such data through slots.
pub(crate) const LARGEST_NEAR: u64 = 16 * MIB;
/// Sizes are rounded up to this, so that what is given back fits what comes next.
const GRAIN: u64 = 16;

/// The areas of the range, in the order of their addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Zone {
    Stubs,
    Code,
    ReadOnly,
    Slots,
    Data,
}

impl Zone {
    /// Are these stubs or slots, which are small and lie side by side, by number?
    fn is_numbered(self) -> bool {
        matches!(self, Self::Stubs | Self::Slots)
    }
}

/// Names and sizes in bytes of the areas.
const ZONES: [(Zone, &str, u64); 5] = [
    (Zone::Stubs, "stub", 32 * MIB),
    (Zone::Code, "code", 320 * MIB),
    (Zone::ReadOnly, "read-only", 160 * MIB),
    (Zone::Slots, "slot", 64 * MIB),
    (Zone::Data, "data", 448 * MIB),
];
/// Where each area begins, from the start of the range on.
const fn starts() -> [u64; ZONES.len()] {
    let mut starts = [0; ZONES.len()];
    let mut number = 1;
    while number < ZONES.len() {
        starts[number] = starts[number - 1] + ZONES[number - 1].2;
        number += 1;
    }
    starts
}

/// How many of the zones lie in the shared object.
const SHARED_ZONES: usize = 3;

/// All memory of a session. Freed with it.
pub(crate) struct Memory {
    range: Reservation,
    zones: [Mutex<Area>; ZONES.len()],
    /// Large objects, each mapped apart, out of reach.
    large: Mutex<Vec<Pages>>,
    /// How far calls and jumps are taken to reach, and displacements of data.
    call_reach: u64,
    data_reach: u64,
    /// Bytes of code and data that may be taken, if somebody said so, and those that are: they are counted
    /// only then.
    limit: Option<u64>,
    taken: AtomicU64,
}

/// A fresh block: its final address, and its bytes as seen through the writable view.
pub(crate) struct Block {
    pub(crate) addr: Addr,
    bytes: *mut u8,
    size: usize,
    zone: Zone,
    /// Was something else here before?
    pub(crate) is_used: bool,
}

/// Memory that was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Extent {
    pub(crate) zone: Zone,
    pub(crate) addr: Addr,
    pub(crate) size: u64,
}

impl Memory {
    /// Reserves the range. Branches and displacements are taken to reach `reach` bytes, and no
    /// further than the target's do. Debuggers can set breakpoints in code if `has_breakpoints`.
    pub(crate) fn reserve(reach: Option<u64>, has_breakpoints: bool) -> Result<Self> {
        let shared = ZONES[..SHARED_ZONES].iter().map(|zone| zone.2).sum();
        let size = ZONES.iter().map(|zone| zone.2).sum();
        let executable = ZONES[0].2 + ZONES[1].2;
        let range = Reservation::new(size, shared, executable, has_breakpoints)?;
        let mut next = range.base();
        let zones = ZONES.map(|(_, _, size)| {
            let area = Area::new(next, next + size);
            next += size;
            Mutex::new(area)
        });
        let large = Mutex::default();
        let reach = reach.unwrap_or(u64::MAX);
        let (call_reach, data_reach) = (reach.min(CALL_REACH), reach.min(DATA_REACH));
        let (limit, taken) = (None, AtomicU64::new(0));
        Ok(Self { range, zones, large, call_reach, data_reach, limit, taken })
    }

    /// Lets so many bytes of code and data be taken.
    pub(crate) fn set_limit(&mut self, limit: u64) {
        self.limit = Some(limit);
    }

    /// Counts what is taken against the limit. Stubs and slots are not: they are few.
    fn count(&self, zone: Zone, size: u64) -> Result<()> {
        let Some(limit) = self.limit.filter(|_| !zone.is_numbered()) else { return Ok(()) };
        let add = |taken: u64| taken.checked_add(size).filter(|&total| total <= limit);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        taken.map(drop).map_err(|taken| {
            let (_, name, _) = ZONES[zone as usize];
            let left = limit.saturating_sub(taken);
            Kind::Memory { zone: name, wanted: size, left, limit }.into()
        })
    }

    /// Takes `size` bytes, zeroed, at a multiple of `align`.
    pub(crate) fn allocate(&self, zone: Zone, size: u64, align: u64) -> Result<Block> {
        self.allocate_where(zone, size, align, |_| 0)
    }

    /// As [`Memory::allocate`], at the cheapest of the next few places by `cost` of the address.
    pub(crate) fn allocate_where(
        &self,
        zone: Zone,
        size: u64,
        align: u64,
        cost: impl Fn(u64) -> usize,
    ) -> Result<Block> {
        self.count(zone, rounded(zone, size))?;
        if size > LARGEST_NEAR && matches!(zone, Zone::Data | Zone::ReadOnly) {
            return self.allocate_large(size, align);
        }
        self.take(zone, size, align, cost)
    }

    /// As [`Memory::allocate`], within reach however large it is, as long as there is room: for what was
    /// compiled to be reached by displacements.
    pub(crate) fn allocate_near(&self, zone: Zone, size: u64, align: u64) -> Result<Block> {
        self.count(zone, rounded(zone, size))?;
        match self.take(zone, size, align, |_| 0) {
            Err(_) if size > LARGEST_NEAR => self.allocate_large(size, align),
            result => result,
        }
    }

    /// Takes a part of a zone.
    fn take(
        &self,
        zone: Zone,
        size: u64,
        align: u64,
        cost: impl Fn(u64) -> usize,
    ) -> Result<Block> {
        let mut area = self.zones[zone as usize].lock();
        let spot = area.take(rounded(zone, size), align, cost);
        let left = area.untouched();
        drop(area);
        let Some(spot) = spot else {
            let (_, name, limit) = ZONES[zone as usize];
            return Err(Kind::Memory { zone: name, wanted: size, left, limit }.into());
        };
        let mut block = Block {
            addr: Addr(spot.start),
            bytes: self.range.writable(spot.start),
            size: usize::try_from(size).expect("a zone fits the address space"),
            zone,
            is_used: spot.is_used,
        };
        if spot.is_used {
            block.bytes_mut().fill(0);
        }
        Ok(block)
    }

    /// Gives back what [`Memory::allocate`] gave. Code is overwritten by breakpoints.
    ///
    /// # Safety
    ///
    /// Nobody runs, reads or writes it any more, and it was not given back before.
    pub(crate) unsafe fn free(&self, extent: Extent) -> Result<()> {
        let Extent { zone, addr, size } = extent;
        if self.limit.is_some() && !zone.is_numbered() {
            self.taken.fetch_sub(size, Ordering::Relaxed);
        }
        if !self.contains(addr) {
            self.large.lock().retain(|pages| pages.start() != addr.0);
            return Ok(());
        }
        if zone == Zone::Code {
            for offset in (0..size.cast_signed()).step_by(POISON.len()) {
                // SAFETY: the caller's promise; the extent was handed out as a block of this size,
                // a multiple of the instruction's.
                unsafe { self.writable(addr.offset(offset)).cast::<[u8; 4]>().write(POISON) };
            }
            self.sync(addr, size)?;
        }
        self.zones[zone as usize].lock().give_back(addr.0, size);
        Ok(())
    }

    /// Gives back a block that nobody has used.
    pub(crate) fn take_back(&self, block: Block) -> Result<()> {
        // SAFETY: the block is the only way to this memory, and is gone.
        unsafe { self.free(block.extent()) }
    }

    /// Takes pages of their own.
    fn allocate_large(&self, size: u64, align: u64) -> Result<Block> {
        let pages = Pages::new(size, align)?;
        let (addr, size) = (pages.start(), usize::try_from(size).expect("64-bit"));
        self.large.lock().push(pages);
        let bytes = std::ptr::with_exposed_provenance_mut(addr as usize);
        Ok(Block { addr: Addr(addr), bytes, size, zone: Zone::Data, is_used: false })
    }

    /// Writes code into a fresh block of its size, to run there.
    pub(crate) fn fill(&self, block: &mut Block, code: &[u8]) -> Result<()> {
        block.bytes_mut().copy_from_slice(code);
        self.sync(block.addr, code.len() as u64)
    }

    /// Has code that was written at `addr` run there. To be called whenever code was written.
    pub(crate) fn sync(&self, addr: Addr, size: u64) -> Result<()> {
        self.range.sync(addr.0, size)
    }

    /// Bytes a zone can still give.
    pub(crate) fn left(&self, zone: Zone) -> u64 {
        self.zones[zone as usize].lock().untouched()
    }

    /// Bytes taken from a zone and not given back.
    pub(crate) fn used(&self, zone: Zone) -> u64 {
        let area = self.zones[zone as usize].lock();
        ZONES[zone as usize].2 - area.untouched() - area.free()
    }

    /// The first address of a zone.
    pub(crate) fn start(&self, zone: Zone) -> Addr {
        Addr(self.range.base() + const { starts() }[zone as usize])
    }

    /// Is `addr` in the reserved range?
    pub(crate) fn contains(&self, addr: Addr) -> bool {
        self.range.contains(addr.0)
    }

    /// Can code at `from` call `to`, or jump there?
    pub(crate) fn reaches(&self, from: Addr, to: Addr) -> bool {
        from.0.abs_diff(to.0) <= self.call_reach
    }

    /// Can code at `from` name data at `to` by a displacement?
    pub(crate) fn reaches_data(&self, from: Addr, to: Addr) -> bool {
        from.0.abs_diff(to.0) <= self.data_reach
    }

    /// Do calls in code that ends at `end` reach every stub, and all code before it?
    pub(crate) fn reaches_calls(&self, end: Addr) -> bool {
        self.reaches(end, self.start(Zone::Stubs))
    }

    /// Where what a zone has never given begins.
    pub(crate) fn top(&self, zone: Zone) -> Addr {
        Addr(self.zones[zone as usize].lock().top())
    }

    /// The writable address of `addr`, which must lie in the range.
    pub(crate) fn writable(&self, addr: Addr) -> *mut u8 {
        assert!(self.contains(addr), "{addr} is not in code memory");
        self.range.writable(addr.0)
    }

    /// Copies the shared part, for a child about to be forked. No one may publish meanwhile.
    pub(crate) fn snapshot(&self) -> Result<Object> {
        let copy = self.range.new_object()?;
        for (index, (zone, _, _)) in ZONES[..SHARED_ZONES].iter().enumerate() {
            let start = self.start(*zone);
            let used = self.zones[index].lock().top() - start.0;
            self.range.copy_out(&copy, start.0, used);
        }
        Ok(copy)
    }

    /// In the forked child: replaces the shared part by its copy, at the same addresses.
    pub(crate) fn adopt(&self, copy: &Object) -> Result<()> {
        self.range.map_object(copy)
    }
}

// SAFETY: the bytes are the block's alone.
unsafe impl Send for Block {}

impl Block {
    /// Cuts `size` bytes off the front, at the next multiple of `align`.
    ///
    /// # Panics
    ///
    /// The block is smaller.
    pub(crate) fn split(&mut self, size: u64, align: u64) -> Self {
        let skip = self.addr.0.next_multiple_of(align.max(1)) - self.addr.0;
        let (skip, size) = (skip as usize, size as usize);
        assert!(skip + size <= self.size, "a block is cut within its bounds");
        let addr = self.addr.offset(skip as i64);
        let bytes = self.bytes.wrapping_add(skip);
        let cut = Self { addr, bytes, size, zone: self.zone, is_used: self.is_used };
        self.addr = addr.offset(size as i64);
        self.bytes = self.bytes.wrapping_add(skip + size);
        self.size -= skip + size;
        cut
    }

    /// What was taken for it; not of a part that was split off.
    pub(crate) fn extent(&self) -> Extent {
        let size = rounded(self.zone, self.size as u64);
        Extent { zone: self.zone, addr: self.addr, size }
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: as in `bytes_mut`.
        unsafe { std::slice::from_raw_parts(self.bytes, self.size) }
    }

    /// The bytes, through the writable view.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the allocator handed out these bytes once, to this block; the writable view
        // stays mapped as long as the session, which outlives every block being linked.
        unsafe { std::slice::from_raw_parts_mut(self.bytes, self.size) }
    }
}

/// How much is taken for a block.
fn rounded(zone: Zone, size: u64) -> u64 {
    match zone.is_numbered() {
        true => size,
        false => size.checked_next_multiple_of(GRAIN).unwrap_or(size),
    }
}

#[cfg(test)]
mod tests;
