//! What the compilers' runtime libraries say of the processor.
#![expect(unsafe_code, reason = "calls the shim")]

use std::sync::OnceLock;

unsafe extern "C" {
    fn vk_processor_features(words: *mut u32);
}

/// The data `__cpu_features2`, which code made for several processors asks beside `__cpu_model`: its
/// name, and the address of its three words. Libgcc has it in its static part only, so that a session
/// finds it in no library of the process.
#[must_use]
pub fn processor_features() -> (&'static str, *const ()) {
    static WORDS: OnceLock<[u32; 3]> = OnceLock::new();
    let words = WORDS.get_or_init(|| {
        let mut words = [0; 3];
        // SAFETY: fills the three words.
        unsafe { vk_processor_features(words.as_mut_ptr()) };
        words
    });
    ("__cpu_features2", words.as_ptr().cast())
}
