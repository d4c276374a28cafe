//! What is known of an allocation, in few bytes: there is one for every function that is linked.

use smallvec::{Array, SmallVec, smallvec};

use super::{Allocation, AllocationId};
use crate::memory::{Extent, Zone};
use crate::symbol::{Addr, ScopeId, SymbolId};

/// An allocation as bytes: flags, then numbers of seven bits a byte, the last of which has the top bit clear
/// (LEB128, DWARF 5, 7.6). What is as most have it takes a flag; addresses, symbols and scopes are told from
/// others near by.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a>(pub(super) &'a [u8]);

/// What those that are packed together are told from: one of them.
pub(super) struct Base {
    symbol: SymbolId,
    scope: ScopeId,
    /// Where its memory is: the first part, and the last, which mostly is in another zone.
    first: Addr,
    last: Addr,
}

/// The flags of what is not as most have it, so that it follows.
const SCOPES: u8 = 1;
const UNWIND: u8 = 1 << 1;
const FUNCTIONS: u8 = 1 << 2;
/// That of what few have.
const RARE: u8 = 1 << 3;
/// Where in the flags it is how many extents and callees there are, in two bits each. [`MANY`] says that the
/// number follows.
const EXTENTS: u32 = 4;
const CALLEES: u32 = 6;
const MANY: usize = 3;

const ZONES: [Zone; 5] = [Zone::Stubs, Zone::Code, Zone::ReadOnly, Zone::Slots, Zone::Data];
/// A zone's number is less, and every size a multiple of it.
const GRAIN: u64 = 8;

impl Base {
    /// That an allocation is for others.
    pub(super) fn of(allocation: &Allocation) -> Self {
        let Allocation { symbol, scopes, extents, .. } = allocation;
        let address = |extent: Option<&Extent>| extent.map_or(Addr(0), |extent| extent.addr);
        Self {
            symbol: *symbol,
            scope: scopes.first().copied().unwrap_or(ScopeId::GLOBAL),
            first: address(extents.first()),
            last: address(extents.last()),
        }
    }

    /// What an extent's address is told from.
    fn near(&self, index: usize) -> u64 {
        if index == 0 { self.first.0 } else { self.last.0 }
    }
}

/// The unwind records that most have.
fn unwind_of(extents: &[Extent]) -> SmallVec<[Addr; 1]> {
    let mut backwards = extents.iter().rev();
    let records = backwards.find(|extent| extent.zone == Zone::ReadOnly);
    records.map(|extent| extent.addr).into_iter().collect()
}

/// The functions that most have.
fn functions_of(extents: &[Extent]) -> SmallVec<[u64; 1]> {
    extents.first().map(|extent| extent.addr.0).into_iter().collect()
}

impl<'a> Packed<'a> {
    /// Packs an allocation into a buffer.
    pub(super) fn new(allocation: &Allocation, base: &Base, buffer: &'a mut Vec<u8>) -> Self {
        let Allocation { symbol, scopes, extents, unwind, functions, .. } = allocation;
        let Allocation { callees, relies_on, is_pinned, .. } = allocation;
        let if_not = |is_usual: bool, flag: u8| if is_usual { 0 } else { flag };
        let count = |count: usize, shift: u32| (count.min(MANY) as u8) << shift;
        let flags = if_not(**scopes == [base.scope], SCOPES)
            | if_not(*unwind == unwind_of(extents), UNWIND)
            | if_not(*functions == functions_of(extents), FUNCTIONS)
            | if_not(!is_pinned && relies_on.is_empty(), RARE)
            | count(extents.len(), EXTENTS)
            | count(callees.len(), CALLEES);
        buffer.clear();
        buffer.push(flags);
        let mut writer = Writer(&mut *buffer);
        writer.near(symbol.0.into(), base.symbol.0.into());
        let symbol = u64::from(symbol.0);
        writer.count(extents.len());
        for (index, extent) in extents.iter().enumerate() {
            writer.near(extent.addr.0, base.near(index));
            let zone = ZONES.iter().position(|&zone| zone == extent.zone).expect("all are there");
            debug_assert!(extent.size.is_multiple_of(GRAIN), "memory is taken by words");
            writer.number(extent.size | zone as u64);
        }
        writer.count(callees.len());
        callees.iter().for_each(|callee| writer.near(callee.0.into(), symbol));
        if flags & SCOPES != 0 {
            writer.list(scopes, |scope| (scope.0.into(), base.scope.0.into()));
        }
        if flags & UNWIND != 0 {
            writer.list(unwind, |records| (records.0, base.last.0));
        }
        if flags & FUNCTIONS != 0 {
            writer.list(functions, |&function| (function, base.first.0));
        }
        if flags & RARE != 0 {
            writer.number((*is_pinned).into());
            writer.list(relies_on, |other| (other.0.into(), symbol));
        }
        Self(buffer)
    }

    /// The allocation, of this number.
    pub(super) fn allocation(self, id: AllocationId, base: &Base) -> Allocation {
        let Some((&flags, numbers)) = self.0.split_first() else {
            return Allocation::new(id, base.symbol);
        };
        let mut reader = Reader(numbers);
        let symbol = reader.near(base.symbol.0.into());
        let count = reader.count(flags >> EXTENTS);
        let extents = (0..count).map(|index| {
            let addr = Addr(reader.near(base.near(index)));
            let number = reader.number();
            let zone = ZONES[(number % GRAIN) as usize];
            Extent { zone, addr, size: number - number % GRAIN }
        });
        let extents: SmallVec<[Extent; 2]> = extents.collect();
        let count = reader.count(flags >> CALLEES);
        let callees = (0..count).map(|_| SymbolId(reader.near(symbol) as u32)).collect();
        let scopes = match flags & SCOPES {
            0 => smallvec![base.scope],
            _ => reader.list(base.scope.0.into(), |number| ScopeId(number as u32)),
        };
        let unwind = match flags & UNWIND {
            0 => unwind_of(&extents),
            _ => reader.list(base.last.0, Addr),
        };
        let functions = match flags & FUNCTIONS {
            0 => functions_of(&extents),
            _ => reader.list(base.first.0, |number| number),
        };
        let is_rare = flags & RARE != 0;
        let is_pinned = is_rare && reader.number() != 0;
        let relies_on = match is_rare {
            true => reader.list(symbol, |number| SymbolId(number as u32)),
            false => SmallVec::new(),
        };
        let symbol = SymbolId(symbol as u32);
        Allocation { id, symbol, scopes, extents, unwind, functions, callees, relies_on, is_pinned }
    }
}

/// Writes numbers.
pub(super) struct Writer<'a>(pub(super) &'a mut Vec<u8>);

impl Writer<'_> {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// A number near another one, by what it is more; the sign goes last, so that what is a little less
    /// stays small.
    fn near(&mut self, number: u64, other: u64) {
        let more = number.wrapping_sub(other).cast_signed();
        self.number((more << 1 ^ more >> 63).cast_unsigned());
    }

    /// How many there are, unless the flags say so.
    fn count(&mut self, count: usize) {
        if count >= MANY {
            self.number(count as u64);
        }
    }

    /// Numbers, each near another one.
    fn list<T>(&mut self, items: &[T], numbers: impl Fn(&T) -> (u64, u64)) {
        self.number(items.len() as u64);
        for (number, other) in items.iter().map(numbers) {
            self.near(number, other);
        }
    }

    /// Bytes, after how many they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

/// Reads what a [`Writer`] wrote, and has what is left of it.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let Some((&byte, rest)) = self.0.split_first() else { break };
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn near(&mut self, other: u64) -> u64 {
        let number = self.number();
        other.wrapping_add((number >> 1) ^ (number & 1).wrapping_neg())
    }

    /// How many there are, by the lowest flags or the next number.
    fn count(&mut self, flags: u8) -> usize {
        match usize::from(flags) % (MANY + 1) {
            MANY => self.number() as usize,
            few => few,
        }
    }

    fn list<A: Array>(&mut self, other: u64, item: impl Fn(u64) -> A::Item) -> SmallVec<A> {
        let count = self.number();
        (0..count).map(|_| item(self.near(other))).collect()
    }

    pub(super) fn bytes(&mut self) -> &'a [u8] {
        let len = self.number() as usize;
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn symbols() -> impl Strategy<Value = Vec<SymbolId>> {
        vec(any::<u32>().prop_map(SymbolId), 0..5)
    }

    fn extents() -> impl Strategy<Value = Vec<Extent>> {
        let extent = (0..ZONES.len(), any::<u64>(), 0..1u64 << 60);
        let extent = extent.prop_map(|(zone, addr, words)| Extent {
            zone: ZONES[zone],
            addr: Addr(addr),
            size: words * GRAIN,
        });
        vec(extent, 0..5)
    }

    prop_compose! {
        fn allocations()(
            symbol: u32,
            scopes in vec(any::<u32>().prop_map(ScopeId), 0..3),
            extents in extents(),
            unwind in prop::option::of(vec(any::<u64>().prop_map(Addr), 0..3)),
            functions: Option<Vec<u64>>,
            callees in symbols(),
            relies_on in symbols(),
            is_pinned: bool,
        ) -> Allocation {
            Allocation {
                id: AllocationId::from_number(5),
                symbol: SymbolId(symbol),
                scopes: scopes.into(),
                unwind: unwind.map_or_else(|| unwind_of(&extents), Into::into),
                functions: functions.map_or_else(|| functions_of(&extents), Into::into),
                extents: extents.into(),
                callees: callees.into(),
                relies_on: relies_on.into(),
                is_pinned,
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_what_comes_out(allocation in allocations(), other in allocations()) {
            for near in [&allocation, &other] {
                let (base, mut buffer) = (Base::of(near), vec![1, 2, 3]);
                let packed = Packed::new(&allocation, &base, &mut buffer);
                prop_assert_eq!(&packed.allocation(allocation.id, &base), &allocation);
            }
        }
    }

    #[test]
    fn a_function_takes_ten_bytes() {
        let tag = 1 << 24;
        let function = |number: u32| {
            let (code, data) = (0x1201_2340, 0x2601_2340);
            let extent = |zone, start: u64, size| {
                let addr = Addr(start + u64::from(number) * size);
                Extent { zone, addr, size }
            };
            let extents = [extent(Zone::Code, code, 112), extent(Zone::ReadOnly, data, 80)];
            Allocation {
                id: AllocationId::PERMANENT,
                symbol: SymbolId(tag | number),
                scopes: smallvec![ScopeId(tag | 1)],
                unwind: unwind_of(&extents),
                functions: functions_of(&extents),
                extents: extents.into(),
                callees: smallvec![SymbolId(tag | (number - 1))],
                relies_on: SmallVec::new(),
                is_pinned: false,
            }
        };
        let base = Base::of(&function(100_000));
        let len = Packed::new(&function(100_063), &base, &mut Vec::new()).0.len();
        assert!(len <= 10, "{len} bytes");
    }
}
