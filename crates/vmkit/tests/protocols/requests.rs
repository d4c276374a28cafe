//! Requests of what may be there already.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use vmkit::{State, after_fork_in_parent, before_fork};

use crate::bench::{Bench, Body};

/// Longer than any machine takes to do nothing.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn requests_of_what_is_decided_wait_for_nobody() {
    let bench = Bench::new();
    let (ready, failed) = (bench.define("g", Body::Number(1)), bench.define("h", Body::Broken));
    bench.session.compile(ready).unwrap();
    assert!(bench.session.compile(failed).is_err());
    // Until the fork is over, nothing can be queued.
    before_fork();
    let (done, is_done) = mpsc::channel();
    let session = bench.session.clone();
    let asking = thread::spawn(move || {
        session.request(ready);
        session.request(failed);
        done.send(()).unwrap();
    });
    let was_done = is_done.recv_timeout(PATIENCE).is_ok();
    after_fork_in_parent();
    asking.join().unwrap();
    assert!(was_done);
    let states = [ready, failed].map(|id| bench.session.state(id));
    assert_eq!((states, bench.compiles()), ([State::Ready, State::Failed], 2));
}

#[test]
fn only_compile_threads_count_their_time() {
    let bench = Bench::new();
    let (g, f) = bench.define_pair();
    let seconds = || {
        let stats = bench.session.stats();
        stats.materialize_seconds + stats.link_seconds
    };
    bench.session.compile_here(g).unwrap();
    assert_eq!((seconds(), bench.compiles()), (0.0, 1));
    bench.session.compile(f).unwrap();
    assert!(seconds() > 0.0);
}
