//! An archive is read, and every member that defines something is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vmkit::Archive;

fuzz_target!(|bytes: &[u8]| {
    // The members of a thin one are files of this machine.
    if bytes.starts_with(b"!<thin>\n") {
        return;
    }
    let archive = match Archive::read("input.a", bytes.to_vec()) {
        Ok(archive) => archive,
        Err(error) => {
            assert!(error.is_input() && error.to_string().starts_with("input.a"));
            return;
        }
    };
    for place in archive.definers() {
        let member = archive.member(place).expect("the index leads to members");
        assert!(member.name.starts_with("input.a("));
        assert!(member.bytes.len() <= bytes.len());
    }
});
