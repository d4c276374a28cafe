//! Source locations of compiled code, as the session's map has them.

use std::sync::Arc;

use cranelift_codegen::ir::{InstBuilder, SourceLoc, types};
use vmkit::Session;
use vmkit::code::CodeMap;
use vmkit_cranelift::{Cranelift, Options, Position};

use crate::bench::{begin, call, signature, unary};

#[test]
fn instructions_are_known_by_their_lines() {
    let map = Arc::new(CodeMap::new());
    let session = Session::builder().listener(map.clone()).build().unwrap();
    let cranelift = Cranelift::new(&session, Options::default()).unwrap();
    let position = |name: &str, location: SourceLoc| {
        let file = format!("{name}.src");
        Some(Position { file, line: location.bits() / 100, column: location.bits() % 100 })
    };
    cranelift.set_lines(position).unwrap();
    assert!(cranelift.set_lines(|_, _| None).is_err());
    cranelift
        .define_lazy("f", unary(), |builder, building| {
            let params = begin(builder);
            let callee = building.function(builder.func, "g", &signature(&[], &[types::I64]));
            builder.set_srcloc(SourceLoc::new(1203));
            let first = builder.ins().call(callee, &[]);
            let first = builder.inst_results(first)[0];
            builder.set_srcloc(SourceLoc::new(1507));
            let second = builder.ins().call(callee, &[]);
            let second = builder.inst_results(second)[0];
            let sum = builder.ins().iadd(first, second);
            let sum = builder.ins().iadd(sum, params[0]);
            builder.ins().return_(&[sum]);
            Ok(())
        })
        .unwrap();
    cranelift
        .define_lazy("g", signature(&[], &[types::I64]), |builder, _| {
            begin(builder);
            let number = builder.ins().iconst(types::I64, 20);
            builder.ins().return_(&[number]);
            Ok(())
        })
        .unwrap();
    assert_eq!(call(&cranelift, "f", 2), 42);
    let functions = map.functions();
    let f = functions.iter().find(|function| function.name.to_string() == "f").unwrap();
    let lines = f.calls.iter().map(|call| {
        let found = f.lines(call.returns_to - 1).unwrap().remove(0);
        (found.function.unwrap(), found.file.unwrap(), found.line.unwrap(), found.column.unwrap())
    });
    let expected = [(12, 3), (15, 7)];
    let expected =
        expected.map(|(line, column)| ("f".to_owned(), "./f.src".to_owned(), line, column));
    assert_eq!(lines.collect::<Vec<_>>(), expected);
    assert!(map.take_errors().is_empty());
}
