//! Types of functions: as compilers write them for one another, and as Rust does.
//!
//! A type is its result's, then its parameters' in parentheses: `i64 (i64, ptr)`. Types of values are
//! `void`, `i1` for a truth value, `i8` to `i128`, `float`, `double` and `ptr`; a compiler may have more
//! of its own.

/// A pointer to a function that linked code can be called through.
///
/// # Safety
///
/// The type is a pointer to an `extern "C"` or `extern "C-unwind"` function, and the signature is its
/// own.
#[expect(unsafe_code, reason = "whoever implements it vouches for the type")]
pub unsafe trait FunctionPointer: Copy + 'static {
    /// The type, such as `i64 (i64, ptr)`.
    fn signature() -> String;
}

/// A value that an `extern "C"` function can take or return.
pub trait Value: 'static {
    /// The name of its type.
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

/// Do both texts mean the same type? White space does not count.
#[must_use]
pub fn is_same_signature(one: &str, other: &str) -> bool {
    let significant = |text: &'_ str| text.split_whitespace().collect::<String>();
    significant(one) == significant(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<F: FunctionPointer>(expected: &str) {
        assert_eq!(F::signature(), expected);
    }

    #[test]
    fn rust_types_are_written_as_compilers_do() {
        check::<extern "C" fn()>("void ()");
        check::<unsafe extern "C" fn(i64, *const u8) -> u32>("i32 (i64, ptr)");
        check::<extern "C" fn(f32, f64, bool)>("void (float, double, i1)");
        check::<extern "C-unwind" fn(f64) -> f64>("double (double)");
    }

    #[test]
    fn white_space_does_not_count() {
        assert!(is_same_signature("i64 (i64, ptr)", " i64(i64,ptr)"));
        assert!(!is_same_signature("i64 (i64, ptr)", "i64 (i64)"));
    }
}
