//! What a listener learns of real code, linked into a session.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use vmkit::code::{CodeMap, Function};
use vmkit::metadata::{Action, Cfa, Pair, Personality, Place, Rule, TypeInfo};
use vmkit::target::native;
use vmkit::{Addr, Session};

const SP: u16 = native::STACK_POINTER;
/// Bytes that a call puts on the stack, and where `collects` keeps its reference.
const PUSHED: i64 = if cfg!(target_arch = "x86_64") { 8 } else { 0 };
const SPILLED: i32 = if cfg!(target_arch = "x86_64") { 0 } else { 8 };
const PERSONALITY: u64 = 0x11_1000;
const ELSEWHERE: u64 = 0x22_2000;

/// A session into which a file of `tests/` was compiled and linked, and what is known of its code.
fn link(source: &str, functions: &[&str]) -> (Session, Arc<CodeMap>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(source);
    // By process: tests of one file run at the same time.
    let object = format!("{source}-{}-{:?}.o", std::process::id(), std::thread::current().id());
    let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join(object);
    let mut clang = Command::new("clang-22");
    clang.arg(format!("--target={}-linux-gnu", std::env::consts::ARCH));
    clang.args(["-c", "-g", "-O1", "-fPIC", "-Wno-override-module", "-o"]).arg(&object).arg(path);
    assert!(clang.status().expect("clang-22 must be installed").success());
    let bytes = std::fs::read(&object).expect("what clang wrote");
    std::fs::remove_file(object).expect("it is ours");

    let map = Arc::new(CodeMap::new());
    let session = Session::builder().listener(map.clone()).build().unwrap();
    session.define_absolute("personality", Addr(PERSONALITY)).unwrap();
    for name in ["may_throw", "may_collect", "outside"] {
        session.define_absolute(name, Addr(ELSEWHERE)).unwrap();
    }
    session.add_object(source, &bytes).unwrap();
    functions.iter().for_each(|name| session.compile(session.symbol(name)).unwrap());
    assert!(map.take_errors().is_empty());
    (session, map)
}

fn find(map: &CodeMap, name: &str) -> Arc<Function> {
    let mut functions = map.functions().into_iter();
    functions.find(|function| function.name.to_string() == name).expect("it was linked")
}

#[test]
fn functions_are_found_by_address() {
    let (session, map) = link("code.ll", &["catches"]);
    let functions = map.functions();
    let names: Vec<_> = functions.iter().map(|function| function.name.to_string()).collect();
    assert_eq!(names, ["catches", "collects", "patched"]);
    for function in &functions {
        assert_eq!(function.symbol, session.find(&function.name.to_string()));
        for inside in [function.start, function.end - 1] {
            assert_eq!(map.find(inside).unwrap().name, function.name);
        }
    }
    assert!(map.find(functions[0].start - 1).is_none());
    map.remove(functions[0].start..functions[2].start);
    assert!(map.find(functions[1].start).is_none());
    assert_eq!(map.len(), 1);
}

#[test]
fn calls_are_found_by_where_they_return_to() {
    let (session, map) = link("code.ll", &["catches"]);
    let function = find(&map, "catches");
    let callees: Vec<_> = function.calls.iter().map(|call| call.callee.to_string()).collect();
    assert_eq!(callees, ["may_throw"; 3]);
    for call in &function.calls {
        assert_eq!(call.symbol, session.find("may_throw"));
        assert!(function.contains(call.returns_to));
        let site = function.call_sites.as_ref().unwrap().at(call.returns_to - 1);
        assert!(site.is_some(), "{:#x}", call.returns_to);
    }
}

#[test]
fn call_sites_lead_to_landing_pads() {
    let (session, map) = link("code.ll", &["catches"]);
    let function = find(&map, "catches");
    assert_eq!(function.rules.as_ref().unwrap().personality, Some(personality(&function)));
    let table = function.call_sites.as_ref().unwrap();
    let address = |name| {
        let address = session.address(session.symbol(name)).unwrap();
        TypeInfo::At(address.0)
    };
    let (a, b) = (address("type_a"), address("type_b"));
    let catch = |selector, type_info| Action::Catch { selector, type_info };
    let first =
        [catch(3, a), Action::Filter { selector: -1, types: [b].into() }, catch(1, TypeInfo::Any)];
    let expected: [&[Action]; 3] = [&first, &[Action::Cleanup], &[]];
    for (call, expected) in function.calls.iter().zip(expected) {
        let site = table.at(call.returns_to - 1).unwrap();
        let found: Vec<_> = table.actions(site).cloned().collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            check_action(found, expected);
        }
        assert_eq!(site.landing_pad.is_some(), !expected.is_empty());
        assert!(site.landing_pad.is_none_or(|pad| function.contains(pad)));
    }
}

/// The numbers of types are the producer's affair.
fn check_action(found: &Action, expected: &Action) {
    match (found, expected) {
        (Action::Catch { type_info: found, .. }, Action::Catch { type_info: expected, .. }) => {
            assert_eq!(found, expected);
        }
        _ => assert_eq!(found, expected),
    }
}

/// It is named through a word that the graph itself may not hold.
fn personality(function: &Function) -> Personality {
    match function.rules.as_ref().and_then(|rules| rules.personality) {
        Some(Personality::At(at)) => {
            assert_eq!(at, PERSONALITY);
            Personality::At(at)
        }
        Some(slot) => slot,
        None => panic!("no personality"),
    }
}

#[test]
fn statepoints_are_found_by_return_address() {
    let (_session, map) = link("code.ll", &["collects"]);
    let function = find(&map, "collects");
    let [call] = &function.calls[..] else { panic!("{:?}", function.calls) };
    let record = function.point(call.returns_to).expect("a record of the call");
    assert_eq!((record.id, function.stack_size), (7, Some(16 - PUSHED as u64)));
    let point = record.statepoint().unwrap();
    let deopt: Vec<_> = point.deopt.iter().map(|location| location.place).collect();
    assert_eq!(deopt, [Place::Constant(42)]);
    let spilled = Place::Memory { register: SP, offset: SPILLED };
    let pair = Pair { base: spilled, derived: spilled };
    assert_eq!(point.pairs().collect::<Vec<_>>(), [pair]);
}

#[test]
fn patch_points_are_found_by_id() {
    let (_session, map) = link("code.ll", &["patched"]);
    let function = find(&map, "patched");
    let [(address, record)] = function.points_of(99).collect::<Vec<_>>()[..] else {
        panic!("{:?}", function.points())
    };
    assert!((function.start..function.end - 5).contains(&address));
    assert_eq!(record.statepoint(), None);
}

#[test]
fn unwind_rules_follow_the_code() {
    let (_session, map) = link("code.ll", &["collects"]);
    let function = find(&map, "collects");
    let rules = function.rules.as_ref().unwrap();
    assert_eq!((rules.start, rules.end, rules.table), (function.start, function.end, None));
    let cfa = |address| rules.row(address).unwrap().cfa.clone();
    assert_eq!(cfa(function.start), Cfa::Register { register: SP, offset: PUSHED });
    let call = &function.calls[0];
    assert_eq!(cfa(call.returns_to - 1), Cfa::Register { register: SP, offset: 16 });
    assert_eq!(cfa(function.end - 1), Cfa::Register { register: SP, offset: PUSHED });
    let row = rules.row(function.start).unwrap();
    let pushed = [(native::RETURN_ADDRESS, Rule::Saved(-8))];
    assert_eq!(*row.registers, pushed[..usize::from(PUSHED > 0)]);
    assert!(rules.row(function.end).is_none() && rules.row(function.start - 1).is_none());
}

#[test]
fn lines_go_through_inlined_calls() {
    let (_session, map) = link("lines.c", &["outermost"]);
    let function = find(&map, "outermost");
    let jump = function.end - 1;
    let lines = function.lines(jump).unwrap();
    let found: Vec<_> = lines.iter().map(|l| (l.function.as_deref().unwrap(), l.line)).collect();
    assert_eq!(found, [("innermost", Some(5)), ("inner", Some(9)), ("outermost", Some(13))]);
    assert!(lines.iter().all(|line| line.file.as_ref().unwrap().ends_with("lines.c")));
    assert_eq!(function.lines(function.start - 1).unwrap(), []);
}
