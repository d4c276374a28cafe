//! What the compilers' runtime libraries say of the processor.
#![expect(unsafe_code, reason = "calls the shim")]

unsafe extern "C" {
    fn vk_processor_features(words: *mut u32);
}

/// The three words of `__cpu_features2`, as bytes, which code made for several processors asks beside
/// `__cpu_model`. Libgcc has it in its static part only, so that a session finds it in no library of the
/// process.
#[must_use]
pub fn processor_features() -> [u8; 12] {
    let mut words = [0u32; 3];
    // SAFETY: fills the three words.
    unsafe { vk_processor_features(words.as_mut_ptr()) };
    let mut bytes = [0; 12];
    for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}
