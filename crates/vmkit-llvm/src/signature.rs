//! Types of functions: as LLVM writes them, and as Rust does.

/// A pointer to a function that linked code can be called through.
///
/// # Safety
///
/// The type is a pointer to an `extern "C"` or `extern "C-unwind"` function, and the signature is its
/// own.
#[expect(unsafe_code, reason = "whoever implements it vouches for the type")]
pub unsafe trait FunctionPointer: Copy + 'static {
    /// The type as LLVM writes it, such as `i64 (i64, ptr)`.
    fn signature() -> String;
}

/// A value that an `extern "C"` function can take or return, as LLVM writes its type.
pub trait Value: 'static {
    /// LLVM's name of the type.
    const TYPE: &'static str;
}

macro_rules! values {
    ($($type:ty = $name:literal),* $(,)?) => {$(
        impl Value for $type {
            const TYPE: &'static str = $name;
        }
    )*};
}

values! {
    () = "void",
    bool = "i1",
    i8 = "i8", u8 = "i8",
    i16 = "i16", u16 = "i16",
    i32 = "i32", u32 = "i32",
    i64 = "i64", u64 = "i64",
    isize = "i64", usize = "i64",
    i128 = "i128", u128 = "i128",
    f32 = "float", f64 = "double",
}

impl<T: 'static> Value for *const T {
    const TYPE: &'static str = "ptr";
}

impl<T: 'static> Value for *mut T {
    const TYPE: &'static str = "ptr";
}

impl<T: 'static> Value for &'static T {
    const TYPE: &'static str = "ptr";
}

macro_rules! functions {
    ($($argument:ident)*) => {
        functions!(@ unsafe extern "C" fn($($argument),*) -> R, $($argument)*);
        functions!(@ extern "C" fn($($argument),*) -> R, $($argument)*);
        functions!(@ unsafe extern "C-unwind" fn($($argument),*) -> R, $($argument)*);
        functions!(@ extern "C-unwind" fn($($argument),*) -> R, $($argument)*);
    };
    (@ $type:ty, $($argument:ident)*) => {
        #[expect(unsafe_code, reason = "the signature is made from the type")]
        // SAFETY: the signature is made from the type.
        unsafe impl<R: Value, $($argument: Value),*> FunctionPointer for $type {
            fn signature() -> String {
                let arguments: &[&str] = &[$($argument::TYPE),*];
                format!("{} ({})", R::TYPE, arguments.join(", "))
            }
        }
    };
}

functions! {}
functions! { A }
functions! { A B }
functions! { A B C }
functions! { A B C D }
functions! { A B C D E }
functions! { A B C D E F }
functions! { A B C D E F G }
functions! { A B C D E F G H }

/// The declaration of a function with a signature, as LLVM writes it; none if it is not one.
pub(crate) fn declaration(name: &str, signature: &str) -> Option<String> {
    let (result, arguments) = signature.split_at(parameters_at(signature)?);
    let name = name.bytes().map(|byte| match byte {
        b'"' | b'\\' | 0..0x20 | 0x7f.. => format!("\\{byte:02X}"),
        _ => char::from(byte).to_string(),
    });
    Some(format!("declare {result} @\"{}\"{arguments}", name.collect::<String>()))
}

/// Where the parameters of a function type begin; its result's type can have parentheses, too.
fn parameters_at(signature: &str) -> Option<usize> {
    let mut depth = 0_usize;
    signature.rmatch_indices(['(', ')']).find_map(|(at, parenthesis)| {
        depth = if parenthesis == ")" { depth + 1 } else { depth.checked_sub(1)? };
        (depth == 0).then_some(at)
    })
}

/// A hash of a signature.
pub(crate) fn hash(signature: &str) -> u64 {
    use std::hash::BuildHasher;
    let text: String = signature.split_whitespace().collect();
    rustc_hash::FxBuildHasher.hash_one(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<F: FunctionPointer>(expected: &str) {
        assert_eq!(F::signature(), expected);
    }

    #[test]
    fn rust_types_are_written_as_llvm_does() {
        check::<extern "C" fn()>("void ()");
        check::<unsafe extern "C" fn(i64, *const u8) -> u32>("i32 (i64, ptr)");
        check::<extern "C" fn(f32, f64, bool)>("void (float, double, i1)");
        check::<extern "C-unwind" fn(f64) -> f64>("double (double)");
    }

    #[test]
    fn declarations_quote_names() {
        let check = |name, expected: Option<&str>| {
            assert_eq!(declaration(name, "i64 (i64)").as_deref(), expected);
        };
        check("f", Some("declare i64  @\"f\"(i64)"));
        check("a\"b", Some("declare i64  @\"a\\22b\"(i64)"));
        assert_eq!(declaration("f", "i64"), None);
        assert_eq!(declaration("f", "i64 (("), None);
        let other = "ptr addrspace(1) (ptr addrspace(1), ptr)";
        let expected = "declare ptr addrspace(1)  @\"f\"(ptr addrspace(1), ptr)";
        assert_eq!(declaration("f", other).as_deref(), Some(expected));
    }
}
