//! `--trace`: what was compiled when, in the Trace Event Format's JSON array form, for Perfetto.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use vmkit::Session;
use vmkit::debug::{Journal, Record};
use vmkit::graph::Compile;

use crate::caller::{Roots, caller};

/// The trace: an event a function, with its phases inside.
pub(crate) fn json(session: &Session, journal: &Journal, roots: &Roots) -> String {
    let records = journal.records();
    let compiles = || records.iter().filter_map(|record| Some((record, record.compile?)));
    let threads: BTreeSet<u32> = compiles().map(|(record, _)| record.thread).collect();
    let mut events = vec![label("process_name", 0, "vmkit")];
    events.extend(
        threads
            .iter()
            .map(|&thread| label("thread_name", thread, &format!("compile thread {thread}"))),
    );
    for (record, compile) in compiles() {
        let line = Line { thread: record.thread, start: session.began() };
        let name = session.name(record.unit).to_string();
        let whole = (compile.began, record.linked);
        events.push(line.event(
            &name,
            "function",
            whole,
            arguments(session, roots, record, compile),
        ));
        events.extend(line.phases(record, compile));
    }
    let lines: Vec<_> = events.iter().map(Value::to_string).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// Where events go: a thread's line, and the time it starts at.
struct Line {
    thread: u32,
    start: Instant,
}

impl Line {
    fn event(
        &self,
        name: &str,
        category: &str,
        (began, ended): (Instant, Instant),
        arguments: Map<String, Value>,
    ) -> Value {
        json!({
            "name": name,
            "cat": category,
            "ph": "X",
            "ts": micros(began.saturating_duration_since(self.start)),
            "dur": micros(ended.saturating_duration_since(began)),
            "pid": std::process::id(),
            "tid": self.thread,
            "args": arguments,
        })
    }

    fn phases(&self, record: &Record, compile: Compile) -> Vec<Value> {
        let mut at = compile.began;
        let mut events = Vec::new();
        for (name, time) in compile.phases {
            if !time.is_zero() {
                events.push(self.event(name, "phase", (at, at + time), Map::new()));
            }
            at += time;
        }
        let link = (compile.ended, record.linked);
        events.push(self.event("link", "phase", link, Map::new()));
        events
    }
}

fn arguments(
    session: &Session,
    roots: &Roots,
    record: &Record,
    compile: Compile,
) -> Map<String, Value> {
    let code: u64 = record.functions.iter().map(|function| function.size).sum();
    let mut arguments = Map::new();
    let mut add = |name: &str, value: Value| arguments.insert(name.into(), value);
    add("module", record.module.as_ref().into());
    add("code bytes", code.into());
    if let Some(call) = session.explain(record.unit).first_call {
        add("called by", caller(session, roots, record.unit, call.from).into());
        if let Some(after) = call.after {
            let waited = compile.began.saturating_duration_since(session.began() + after);
            add("queued µs", micros(waited).into());
        }
    }
    if record.functions.len() > 1 {
        let names: Vec<_> = record.functions.iter().map(|f| f.name.to_string()).collect();
        add("functions", names.into());
    }
    arguments
}

fn label(what: &str, thread: u32, name: &str) -> Value {
    let pid = std::process::id();
    json!({ "name": what, "ph": "M", "pid": pid, "tid": thread, "args": { "name": name } })
}

/// Microseconds, to the nanosecond.
fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}
