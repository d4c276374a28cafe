use proptest::prelude::*;

use super::*;

const FUNCTION: u64 = 0x40_0000;
const SECTION: u64 = 0x50_0000;
/// Where the table is in the section.
const AT: usize = 3;
/// Where a word lies that holds the address of a type.
const SLOT: u64 = 0x60_0000;

/// A table with three types: 1 through a slot, 2 is any, 3 through a slot that cannot be read.
fn table() -> Vec<u8> {
    let mut bytes = vec![0xcc; AT];
    // Landing pads count from the function; types are indirect, relative, of four bytes.
    bytes.extend([0xff, 0x9b, 0]);
    let distance_at = bytes.len() - 1;
    // LEB128 call sites: start, length, landing pad, action.
    let sites = [0, 4, 0, 0, 4, 4, 32, 0, 8, 4, 40, 1, 12, 4, 48, 5];
    bytes.extend([1, sites.len() as u8]);
    bytes.extend(sites);
    // Actions: 0 type 1, then cleanup; 2 cleanup; 4 the filter, then type 2, then that at 0.
    bytes.extend([1, 1, 0, 0, 0x7f, 1, 2, 0x79]);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    for slot in [SLOT + 8, 0, SLOT] {
        let place = SECTION + bytes.len() as u64;
        let value = if slot == 0 { 0 } else { slot.wrapping_sub(place) };
        bytes.extend((value as u32).to_le_bytes());
    }
    bytes[distance_at] = (bytes.len() - distance_at - 1) as u8;
    bytes.extend([1, 3, 0]);
    bytes
}

fn parse(bytes: &[u8]) -> Result<CallSites> {
    let section = Span { address: SECTION, bytes };
    let word = |at| (at == SLOT).then_some(0x1234);
    CallSites::parse("f", section, SECTION + AT as u64, FUNCTION, word)
}

fn catch(selector: i32, type_info: TypeInfo) -> Action {
    Action::Catch { selector, type_info }
}

fn check(address: u64, landing_pad: Option<u64>, actions: &[Action]) {
    let table = parse(&table()).unwrap();
    let site = table.at(FUNCTION + address).unwrap();
    assert_eq!(site.landing_pad, landing_pad.map(|pad| FUNCTION + pad));
    assert_eq!(table.actions(site).cloned().collect::<Vec<_>>(), actions);
}

#[test]
fn handlers_are_tried_in_their_order() {
    let handler = |returns_to, pad, number| Handler { returns_to, pad, number, context: None };
    let code = FUNCTION..FUNCTION + 64;
    let [first, last] = [FUNCTION + 16, FUNCTION + 64];
    let table = CallSites::new(
        code,
        vec![handler(last, 7, None), handler(first, 8, Some(5)), handler(first, 9, None)],
    );
    let at = |address| {
        let site = table.at(address).unwrap();
        table.handlers(site).map(|(pad, action)| (pad, action.clone())).collect::<Vec<_>>()
    };
    let numbered = (8, catch(5, TypeInfo::Number(5)));
    assert_eq!(at(first - 1), [numbered, (9, catch(0, TypeInfo::Any))]);
    assert_eq!(at(last - 1), [(7, catch(0, TypeInfo::Any))]);
    for elsewhere in [FUNCTION, first - 2, first, last - 2] {
        assert_eq!(at(elsewhere), []);
    }
    assert!(table.at(last).is_none());
}

#[test]
fn handlers_outside_of_the_function_are_left_out() {
    let handler = |returns_to| Handler { returns_to, pad: FUNCTION, number: None, context: None };
    let outside = [FUNCTION, FUNCTION + 65, 0, u64::MAX].map(handler);
    let table = CallSites::new(FUNCTION..FUNCTION + 64, outside.to_vec());
    assert_eq!(table.sites().len(), 1);
    assert_eq!(table.sites()[0].landing_pad, None);
}

fn check_refused(at: usize, byte: u8, what: &str) {
    let mut bytes = table();
    bytes[AT + at] = byte;
    let error = parse(&bytes).unwrap_err().to_string();
    assert!(error.starts_with("f: call sites at 0x500003: ") && error.contains(what), "{error}");
}

#[test]
fn all_parts_are_read() {
    let first = catch(1, TypeInfo::At(0x1234));
    let types = [TypeInfo::At(0x1234), TypeInfo::InSlot(SLOT + 8)].into();
    let filter = Action::Filter { selector: -1, types };
    check(0, None, &[]);
    check(4, Some(32), &[Action::Cleanup]);
    check(8, Some(40), &[first.clone(), Action::Cleanup]);
    check(15, Some(48), &[filter, catch(2, TypeInfo::Any), first, Action::Cleanup]);
}

#[test]
fn addresses_outside_are_in_no_range() {
    let table = parse(&table()).unwrap();
    assert_eq!(table.sites().len(), 4);
    assert_eq!(table.at(FUNCTION - 1), None);
    assert_eq!(table.at(FUNCTION + 16), None);
}

#[test]
fn contradictions_are_named() {
    check_refused(0, 0x50, "unknown encoding 0x50");
    check_refused(1, 0xdb, "unknown encoding 0xdb");
    check_refused(1, 0x99, "unknown encoding 0x99");
    check_refused(2, 0x7f, "types 0x7f bytes on");
    check_refused(3, 0x0d, "unknown encoding 0xd");
    check_refused(4, 0x7f, "127 bytes of call sites");
    check_refused(9, 3, "begins within another");
    check_refused(20, 0x40, "there is no action at 0x3f");
    check_refused(22, 0x7f, "actions go in a circle");
    check_refused(22, 0x40, "-64 bytes from 0x1");
    check_refused(21, 0x3f, "type 63 is before the section");
}

#[test]
fn a_table_outside_its_section_is_refused() {
    let section = Span { address: SECTION, bytes: &table() };
    for at in [SECTION - 1, SECTION + 0x1000] {
        let error = CallSites::parse("f", section, at, FUNCTION, |_| None).unwrap_err();
        assert!(error.to_string().contains("not in its section"), "{error}");
    }
}

#[test]
fn every_shorter_table_is_refused() {
    let bytes = table();
    for end in AT..bytes.len() {
        assert!(parse(&bytes[..end]).unwrap_err().is_input(), "{end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Damage is refused, or gives ranges in order whose actions end.
    #[test]
    fn damage_is_survived(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = table();
        for (at, byte) in changes {
            *at.get_mut(&mut bytes) = byte;
        }
        match parse(&bytes) {
            Ok(table) => {
                prop_assert!(table.sites().is_sorted_by(|a, b| a.end <= b.start));
                for site in table.sites() {
                    prop_assert!(table.actions(site).count() <= table.actions.len() + 1);
                }
            }
            Err(error) => prop_assert!(error.is_input()),
        }
    }
}
