//! Types of functions, as LLVM writes them.

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
