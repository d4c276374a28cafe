//! What was called and waits to be compiled.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use parking_lot::Mutex;

use crate::host;
use crate::symbol::SymbolId;
use crate::table::{Entry, Table};

/// Processors that share a lane are taken for one.
const MOST_LANES: usize = 64;
/// A compile thread looks so far for a call from its own processor.
const AHEAD: usize = 16;
/// So often in a row the oldest call can be passed over.
const MOST_PASSED: u32 = 4;

/// Symbols that were called, about the oldest first.
///
/// A compile thread takes what its own processor waits for, if that is near the front: to wake a thread
/// of another processor takes an interrupt there, and what was compiled is in the caches here.
pub(crate) struct Queue {
    lanes: Box<[Lane]>,
    backlog: Mutex<Backlog>,
}

/// What callers on one processor have pushed, newest first, linked through their entries: a symbol's
/// number plus one, 0 for none.
#[derive(Default)]
#[repr(align(64))]
struct Lane(AtomicU32);

/// What was taken from the lanes, oldest first, with the lane.
#[derive(Default)]
struct Backlog {
    waiting: VecDeque<(usize, SymbolId)>,
    /// How often in a row the first one was passed over.
    passed: u32,
}

impl Queue {
    /// A queue of calls that come from so many processors.
    pub(crate) fn new(processors: u32) -> Self {
        let lanes = (processors as usize).clamp(1, MOST_LANES);
        let lanes = (0..lanes).map(|_| Lane::default()).collect();
        Self { lanes, backlog: Mutex::default() }
    }

    fn lane(&self) -> usize {
        host::this_processor() % self.lanes.len()
    }

    /// Adds a symbol as called from this processor, unless it is there. Takes no lock.
    pub(crate) fn push(&self, table: &Table, id: SymbolId) {
        self.push_from(self.lane(), table, id);
    }

    fn push_from(&self, lane: usize, table: &Table, id: SymbolId) {
        let (entry, pushed) = (table.entry(id), &self.lanes[lane].0);
        // Others may have compiled it where it stands, so that it is wanted again before it was taken.
        // Either this sees that it was taken, or who takes it sees that it is wanted.
        fence(Ordering::SeqCst);
        let relaxed = Ordering::Relaxed;
        if entry.next.compare_exchange(Entry::APART, 0, relaxed, relaxed).is_err() {
            return;
        }
        let mut head = pushed.load(Ordering::Relaxed);
        loop {
            entry.next.store(head, Ordering::Relaxed);
            let (success, failure) = (Ordering::Release, Ordering::Relaxed);
            match pushed.compare_exchange_weak(head, id.0 + 1, success, failure) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes a symbol to compile on this processor; and tells whether there are more.
    pub(crate) fn take(&self, table: &Table) -> Option<(SymbolId, bool)> {
        self.take_from(self.lane(), table)
    }

    fn take_from(&self, own: usize, table: &Table) -> Option<(SymbolId, bool)> {
        let mut backlog = self.backlog.lock();
        self.collect(table, &mut backlog.waiting);
        let place = backlog.next(own);
        let (_, id) = backlog.waiting.remove(place)?;
        Some((id, !backlog.waiting.is_empty()))
    }

    /// Moves what was pushed to the end of what waits.
    fn collect(&self, table: &Table, waiting: &mut VecDeque<(usize, SymbolId)>) {
        for (lane, Lane(pushed)) in self.lanes.iter().enumerate() {
            if pushed.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let (old, mut head) = (waiting.len(), pushed.swap(0, Ordering::Acquire));
            while head != 0 {
                let id = SymbolId(head - 1);
                head = table.entry(id).next.swap(Entry::APART, Ordering::Relaxed);
                waiting.insert(old, (lane, id));
            }
            // As in `push_from`.
            fence(Ordering::SeqCst);
        }
    }
}

impl Backlog {
    /// The place of the next one for a compile thread of the lane `own`.
    fn next(&mut self, own: usize) -> usize {
        let ahead = if self.passed < MOST_PASSED { AHEAD } else { 0 };
        let place = self.waiting.iter().take(ahead).position(|&(lane, _)| lane == own).unwrap_or(0);
        self.passed = if place == 0 { 0 } else { self.passed + 1 };
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::{Name, ScopeId};

    /// A table of so many symbols.
    fn table(count: u32) -> (Table, Vec<SymbolId>) {
        let table = Table::new(false);
        let symbol =
            |number: u32| table.symbol(ScopeId::GLOBAL, &Name::from(format!("f{number}").as_str()));
        let symbols = (0..count).map(symbol).collect();
        (table, symbols)
    }

    /// What a compile thread of lane 0 takes, one after the other, where calls come from these lanes.
    #[track_caller]
    fn check(lanes: &[usize], expected: &[usize]) {
        let (table, symbols) = table(lanes.len() as u32);
        let queue = Queue::new(2);
        for (&lane, &id) in lanes.iter().zip(&symbols) {
            queue.push_from(lane, &table, id);
            // So that they wait in this order, whatever their lanes.
            queue.collect(&table, &mut queue.backlog.lock().waiting);
        }
        let mut taken = Vec::new();
        while let Some((id, is_more)) = queue.take_from(0, &table) {
            taken.push(symbols.iter().position(|&symbol| symbol == id).unwrap());
            assert_eq!(is_more, taken.len() < lanes.len());
        }
        assert_eq!(taken, expected);
    }

    #[test]
    fn the_own_processors_calls_come_first_but_nobody_waits_for_long() {
        check(&[], &[]);
        check(&[0, 0, 0], &[0, 1, 2]);
        check(&[1, 1], &[0, 1]);
        check(&[1, 0, 1, 0], &[1, 3, 0, 2]);
        check(&[1, 0, 0, 0, 0, 0, 1, 0], &[1, 2, 3, 4, 0, 5, 7, 6]);
    }

    #[test]
    fn calls_of_one_lane_stay_in_order_however_many_are_collected_at_once() {
        let (table, symbols) = table(5);
        let queue = Queue::new(1);
        symbols.iter().for_each(|&id| queue.push(&table, id));
        let taken: Vec<_> = std::iter::from_fn(|| queue.take(&table)).map(|(id, _)| id).collect();
        assert_eq!(taken, symbols);
    }

    #[test]
    fn what_is_wanted_again_before_it_was_taken_is_there_once() {
        let (table, symbols) = table(3);
        let queue = Queue::new(2);
        let pushes = [(0, 0), (0, 1), (0, 0), (1, 2), (1, 0), (0, 1)];
        for (lane, number) in pushes {
            queue.push_from(lane, &table, symbols[number]);
        }
        let mut taken: Vec<_> =
            std::iter::from_fn(|| queue.take_from(0, &table)).map(|(id, _)| id).collect();
        taken.sort_unstable();
        assert_eq!(taken, symbols);
        queue.push(&table, symbols[1]);
        assert_eq!(queue.take(&table), Some((symbols[1], false)), "it can come again");
    }

    #[test]
    fn threads_take_what_threads_push_each_once() {
        const EACH: usize = 500;
        let (table, symbols) = table(4 * EACH as u32);
        let (queue, taken) = (Queue::new(3), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for share in symbols.chunks(EACH) {
                let (queue, table) = (&queue, &table);
                scope.spawn(move || share.iter().for_each(|&id| queue.push(table, id)));
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    while taken.lock().len() < symbols.len() {
                        taken.lock().extend(queue.take(&table).map(|(id, _)| id));
                    }
                });
            }
        });
        let mut taken = taken.into_inner();
        taken.sort_unstable();
        assert_eq!(taken, symbols);
    }
}
