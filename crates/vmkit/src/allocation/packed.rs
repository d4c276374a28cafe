//! What is known of an allocation, in few bytes: there is one for every function that is linked.

use smallvec::{Array, SmallVec};

use super::{Allocation, AllocationId};
use crate::memory::{Extent, Zone};
use crate::symbol::{Addr, ScopeId, SymbolId};

/// An allocation as bytes: numbers of seven bits a byte, the last of which has the top bit clear (LEB128,
/// DWARF 5, 7.6). Addresses are counted from the one before, symbols and scopes told from the owner by
/// the bits that differ, since these are small.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a>(pub(super) &'a [u8]);

/// The one flag there is, after the symbol.
const PINNED: u64 = 1;

const ZONES: [Zone; 5] = [Zone::Stubs, Zone::Code, Zone::ReadOnly, Zone::Slots, Zone::Data];
/// Bits of a zone's number, below the size of an extent.
const ZONE_BITS: u32 = 3;

impl<'a> Packed<'a> {
    /// Packs an allocation into a buffer.
    pub(super) fn new(allocation: &Allocation, buffer: &'a mut Vec<u8>) -> Self {
        buffer.clear();
        let Allocation { symbol, scopes, extents, unwind, functions, callees, relies_on, .. } =
            allocation;
        let mut writer = Writer { bytes: &mut *buffer, last: 0 };
        let is_pinned = if allocation.is_pinned { PINNED } else { 0 };
        writer.number(symbol.0.into());
        writer.number(is_pinned);
        writer.list(scopes, |writer, scope| writer.number((scope.0 ^ symbol.0).into()));
        writer.list(extents, |writer, extent| {
            writer.address(extent.addr.0);
            let zone = ZONES.iter().position(|&zone| zone == extent.zone).expect("all are there");
            // Sizes are those of memory, far below 2⁶⁰.
            writer.number(extent.size << ZONE_BITS | zone as u64);
        });
        writer.list(unwind, |writer, records| writer.address(records.0));
        writer.last = extents.first().map_or(0, |extent| extent.addr.0);
        writer.list(functions, |writer, &function| writer.address(function));
        for symbols in [callees, relies_on] {
            writer.list(symbols, |writer, other| writer.number((other.0 ^ symbol.0).into()));
        }
        Self(buffer)
    }

    /// The allocation, of this number.
    pub(super) fn allocation(self, id: AllocationId) -> Allocation {
        let mut reader = Reader { bytes: self.0, last: 0 };
        let symbol = SymbolId(reader.number() as u32);
        let flags = reader.number();
        let scopes = reader.list(|reader| ScopeId(reader.number() as u32 ^ symbol.0));
        let extents: SmallVec<[Extent; 2]> = reader.list(|reader| {
            let addr = Addr(reader.address());
            let number = reader.number();
            let zone = ZONES[number as usize % (1 << ZONE_BITS)];
            Extent { zone, addr, size: number >> ZONE_BITS }
        });
        let unwind = reader.list(|reader| Addr(reader.address()));
        reader.last = extents.first().map_or(0, |extent| extent.addr.0);
        let functions = reader.list(Reader::address);
        let mut symbols = || reader.list(|reader| SymbolId(reader.number() as u32 ^ symbol.0));
        Allocation {
            id,
            symbol,
            scopes,
            extents,
            unwind,
            functions,
            callees: symbols(),
            relies_on: symbols(),
            is_pinned: flags & PINNED != 0,
        }
    }
}

struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
    /// The last address.
    last: u64,
}

impl Writer<'_> {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn address(&mut self, address: u64) {
        let difference = address.wrapping_sub(self.last).cast_signed();
        self.last = address;
        // The sign goes last, so that small ones below zero stay small.
        self.number((difference << 1 ^ difference >> 63).cast_unsigned());
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    last: u64,
}

impl Reader<'_> {
    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let Some((&byte, rest)) = self.bytes.split_first() else { break };
            self.bytes = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn address(&mut self) -> u64 {
        let number = self.number();
        let difference = (number >> 1) ^ (number & 1).wrapping_neg();
        self.last = self.last.wrapping_add(difference);
        self.last
    }

    fn list<A: Array>(&mut self, mut read: impl FnMut(&mut Self) -> A::Item) -> SmallVec<A> {
        let len = self.number();
        (0..len).map(|_| read(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use smallvec::smallvec;

    use super::*;

    fn symbols() -> impl Strategy<Value = Vec<SymbolId>> {
        vec(any::<u32>().prop_map(SymbolId), 0..5)
    }

    fn extents() -> impl Strategy<Value = Vec<Extent>> {
        let extent = (0..ZONES.len(), any::<u64>(), 0..1u64 << 60);
        let extent = extent.prop_map(|(zone, addr, size)| Extent {
            zone: ZONES[zone],
            addr: Addr(addr),
            size,
        });
        vec(extent, 0..4)
    }

    proptest! {
        #[test]
        fn what_is_packed_is_what_comes_out(
            symbol: u32,
            scopes in vec(any::<u32>().prop_map(ScopeId), 0..3),
            extents in extents(),
            unwind in vec(any::<u64>().prop_map(Addr), 0..3),
            functions: Vec<u64>,
            callees in symbols(),
            relies_on in symbols(),
            is_pinned: bool,
        ) {
            let symbol = SymbolId(symbol);
            let id = AllocationId::from_number(5);
            let allocation = Allocation {
                id,
                symbol,
                scopes: scopes.into(),
                extents: extents.into(),
                unwind: unwind.into(),
                functions: functions.into(),
                callees: callees.into(),
                relies_on: relies_on.into(),
                is_pinned,
            };
            let mut buffer = vec![1, 2, 3];
            let packed = Packed::new(&allocation, &mut buffer);
            prop_assert_eq!(packed.allocation(id), allocation);
        }
    }

    #[test]
    fn a_function_takes_forty_bytes() {
        let tag = 1 << 24;
        let (code, data) = (0x1201_2340, 0x2601_2340);
        let extent = |zone, addr, size| Extent { zone, addr: Addr(addr), size };
        let allocation = Allocation {
            id: AllocationId::PERMANENT,
            symbol: SymbolId(tag | 100_000),
            scopes: smallvec![ScopeId(tag | 1)],
            extents: smallvec![extent(Zone::Code, code, 96), extent(Zone::ReadOnly, data, 80)],
            unwind: smallvec![Addr(data)],
            functions: smallvec![code],
            callees: smallvec![SymbolId(tag | 99_999)],
            relies_on: SmallVec::new(),
            is_pinned: false,
        };
        let len = Packed::new(&allocation, &mut Vec::new()).0.len();
        assert!(len <= 40, "{len} bytes");
    }
}
