//! `--trace`: a file that Perfetto reads, with an event for each function that was compiled.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::source::{compile, outcome, vmkit};
use super::{program, sources};

/// The events that `vmkit run` with these arguments writes.
fn trace(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let mut command = vmkit(folder, &["run", "--trace=trace.json"]);
    command.args(arguments);
    outcome(command);
    let text = fs::read_to_string(folder.join("trace.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn of_category<'a>(events: &'a [Value], category: &'a str) -> impl Iterator<Item = &'a Value> {
    events.iter().filter(move |event| event["cat"] == category)
}

/// Who called each function first, by function.
fn callers(events: &[Value]) -> BTreeMap<(String, String), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let functions = of_category(events, "function").map(|event| {
        let key = (text(&event["args"]["module"]), text(&event["name"]));
        (key, text(&event["args"]["called by"]))
    });
    functions.collect()
}

fn span(event: &Value) -> (f64, f64) {
    let start = event["ts"].as_f64().unwrap();
    (start, start + event["dur"].as_f64().unwrap())
}

#[test]
fn each_function_has_an_event_with_its_first_caller() {
    let events = trace(&program("trace"), &["first.bc", "second.bc"]);
    let expected = [
        ("first.bc", "before_main", "vmkit, as a constructor"),
        ("first.bc", "compare", "libc.so.6"),
        ("first.bc", "main", "vmkit, as the entry"),
        ("first.bc", "twin", "main+0x"),
        ("second.bc", "second_add", "main+0x"),
        ("second.bc", "twin", "second_add+0x"),
        ("second.bc", "weakly_defined", "main+0x"),
    ];
    let callers = callers(&events);
    assert_eq!(of_category(&events, "function").count(), expected.len(), "{callers:?}");
    for (module, name, caller) in expected {
        let found = &callers[&(module.to_owned(), name.to_owned())];
        assert!(found.contains(caller), "{name} was called by {found}");
    }
}

#[test]
fn phases_lie_within_their_function() {
    let events = trace(&program("trace_phases"), &["-O2", "first.bc", "second.bc"]);
    let mut names = BTreeMap::new();
    for phase in of_category(&events, "phase") {
        let (start, end) = span(phase);
        let holds = |function: &&Value| {
            let (from, to) = span(function);
            // Times are rounded to nanoseconds.
            function["tid"] == phase["tid"] && from <= start + 0.002 && end <= to + 0.002
        };
        assert_eq!(of_category(&events, "function").filter(holds).count(), 1, "{phase}");
        *names.entry(phase["name"].as_str().unwrap()).or_insert(0) += 1;
    }
    for name in ["materialize", "optimize", "codegen", "link"] {
        assert_eq!(names[name], 7, "{names:?}");
    }
}

#[test]
fn every_thread_of_an_event_has_a_name() {
    let events = trace(&program("trace_threads"), &["--eager", "first.bc", "second.bc"]);
    let named: Vec<_> =
        events.iter().filter(|event| event["name"] == "thread_name").map(|e| &e["tid"]).collect();
    let functions: Vec<_> = of_category(&events, "function").collect();
    assert_eq!(functions.len(), 10);
    assert!(functions.iter().all(|event| named.contains(&&event["tid"])), "{events:?}");
    // Nobody had called them.
    assert!(functions.iter().all(|event| event["args"]["called by"].is_null()), "{events:?}");
}

#[test]
fn what_is_compiled_together_is_one_event() {
    let folder = program("trace_together");
    let source = sources().join("labels.c");
    compile(&source, &["-O1", "-emit-llvm"], &folder, "labels.bc");
    let events = trace(&folder, &["labels.bc"]);
    let of_one = |name: &str| of_category(&events, "function").any(|event| event["name"] == name);
    assert!(of_one("main") && of_one("run"), "{events:?}");
}

#[test]
fn a_failed_call_leaves_a_trace() {
    let events = trace(&program("trace_failed"), &["first.bc", "second.bc", "--", "undefined"]);
    assert!(callers(&events).contains_key(&("first.bc".to_owned(), "act".to_owned())));
}
