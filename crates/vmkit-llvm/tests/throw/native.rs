//! Exceptions that meet frames of other code: linked code calls Rust, which calls linked code again.
//!
//! ```text
//! outer ──► through ──► between (Rust) ──► catch_all ──► pass … ──► vm_throw
//!   ▲          │ throws on     │ returns       │ returns what it caught
//!   └──────────┴◄──────────────┴◄──────────────┘
//! ```

use std::cell::{Cell, RefCell};

use vmkit::Addr;
use vmkit_llvm::Level;

use super::{call, start, unhandled_in};

const CODE: &str = "
    declare i32 @vm_personality(...)
    declare void @vm_throw(i64)
    declare void @pass(i64, i64)
    declare i64 @between(i64, i64)

    ; Lets nothing out: what it caught, or 0.
    define i64 @catch_all(i64 %depth, i64 %exception) uwtable personality ptr @vm_personality {
      invoke void @pass(i64 %depth, i64 %exception) to label %none unwind label %pad
    none:
      ret i64 0
    pad:
      %landing = landingpad { ptr, i32 } catch ptr null
      %thrown = extractvalue { ptr, i32 } %landing, 0
      %number = ptrtoint ptr %thrown to i64
      ret i64 %number
    }

    ; Throws on what has come to the Rust function that it calls.
    define void @through(i64 %depth, i64 %exception) noinline uwtable {
      %thrown = call i64 @between(i64 %depth, i64 %exception)
      %none = icmp eq i64 %thrown, 0
      br i1 %none, label %done, label %on
    on:
      call void @vm_throw(i64 %thrown)
      unreachable
    done:
      ret void
    }

    define i64 @outer(i64 %depth, i64 %exception, i64 %a, i64 %b) uwtable personality ptr @vm_personality {
      invoke void @through(i64 %depth, i64 %exception) to label %none unwind label %pad
    none:
      ret i64 -1
    pad:
      %landing = landingpad { ptr, i32 } catch ptr null
      %thrown = extractvalue { ptr, i32 } %landing, 0
      %number = ptrtoint ptr %thrown to i64
      %sum = add i64 %number, 1000
      ret i64 %sum
    }

    ; Calls a Rust function that enters code which catches nothing.
    declare void @careless(i64, i64)
    define i64 @trusting(i64 %depth, i64 %exception, i64 %a, i64 %b) uwtable personality ptr @vm_personality {
      invoke void @careless(i64 %depth, i64 %exception) to label %none unwind label %pad
    none:
      ret i64 -1
    pad:
      %landing = landingpad { ptr, i32 } catch ptr null
      ret i64 -2
    }";

type Code = extern "C" fn(u64, u64) -> u64;

thread_local! {
    /// `catch_all` and `pass`.
    static ENTERED: Cell<Option<[Code; 2]>> = const { Cell::new(None) };
    static DROPPED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// What only Rust's own return can give back.
struct Held(u64);

impl Drop for Held {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

extern "C" fn between(depth: u64, exception: u64) -> u64 {
    let held = Held(exception);
    let [catch_all, _] = ENTERED.get().expect("set before it is called");
    let thrown = catch_all(depth, exception);
    assert!([0, held.0].contains(&thrown));
    thrown
}

extern "C" fn careless(depth: u64, exception: u64) {
    let _held = Held(exception);
    let [_, pass] = ENTERED.get().expect("set before it is called");
    pass(depth, exception);
}

fn prepare(level: Level) -> (vmkit::Session, vmkit_llvm::Llvm) {
    let (session, llvm) = start(level);
    let natives = [("between", between as *const ()), ("careless", careless as *const ())];
    for (name, native) in natives {
        session.define_absolute(name, Addr(native as u64)).unwrap();
    }
    llvm.add("native.ll", CODE.into()).unwrap();
    let code = |name| {
        let address = session.address(session.symbol(name)).unwrap();
        // SAFETY: it takes two numbers; what `pass` leaves in the register of a result is not used.
        unsafe { std::mem::transmute::<u64, Code>(address.0) }
    };
    ENTERED.set(Some(["catch_all", "pass"].map(code)));
    (session, llvm)
}

#[test]
fn exceptions_come_to_the_caller_of_native_code_that_lets_them() {
    for level in [Level::O0, Level::O2] {
        let (session, _llvm) = prepare(level);
        for (depth, exception) in [(0, 5), (1, 6), (30, 7)] {
            assert_eq!(call(&session, "outer", depth, exception), 1000 + exception, "{level:?}");
        }
        assert_eq!(DROPPED.take(), [5, 6, 7], "{level:?}");
    }
}

#[test]
fn native_code_that_does_not_is_not_skipped() {
    let told = unhandled_in("trusting", 74, || prepare(Level::O1));
    assert_eq!(told, "74: Native");
}
