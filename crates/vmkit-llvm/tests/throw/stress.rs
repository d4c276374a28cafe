//! Redefinitions for ever while other threads throw through what is redefined, and one stops them all
//! and walks their stacks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use vmkit::code::CodeMap;
use vmkit::graph::LinkGraph;
use vmkit::listener::{Linked, Listener};
use vmkit::safepoint::{Safepoints, Stopped};
use vmkit::walk::End;
use vmkit::{Private, Result, ScopeId, Session, Source, SymbolKind, Unit};
use vmkit_llvm::{Llvm, Options};

use super::{MAP, MUTATOR, add, call};

const THREADS: u64 = 7;

/// Keeps what the backend has made of `pass`, and gives it again and again: as fast as code can be had.
struct Again(Arc<str>, Mutex<Option<LinkGraph>>);

impl Listener for Again {
    fn linked(&self, event: &Linked<'_>) {
        let entry = event.graph.entry.map(|entry| event.graph.symbols[entry].name.to_string());
        if entry.as_deref() == Some("pass") {
            let graph = LinkGraph { scope: ScopeId::GLOBAL, ..event.graph.clone() };
            self.1.lock().unwrap().get_or_insert(graph);
        }
    }
}

impl Source for Again {
    fn name(&self) -> &Arc<str> {
        &self.0
    }

    fn materialize(&self, _: u64) -> Result<LinkGraph> {
        Ok(self.1.lock().unwrap().clone().expect("it was compiled once"))
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Function, unit: Unit::Lazy }
    }
}

/// Pages of the process that are in memory, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    4096 * text.split(' ').nth(1).unwrap().parse::<u64>().unwrap()
}

/// Walks a thread's stack; how many frames there were.
fn walk(thread: &Stopped<'_>, map: &CodeMap) -> u64 {
    // SAFETY: the session whose code it is has told the map.
    let Some(mut frames) = (unsafe { thread.frames(map) }) else { return 0 };
    let mut names: Vec<_> = frames.by_ref().map(|frame| frame.function.name.to_string()).collect();
    assert_eq!(frames.end(), Some(End::Native));
    let count = names.len() as u64;
    assert_eq!(names.pop().as_deref(), Some("catch"));
    assert!(!names.is_empty() && names.iter().all(|name| name == "pass"), "{names:?}");
    count
}

/// Redefines `pass` so many times. When a tenth of them are done, the memory that is in use then
/// counts as enough.
fn check(rounds: u64) {
    let again = Arc::new(Again("again".into(), Mutex::default()));
    let (map, safepoints) = (Arc::new(CodeMap::new()), Safepoints::new());
    let builder = Session::builder().listener(map.clone()).listener(again.clone());
    let session = builder.build().unwrap();
    let llvm = Llvm::new(&session, Options::default());
    add(&session, &llvm);
    MAP.set(map.clone());
    assert_eq!(call(&session, "catch", 1, 1), 100);
    let (pass, scope) = (session.symbol("pass"), session.add_source(again));
    let (is_over, order) = (AtomicBool::new(false), Ordering::Relaxed);
    let (calls, walked) = (AtomicU64::new(0), AtomicU64::new(0));
    let mut before = None;
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let (session, map, safepoints) = (&session, map.clone(), &safepoints);
            let (is_over, calls) = (&is_over, &calls);
            threads.spawn(move || {
                MAP.set(map);
                MUTATOR.set(Some(safepoints.register()));
                let reader = session.reader();
                while !is_over.load(order) {
                    let _reading = reader.enter();
                    let depth = (calls.fetch_add(1, order) + thread) % 30;
                    let catch = || assert_eq!(call(session, "catch", depth, 30), 330);
                    MUTATOR.with_borrow(|own| own.as_ref().expect("set above").managed(catch));
                }
                MUTATOR.take();
            });
        }
        threads.spawn(|| {
            while !is_over.load(order) {
                let count = safepoints.stop_the_world(|stopped| {
                    stopped.iter().map(|thread| walk(thread, &map)).sum::<u64>()
                });
                walked.fetch_add(count, order);
                std::thread::yield_now();
            }
        });
        for round in 0..rounds {
            session.redefine(pass, scope, round).unwrap();
            // Not all of them are compiled by whoever calls first.
            if round % 3 == 0 {
                session.compile(pass).unwrap();
            }
            // SAFETY: whoever runs code is a reader.
            unsafe { session.reclaim() };
            if round == rounds / 10 {
                before = Some(resident());
            }
        }
        is_over.store(true, order);
    });
    // SAFETY: nobody runs code any more.
    unsafe { session.reclaim() };
    let (stats, grown) = (session.stats(), resident().saturating_sub(before.unwrap()));
    assert_eq!(stats.functions_retired, 0);
    assert!(stats.code_bytes < 1 << 14 && stats.data_bytes < 1 << 14, "{stats:?}");
    assert!(map.len() <= 4, "{} functions", map.len());
    // A thread may have held back what was retired for as long as it did not run.
    assert!(grown < 32 << 20, "{grown} bytes more");
    assert!(stats.functions_compiled > rounds * 3 / 10, "{stats:?}");
    let (calls, walked) = (calls.into_inner(), walked.into_inner());
    assert!(calls > rounds / 1000 && walked > rounds / 1000, "{calls} calls, {walked} frames");
}

#[test]
fn redefinitions_under_throws_and_walks() {
    check(3000);
}

#[test]
#[ignore = "takes long: make stress"]
fn a_million_redefinitions_under_throws_and_walks_stress() {
    check(1_000_000);
}
