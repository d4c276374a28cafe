//! What a listener learns of functions that are compiled one by one.
#![expect(unsafe_code, reason = "calls compiled code")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use vmkit::code::{CodeMap, Function};
use vmkit::listener::{Linked, Listener, Unlinked};
use vmkit::metadata::{Action, Personality, Place, TypeInfo};
use vmkit::{Addr, Session, State, SymbolId};
use vmkit_llvm::{Level, Llvm, Options};

const MODULE: &str = include_str!("listen.ll");
const STEP: &str = "define i64 @step(i64 %x) { %y = add i64 %x, 1  ret i64 %y }";

/// Counts events of each symbol, and sees to it that nothing is reachable before its event.
#[derive(Default)]
struct Counts {
    session: Mutex<Option<vmkit::WeakSession>>,
    linked: Mutex<HashMap<SymbolId, u32>>,
    freed: Mutex<HashMap<SymbolId, u32>>,
}

impl Listener for Counts {
    fn linked(&self, event: &Linked<'_>) {
        *self.linked.lock().unwrap().entry(event.unit).or_default() += 1;
        let session = self.session.lock().unwrap().as_ref().and_then(vmkit::WeakSession::upgrade);
        assert_ne!(session.unwrap().state(event.unit), State::Ready, "it can be reached already");
    }

    fn unlinked(&self, event: &Unlinked<'_>) {
        *self.freed.lock().unwrap().entry(event.unit).or_default() += 1;
    }
}

struct Machine {
    session: Session,
    llvm: Llvm,
    map: Arc<CodeMap>,
    counts: Arc<Counts>,
}

fn start(level: Level) -> Machine {
    let (map, counts) = (Arc::new(CodeMap::new()), Arc::new(Counts::default()));
    let builder = Session::builder().listener(map.clone()).listener(counts.clone());
    let session = builder.build().unwrap();
    *counts.session.lock().unwrap() = Some(session.downgrade());
    for name in ["may_throw", "may_collect", "personality"] {
        session.define_absolute(name, Addr(noop as *const () as u64)).unwrap();
    }
    let llvm = Llvm::new(&session, Options { level, ..Options::default() });
    llvm.add("listen", MODULE.into()).unwrap();
    llvm.add("step", STEP.into()).unwrap();
    Machine { session, llvm, map, counts }
}

extern "C" fn noop() {}

impl Machine {
    fn compiled(&self, name: &str) -> Arc<Function> {
        self.session.compile(self.session.symbol(name)).unwrap();
        assert!(self.map.take_errors().is_empty());
        let found = self.map.functions().into_iter().find(|f| f.name.to_string() == name);
        found.expect("it was compiled")
    }
}

const LEVELS: [Level; 2] = [Level::O0, Level::O2];

#[test]
fn one_event_for_each_function_that_is_published_and_freed() {
    let machine = start(Level::O2);
    let (session, llvm) = (&machine.session, &machine.llvm);
    let step = llvm.function::<unsafe extern "C" fn(i64) -> i64>("step").unwrap();
    let id = step.symbol();
    let counted = |counts: &Mutex<HashMap<SymbolId, u32>>| {
        counts.lock().unwrap().get(&id).copied().unwrap_or_default()
    };
    for round in 0..10 {
        assert_eq!(counted(&machine.counts.linked), round);
        // SAFETY: it takes and returns a number.
        assert_eq!(unsafe { step.call(1) }, 2);
        assert_eq!(counted(&machine.counts.linked), round + 1);
        llvm.replace("step", STEP.into()).unwrap();
        // SAFETY: nobody runs anything.
        unsafe { session.reclaim() };
        assert_eq!(counted(&machine.counts.freed), round + 1);
    }
}

#[test]
fn labels_whose_addresses_are_taken_are_told() {
    for level in LEVELS {
        let machine = start(level);
        let goes = machine.compiled("goes");
        let table = machine.session.address(machine.session.symbol("places")).unwrap();
        // SAFETY: two words of data.
        let words = unsafe { *(table.0 as *const [u64; 2]) };
        let labels: Vec<_> = goes.labels.iter().map(|label| label.0).collect();
        for word in words {
            assert!(goes.contains(word) && labels.contains(&word), "{words:x?} {labels:x?}");
        }
    }
}

#[test]
fn landing_pads_and_calls_are_told() {
    for level in LEVELS {
        let machine = start(level);
        let catches = machine.compiled("catches");
        let [call] = &catches.calls[..] else { panic!("{:?}", catches.calls) };
        assert_eq!(call.symbol, machine.session.find("may_throw"));
        let rules = catches.rules.as_ref().expect("unwind rules");
        assert!(matches!(rules.personality, Some(Personality::At(_) | Personality::InSlot(_))));
        let table = catches.call_sites.as_ref().expect("a table");
        let site = table.at(call.returns_to - 1).expect("the call is in it");
        assert!(catches.contains(site.landing_pad.expect("a landing pad")));
        let actions: Vec<_> = table.actions(site).collect();
        let [Action::Catch { type_info: TypeInfo::Any, .. }] = actions[..] else {
            panic!("{actions:?}")
        };
    }
}

#[test]
fn stack_maps_and_patch_points_are_told() {
    for level in LEVELS {
        let machine = start(level);
        let mapped = machine.compiled("mapped");
        let one = |id| {
            let found: Vec<_> = mapped.points_of(id).collect();
            let [(address, record)] = found[..] else { panic!("{id}: {found:?}") };
            assert!(mapped.contains(address));
            (address, record.clone())
        };
        let (_, record) = one(11);
        let places: Vec<_> = record.locations.iter().map(|location| location.place).collect();
        assert!(places.contains(&Place::Constant(5)), "{places:?}");
        let (address, _) = one(12);
        // SAFETY: five bytes of the function's code.
        let bytes = unsafe { *(address as *const [u8; 5]) };
        assert!(bytes[0] == 0x0f || bytes[0] == 0x66, "a nop: {bytes:x?}");

        let collects = machine.compiled("collects");
        let [call] = &collects.calls[..] else { panic!("{:?}", collects.calls) };
        let point = collects.point(call.returns_to).and_then(|record| record.statepoint());
        let point = point.expect("a statepoint");
        assert_eq!(point.pairs().count(), 1);
        assert_eq!(point.deopt.len(), 1);
        assert_eq!(point.deopt[0].place, Place::Constant(42));
    }
}

#[test]
fn a_patch_point_is_made_a_call_and_nothing_again() {
    let machine = start(Level::O2);
    let mapped = machine.compiled("mapped");
    let (at, _) = mapped.points_of(12).next().expect("the patch point");
    let run = machine.llvm.function::<unsafe extern "C" fn(i64) -> i64>("mapped").unwrap();
    let count = machine.llvm.function::<unsafe extern "C" fn() -> i64>("counted").unwrap();
    // SAFETY: here and below: they take and return numbers; the patch point is of five bytes, and the
    // function that is called there takes nothing and returns nothing.
    let both = || unsafe { (run.call(1), count.call()) };
    assert_eq!(both(), (6, 0));
    let counts = machine.session.symbol("counts");
    // SAFETY: as above.
    if let Err(error) = unsafe { machine.session.patch(Addr(at), Some(counts)) } {
        assert!(error.to_string().contains("crosses a cache line"), "{error}");
        return;
    }
    assert_eq!((both(), both()), ((6, 1), (6, 2)));
    // SAFETY: as above.
    unsafe { machine.session.patch(Addr(at), None).unwrap() };
    assert_eq!(both(), (6, 2));
}
