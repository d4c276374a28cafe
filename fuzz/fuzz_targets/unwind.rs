//! Unwind records are read, or refused with an error that names them, and give rows in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vmkit::metadata::{Cfa, Rule, Rules, Span, evaluate};

fuzz_target!(|bytes: &[u8]| {
    let section = Span { address: 0x5000_0000, bytes };
    let functions = match Rules::parse("input", section) {
        Ok(functions) => functions,
        Err(error) => {
            assert!(error.is_input() && error.to_string().starts_with("input: "));
            return;
        }
    };
    for rules in &functions {
        for row in rules.rows() {
            if let Cfa::Expression(expression) = &row.cfa {
                let _ = evaluate(expression, None, |_| Some(1 << 32), Some);
            }
            for (_, rule) in &row.registers {
                if let Rule::SavedAt(expression) | Rule::ValueOf(expression) = rule {
                    let _ = evaluate(expression, Some(1 << 40), |_| Some(1 << 32), Some);
                }
            }
        }
        let _ = rules.row(rules.start);
        let _ = rules.row(rules.end.wrapping_sub(1));
    }
});
