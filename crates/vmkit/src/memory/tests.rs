#![expect(unsafe_code, reason = "reads code memory where it runs")]

use std::fs;

use super::*;

fn memory() -> Memory {
    Memory::reserve(None, false).unwrap()
}

const ALL: [Zone; 5] = [Zone::Stubs, Zone::Code, Zone::ReadOnly, Zone::Slots, Zone::Data];

/// What the block's own address shows, whoever may write there.
fn seen(block: &Block) -> &[u8] {
    // SAFETY: the block is mapped, for reading at least, as long as its memory, which outlives it
    // in every test; nobody writes meanwhile.
    unsafe { std::slice::from_raw_parts(block.addr.0 as *const u8, block.size) }
}

#[test]
fn blocks_are_aligned_apart_and_zero() {
    let memory = memory();
    for zone in ALL {
        let mut end = memory.start(zone).0;
        for (size, align) in [(1, 1), (3, 16), (0, 1), (100, 64), (5, 4096), (8, 0)] {
            let block = memory.allocate(zone, size, align).unwrap();
            assert!(block.addr.0 >= end, "{zone:?}: blocks overlap");
            assert_eq!(block.addr.0 % align.max(1), 0, "{zone:?}, {align}");
            assert!(block.bytes().iter().all(|&byte| byte == 0));
            end = block.addr.0 + rounded(zone, size);
        }
        assert_eq!(memory.used(zone), end - memory.start(zone).0);
        let (_, _, size) = ZONES[zone as usize];
        assert_eq!(memory.left(zone) + memory.used(zone), size);
    }
}

#[test]
fn zones_lie_behind_one_another() {
    let memory = memory();
    for (zone, next) in ALL.into_iter().zip(&ALL[1..]) {
        assert_eq!(memory.start(*next).0 - memory.start(zone).0, ZONES[zone as usize].2);
    }
    assert!(memory.contains(memory.start(ALL[0])));
    assert!(!memory.contains(memory.start(ALL[0]).offset(-1)));
    let end = memory.start(Zone::Data).offset(ZONES[Zone::Data as usize].2 as i64);
    assert!(memory.contains(end.offset(-1)) && !memory.contains(end));
}

#[test]
fn what_is_written_through_the_view_is_seen() {
    for has_breakpoints in [false, true] {
        let memory = Memory::reserve(None, has_breakpoints).unwrap();
        for zone in ALL {
            let mut block = memory.allocate(zone, 3000, 1).unwrap();
            block.bytes_mut().fill(0xc3);
            memory.sync(block.addr, 3000).unwrap();
            assert!(seen(&block).iter().all(|&byte| byte == 0xc3), "{zone:?}");
        }
    }
}

#[test]
fn the_cheapest_place_is_taken() {
    let memory = memory();
    let start = memory.start(Zone::Code).0;
    let cost = |address: u64| usize::from((address - start) / 16 != 2);
    let block = memory.allocate_where(Zone::Code, 16, 16, cost).unwrap();
    assert_eq!(block.addr.0 - start, 32);
    let after = memory.allocate(Zone::Code, 16, 16).unwrap();
    assert_eq!(after.addr.0 - start, 48);
}

#[test]
fn freed_code_is_poisoned_and_its_place_is_taken_again() {
    for has_breakpoints in [false, true] {
        let memory = Memory::reserve(None, has_breakpoints).unwrap();
        let mut block = memory.allocate(Zone::Code, 40, 16).unwrap();
        block.bytes_mut().fill(0x90);
        memory.sync(block.addr, 40).unwrap();
        let used = memory.used(Zone::Code);
        // SAFETY: the block is only looked at again.
        unsafe { memory.free(block.extent()).unwrap() };
        assert!(seen(&block).chunks_exact(4).all(|word| word == POISON));
        assert_eq!(memory.used(Zone::Code), used - 48);
        let again = memory.allocate(Zone::Code, 48, 16).unwrap();
        assert!(again.addr == block.addr && again.is_used);
        assert!(again.bytes().iter().all(|&byte| byte == 0));
        // SAFETY: as above.
        unsafe { memory.free(again.extent()).unwrap() };
    }
}

#[test]
fn a_full_zone_is_an_error_that_says_so() {
    let memory = memory();
    let check = |size, text: &str| {
        let error = memory.allocate(Zone::Stubs, size, 16).map(|block| block.addr).unwrap_err();
        assert!(error.to_string().starts_with(text), "{error}");
    };
    check(33 * MIB, "out of stub memory: 34603008 bytes wanted, 33554432 left");
    check(u64::MAX, "out of stub memory");
    memory.allocate(Zone::Stubs, 32 * MIB, 16).unwrap();
    check(1, "out of stub memory: 1 bytes wanted, 0 left");
}

#[test]
fn large_data_lies_elsewhere() {
    let memory = memory();
    let mut block = memory.allocate(Zone::Data, LARGEST_NEAR + 1, 1 << 16).unwrap();
    assert!(!memory.contains(block.addr));
    assert_eq!((block.addr.0 % (1 << 16), memory.used(Zone::Data)), (0, 0));
    *block.bytes_mut().last_mut().unwrap() = 1;
    let near = memory.allocate(Zone::Data, LARGEST_NEAR, 1).unwrap();
    assert!(memory.contains(near.addr));
}

#[test]
fn a_block_is_cut_from_the_front() {
    let memory = memory();
    let mut block = memory.allocate(Zone::Data, 64, 16).unwrap();
    let start = block.addr.0;
    let parts = [(3, 1), (4, 8), (8, 16)].map(|(size, align)| block.split(size, align));
    let places = parts.each_ref().map(|part| (part.addr.0 - start, part.bytes().len()));
    assert_eq!(places, [(0, 3), (8, 4), (16, 8)]);
    assert_eq!((block.addr.0 - start, block.bytes().len()), (24, 40));
}

#[test]
#[should_panic = "within its bounds"]
fn a_block_is_not_cut_beyond_its_end() {
    let memory = memory();
    memory.allocate(Zone::Data, 8, 8).unwrap().split(9, 1);
}

#[test]
fn reach_can_be_shrunk_but_not_stretched() {
    let small = Memory::reserve(Some(4096), false).unwrap();
    let from = small.start(Zone::Code);
    assert!(!small.reaches_calls(small.top(Zone::Code)));
    assert!(small.reaches(from, from.offset(4096)) && small.reaches(from.offset(4096), from));
    assert!(!small.reaches(from, from.offset(4097)));
    let large = Memory::reserve(Some(u64::MAX), false).unwrap();
    assert!(large.reaches_calls(large.top(Zone::Code)));
    assert!(large.reaches_data(large.start(Zone::Code), large.start(Zone::Data)));
    assert!(!large.reaches(Addr(0), Addr(1 << 31)));
    assert!(!large.reaches_data(Addr(0), Addr(1 << 33)));
}

#[test]
fn a_snapshot_keeps_what_is_changed_after_it() {
    let memory = memory();
    let mut block = memory.allocate(Zone::Code, 16, 16).unwrap();
    block.bytes_mut().fill(1);
    let copy = memory.snapshot().unwrap();
    block.bytes_mut().fill(2);
    assert_eq!(seen(&block), [2; 16]);
    memory.adopt(&copy).unwrap();
    assert_eq!(seen(&block), [1; 16]);
    block.bytes_mut().fill(3);
    assert_eq!(seen(&block), [3; 16]);
}

#[test]
fn no_page_is_writable_and_executable() {
    for has_breakpoints in [false, true] {
        let memory = Memory::reserve(None, has_breakpoints).unwrap();
        let mut block = memory.allocate(Zone::Code, 10_000, 16).unwrap();
        block.bytes_mut().fill(0xc3);
        memory.sync(block.addr, 10_000).unwrap();
        memory.adopt(&memory.snapshot().unwrap()).unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let permissions = maps.lines().filter_map(|line| line.split(' ').nth(1));
        assert!(permissions.clone().any(|p| p.starts_with("r-x")), "{maps}");
        assert!(permissions.clone().all(|p| !(p.contains('w') && p.contains('x'))), "{maps}");
    }
}
