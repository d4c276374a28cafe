//! Code memory: one reserved range of addresses, holding all code, stubs, slots and data.
//!
//! ```text
//! base                                                                 base + size
//! ┌──────────────┬─────────┬──────────────┬─────────┬─────────────────────┐
//! │ code   r-x   │ stubs   │ read-only    │ slots   │ data                │
//! │              │   r-x   │ data   r--   │   rw-   │   rw-               │
//! └──────────────┴─────────┴──────────────┴─────────┴─────────────────────┘
//!  └────── one memory object, shared ────┘ └──────── private pages ───────┘
//! ```
//!
//! The shared part has a second, writable view elsewhere, so no address is ever writable and
//! executable. The private part is copied by `fork` as any data is; the shared part is copied by
//! [`Memory::snapshot`] and [`Memory::adopt`] around a `fork`.
#![expect(unsafe_code, reason = "maps pages and writes through the writable view")]

mod mirror;
mod pages;

use parking_lot::Mutex;

pub(crate) use self::pages::Object;
use self::pages::{Pages, Reservation};
use crate::error::{Kind, Result};
use crate::symbol::Addr;

const MIB: u64 = 1 << 20;
/// Distance over which a signed 32-bit displacement reaches, less room for addends.
const NEAR: u64 = (1 << 31) - (1 << 20);

/// Data larger than this does not lie in the range. Compilers reach such data through slots.
pub(crate) const LARGEST_NEAR: u64 = 16 * MIB;
/// Bytes of a cache line, after which the costs of a place repeat.
const LINE: u64 = 64;
/// Places that are looked at for a block.
const PLACES: u64 = 4;

/// The areas of the range, in the order of their addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Zone {
    Code,
    Stubs,
    ReadOnly,
    Slots,
    Data,
}

/// Names and sizes in bytes of the areas.
const ZONES: [(Zone, &str, u64); 5] = [
    (Zone::Code, "code", 320 * MIB),
    (Zone::Stubs, "stub", 32 * MIB),
    (Zone::ReadOnly, "read-only", 160 * MIB),
    (Zone::Slots, "slot", 64 * MIB),
    (Zone::Data, "data", 448 * MIB),
];
/// How many of the zones lie in the shared object.
const SHARED_ZONES: usize = 3;

/// All memory of a session. Freed with it.
pub(crate) struct Memory {
    range: Reservation,
    zones: [Mutex<Bump>; ZONES.len()],
    /// Large objects, each mapped apart, out of reach.
    large: Mutex<Vec<Pages>>,
    reach: u64,
}

/// Where a zone's next block goes.
struct Bump {
    next: u64,
    end: u64,
}

/// A fresh block: its final address, and its bytes as seen through the writable view.
pub(crate) struct Block {
    pub(crate) addr: Addr,
    bytes: *mut u8,
    size: usize,
}

impl Memory {
    /// Reserves the range. Branches and displacements are taken to reach `reach` bytes, at most
    /// what the target's do. Debuggers can set breakpoints in code if `has_breakpoints`.
    pub(crate) fn reserve(reach: Option<u64>, has_breakpoints: bool) -> Result<Self> {
        let shared = ZONES[..SHARED_ZONES].iter().map(|zone| zone.2).sum();
        let size = ZONES.iter().map(|zone| zone.2).sum();
        let executable = ZONES[0].2 + ZONES[1].2;
        let range = Reservation::new(size, shared, executable, has_breakpoints)?;
        let mut next = range.base();
        let zones = ZONES.map(|(_, _, size)| {
            let bump = Bump { next, end: next + size };
            next += size;
            Mutex::new(bump)
        });
        let large = Mutex::default();
        Ok(Self { range, zones, large, reach: reach.unwrap_or(NEAR).min(NEAR) })
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
        if size > LARGEST_NEAR && matches!(zone, Zone::Data | Zone::ReadOnly) {
            return self.allocate_large(size, align);
        }
        let (_, name, limit) = ZONES[zone as usize];
        let mut bump = self.zones[zone as usize].lock();
        let align = align.max(1);
        let first = bump.next.next_multiple_of(align);
        let places = (0..PLACES).map(|n| first + n * align).take_while(|p| p - first < LINE);
        let start = places.min_by_key(|&place| cost(place)).unwrap_or(first);
        let end = start.checked_add(size).filter(|&end| end <= bump.end);
        let Some(end) = end else {
            let left = bump.end.saturating_sub(start);
            return Err(Kind::Memory { zone: name, wanted: size, left, limit }.into());
        };
        bump.next = end;
        Ok(Block {
            addr: Addr(start),
            bytes: self.range.writable(start),
            size: usize::try_from(size).expect("a zone fits the address space"),
        })
    }

    /// Takes pages of their own.
    fn allocate_large(&self, size: u64, align: u64) -> Result<Block> {
        let pages = Pages::new(size, align)?;
        let (addr, size) = (pages.start(), usize::try_from(size).expect("64-bit"));
        self.large.lock().push(pages);
        let bytes = std::ptr::with_exposed_provenance_mut(addr as usize);
        Ok(Block { addr: Addr(addr), bytes, size })
    }

    /// Has code that was written at `addr` run there. To be called whenever code was written.
    pub(crate) fn sync(&self, addr: Addr, size: u64) -> Result<()> {
        self.range.sync(addr.0, size)
    }

    /// Bytes a zone can still give.
    pub(crate) fn left(&self, zone: Zone) -> u64 {
        let bump = self.zones[zone as usize].lock();
        bump.end - bump.next
    }

    /// Bytes taken from a zone.
    pub(crate) fn used(&self, zone: Zone) -> u64 {
        let bump = self.zones[zone as usize].lock();
        ZONES[zone as usize].2 - (bump.end - bump.next)
    }

    /// The first address of a zone.
    pub(crate) fn start(&self, zone: Zone) -> Addr {
        let before: u64 = ZONES[..zone as usize].iter().map(|zone| zone.2).sum();
        Addr(self.range.base() + before)
    }

    /// Is `addr` in the reserved range?
    pub(crate) fn contains(&self, addr: Addr) -> bool {
        self.range.contains(addr.0)
    }

    /// Can code at `from` name `to` by a displacement?
    pub(crate) fn reaches(&self, from: Addr, to: Addr) -> bool {
        from.0.abs_diff(to.0) <= self.reach
    }

    /// Does everything in the range reach everything else in it?
    pub(crate) fn is_all_near(&self) -> bool {
        self.reach == NEAR
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
            let used = self.zones[index].lock().next - start.0;
            self.range.copy_out(&copy, start.0, used);
        }
        Ok(copy)
    }

    /// In the forked child: replaces the shared part by its copy, at the same addresses.
    pub(crate) fn adopt(&self, copy: &Object) -> Result<()> {
        self.range.map_object(copy)
    }
}

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
        let cut = Self { addr, bytes: self.bytes.wrapping_add(skip), size };
        self.addr = addr.offset(size as i64);
        self.bytes = self.bytes.wrapping_add(skip + size);
        self.size -= skip + size;
        cut
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

#[cfg(test)]
mod tests;
