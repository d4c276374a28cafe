//! Stack maps are read, or refused with an error that names them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vmkit::metadata::StackMaps;

fuzz_target!(|bytes: &[u8]| {
    let maps = match StackMaps::parse("input", bytes) {
        Ok(maps) => maps,
        Err(error) => {
            assert!(error.is_input() && error.to_string().starts_with("input: "));
            return;
        }
    };
    let of_functions = (0..maps.functions.len()).map(|index| maps.records_of(index).count());
    assert_eq!(of_functions.sum::<usize>(), maps.records.len());
    for function in &maps.functions {
        let at = function.address_at;
        assert_eq!(bytes[at..at + 8], function.address.to_le_bytes());
    }
});
