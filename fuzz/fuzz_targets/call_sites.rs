//! Call-site tables are read, or refused with an error that names them; the first two bytes say
//! where in the section the table is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vmkit::metadata::{CallSites, Span};

const SECTION: u64 = 0x5000_0000;
const FUNCTION: u64 = 0x4000_0000;

fuzz_target!(|bytes: &[u8]| {
    let Some((start, bytes)) = bytes.split_at_checked(2) else { return };
    let start = SECTION + u64::from(u16::from_le_bytes([start[0], start[1]]));
    let section = Span { address: SECTION, bytes };
    let word = |at: u64| (at % 3 == 0).then_some(at / 3);
    let table = match CallSites::parse("input", section, start, FUNCTION, word) {
        Ok(table) => table,
        Err(error) => {
            assert!(error.is_input() && error.to_string().starts_with("input: "));
            return;
        }
    };
    assert!(table.sites().is_sorted_by(|a, b| a.end <= b.start));
    for site in table.sites() {
        // Ends: actions that go in a circle are refused.
        assert!(table.actions(site).count() <= bytes.len() + 1);
        if site.start < site.end {
            assert_eq!(table.at(site.start), Some(site));
            assert_eq!(table.at(site.end - 1), Some(site));
        }
    }
});
