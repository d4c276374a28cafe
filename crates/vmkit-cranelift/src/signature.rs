//! Types of functions, as backends write them for one another.

use cranelift_codegen::ir::{Signature, Type, types};

/// A signature as text; `i64` also stands for pointers, which CLIF does not tell from numbers.
pub(crate) fn text(signature: &Signature) -> String {
    let list = |params: &[cranelift_codegen::ir::AbiParam]| {
        params.iter().map(|param| name(param.value_type)).collect::<Vec<_>>().join(", ")
    };
    let result = match &signature.returns[..] {
        [] => "void".to_owned(),
        [one] => name(one.value_type),
        _ => format!("{{ {} }}", list(&signature.returns)),
    };
    format!("{result} ({})", list(&signature.params))
}

fn name(value: Type) -> String {
    match value {
        types::F32 => "float".into(),
        types::F64 => "double".into(),
        other => other.to_string(),
    }
}

/// Can a function of this signature be called as one of the type `wanted`? Pointers are numbers, into
/// whatever address space: references are pointers into others than the first.
pub(crate) fn is_callable(signature: &Signature, wanted: &str) -> bool {
    let wanted = &without_address_spaces(wanted);
    let as_numbers = |text: &str| {
        let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
        let words = words.map(|word| {
            let end = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
            let rest = word[end.len()..].trim();
            let number = match end {
                "ptr" => "i64",
                "i1" => "i8",
                other => other,
            };
            format!("{number}{rest}")
        });
        words.collect::<String>()
    };
    as_numbers(&text(signature)) == as_numbers(wanted)
}

fn without_address_spaces(text: &str) -> String {
    let mut parts = text.split("addrspace(");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |known, part| match part.split_once(')') {
        Some((number, rest)) if number.parse::<u32>().is_ok() => known.trim_end().to_owned() + rest,
        _ => known + "addrspace(" + part,
    })
}

#[cfg(test)]
mod tests {
    use cranelift_codegen::ir::AbiParam;
    use cranelift_codegen::isa::CallConv;

    use super::*;

    fn signature(params: &[Type], returns: &[Type]) -> Signature {
        let mut signature = Signature::new(CallConv::SystemV);
        signature.params.extend(params.iter().copied().map(AbiParam::new));
        signature.returns.extend(returns.iter().copied().map(AbiParam::new));
        signature
    }

    #[test]
    fn signatures_are_written_as_types() {
        let check = |params: &[Type], returns: &[Type], expected| {
            assert_eq!(text(&signature(params, returns)), expected);
        };
        check(&[], &[], "void ()");
        check(&[types::I64, types::F32], &[types::F64], "double (i64, float)");
        check(&[types::I8X16], &[types::I32, types::I8], "{ i32, i8 } (i8x16)");
    }

    #[test]
    fn pointers_and_truth_values_are_numbers() {
        let one = signature(&[types::I64, types::I8], &[types::I64]);
        for wanted in ["i64 (i64, i8)", "ptr (i64, i1)", " i64(ptr,i8) "] {
            assert!(is_callable(&one, wanted), "{wanted}");
        }
        for wanted in ["ptr addrspace(1) (ptr addrspace(1), i1)", "i64 (ptr addrspace(10), i8)"] {
            assert!(is_callable(&one, wanted), "{wanted}");
        }
        for wanted in ["ptr addrspace(one) (ptr, i8)", "ptr addrspace(1 (ptr, i8)"] {
            assert!(!is_callable(&one, wanted), "{wanted}");
        }
        for wanted in ["i64 (i64)", "i32 (i64, i8)", "i64 (i64, i8, i8)", "void (ptr, i8)", ""] {
            assert!(!is_callable(&one, wanted), "{wanted}");
        }
    }
}
