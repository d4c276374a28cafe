//! One session, two compilers: their functions call, redefine and unwind each other.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use vmkit::{Addr, Result, Session};
use vmkit_cranelift::Cranelift;
use vmkit_cranelift::cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, types};
use vmkit_cranelift::cranelift_frontend::FunctionBuilder;
use vmkit_llvm::Llvm;

/// A function of a number, as the tests call it.
type Unary = unsafe extern "C-unwind" fn(i64) -> i64;

struct Both {
    session: Session,
    llvm: Llvm,
    cranelift: Cranelift,
}

impl Both {
    fn new() -> Self {
        let session = Session::builder().build().unwrap();
        let options = vmkit_llvm::Options { level: vmkit_llvm::Level::O2, ..Default::default() };
        let llvm = Llvm::new(&session, options);
        let level = vmkit_cranelift::Level::Speed;
        let options = vmkit_cranelift::Options { level, ..Default::default() };
        let cranelift = Cranelift::new(&session, options).unwrap();
        Self { session, llvm, cranelift }
    }

    fn unary(&self) -> Signature {
        let mut signature = Signature::new(self.cranelift.isa().default_call_conv());
        signature.params.push(AbiParam::new(types::I64));
        signature.returns.push(AbiParam::new(types::I64));
        signature
    }

    /// Has Cranelift define `name`, or define it anew: `callee` of its argument, times `factor`.
    fn by_cranelift(&self, name: &str, callee: Option<&'static str>, factor: i64) {
        let signature = self.unary();
        let callee_signature = signature.clone();
        let build = move |builder: &mut FunctionBuilder<'_>,
                          building: &vmkit_cranelift::Building| {
            let block = builder.create_block();
            builder.append_block_params_for_function_params(block);
            builder.switch_to_block(block);
            let mut value = builder.block_params(block)[0];
            if let Some(callee) = callee {
                let callee = building.function(builder.func, callee, &callee_signature);
                let call = builder.ins().call(callee, &[value]);
                value = builder.inst_results(call)[0];
            }
            let factor = builder.ins().iconst(types::I64, factor);
            let value = builder.ins().imul(value, factor);
            builder.ins().return_(&[value]);
            Ok(())
        };
        self.cranelift.redefine_lazy(name, signature, build).unwrap();
    }

    /// Has LLVM define `name`, or define it anew, by text that defines it.
    fn by_llvm(&self, name: &str, text: &str) -> Result<()> {
        let text = text.to_owned();
        self.llvm.redefine_lazy(name, "i64 (i64)", move |building| building.add_text(&text))?;
        Ok(())
    }

    /// Has LLVM define `name`, whose parameter and result are pointers of an address space.
    fn by_llvm_of_pointers(&self, name: &str, space: u32, step: i64) {
        let ty = format!("ptr addrspace({space})");
        let text = format!(
            "define {ty} @{name}({ty} %p) {{ %q = getelementptr i8, {ty} %p, i64 {step} ret {ty} %q }}"
        );
        let signature = format!("{ty} ({ty})");
        let build = move |building: &vmkit_llvm::Building<'_>| building.add_text(&text);
        self.llvm.redefine_lazy(name, &signature, build).unwrap();
    }

    fn call(&self, name: &str, argument: i64) -> i64 {
        let function = self.session.function::<Unary>(name).unwrap();
        // SAFETY: the tests define their functions with this type.
        #[expect(unsafe_code, reason = "runs what was compiled")]
        unsafe {
            function.call(argument)
        }
    }
}

/// Text of a function that calls `callee`, if there is one, and multiplies by `factor`.
fn text(name: &str, callee: Option<&str>, factor: i64) -> String {
    let (declaration, value) = match callee {
        Some(callee) => {
            (format!("declare i64 @{callee}(i64)"), format!("call i64 @{callee}(i64 %x)"))
        }
        None => (String::new(), "add i64 %x, 0".into()),
    };
    format!(
        "{declaration}\ndefine i64 @{name}(i64 %x) uwtable {{
           %value = {value}
           %result = mul i64 %value, {factor}
           ret i64 %result
         }}"
    )
}

#[test]
fn they_call_each_other_and_take_the_same_addresses() {
    let both = Both::new();
    both.by_llvm("a", &text("a", Some("b"), 2)).unwrap();
    both.by_cranelift("b", Some("c"), 3);
    both.by_llvm("c", &text("c", Some("d"), 5)).unwrap();
    both.by_cranelift("d", None, 7);
    assert_eq!(both.call("a", 1), 210);
    assert_eq!(both.session.stats().functions_compiled, 4, "each was compiled by itself");
    let id = both.session.symbol("d");
    let address = both.session.address(id).unwrap();
    both.by_llvm("d", &text("d", None, 11)).unwrap();
    assert_eq!(both.call("a", 1), 330);
    assert_eq!(both.session.address(id).unwrap(), address, "for ever the same");
}

#[test]
fn a_better_compiler_takes_over_while_threads_run_what_the_quicker_one_made() {
    let both = Both::new();
    both.by_cranelift("worker", None, 1);
    both.by_cranelift("quick_caller", Some("worker"), 1);
    both.by_llvm("good_caller", &text("good_caller", Some("worker"), 1)).unwrap();
    let (stop, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    let seen = AtomicU64::new(1);
    thread::scope(|scope| {
        for caller in ["quick_caller", "good_caller", "quick_caller", "good_caller"] {
            let (both, stop, calls, seen) = (&both, &stop, &calls, &seen);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let least = seen.load(Ordering::SeqCst);
                    let factor = both.call(caller, 1) as u64;
                    assert!(factor >= least, "{caller} ran {factor} when {least} was in place");
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for factor in 2..200 {
            match factor % 2 {
                0 => both.by_llvm("worker", &text("worker", None, factor)).unwrap(),
                _ => both.by_cranelift("worker", None, factor),
            }
            seen.store(factor as u64, Ordering::SeqCst);
            // Sometimes nobody gets round to compile it.
            if factor % 3 == 0 {
                assert_eq!(both.call("worker", 1), factor);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(calls.load(Ordering::Relaxed) > 100);
    assert_eq!((both.call("quick_caller", 2), both.call("good_caller", 2)), (398, 398));
}

#[test]
fn nothing_is_inlined_across() {
    let both = Both::new();
    both.by_cranelift("leaf", None, 3);
    both.by_llvm("user", &text("user", Some("leaf"), 1)).unwrap();
    both.by_llvm("other_leaf", &text("other_leaf", None, 3)).unwrap();
    both.by_cranelift("other_user", Some("other_leaf"), 1);
    assert_eq!((both.call("user", 1), both.call("other_user", 1)), (3, 3));
    for user in ["user", "other_user"] {
        assert_eq!(both.session.why(both.session.symbol(user)).relies_on, []);
    }
    both.by_cranelift("leaf", None, 4);
    both.by_llvm("other_leaf", &text("other_leaf", None, 4)).unwrap();
    assert_eq!(both.session.stats().functions_invalidated, 0, "calls follow by themselves");
    assert_eq!((both.call("user", 1), both.call("other_user", 1)), (4, 4));
}

#[test]
fn each_inlines_its_own_and_a_takeover_reaches_what_was_inlined() {
    let both = Both::new();
    both.by_cranelift("leaf", None, 3);
    both.by_cranelift("quick", Some("leaf"), 1);
    assert_eq!(both.call("quick", 1), 3);
    let quick = both.session.symbol("quick");
    assert_eq!(both.session.why(quick).relies_on, [both.session.symbol("leaf")]);
    both.by_llvm("leaf", &text("leaf", None, 5)).unwrap();
    assert_eq!(both.session.why(quick).outdated_by, [both.session.symbol("leaf")]);
    assert_eq!(both.call("quick", 1), 5);
    assert_eq!(both.session.why(quick).relies_on, [], "the new body is the other compiler's");
}

#[test]
fn a_panic_crosses_frames_of_both() {
    extern "C-unwind" fn fail(number: i64) -> i64 {
        resume_unwind(Box::new(number + 1))
    }
    let both = Both::new();
    let address = Addr(fail as *const () as u64);
    // SAFETY: the function is this program's, and of the type that the others declare.
    #[expect(unsafe_code, reason = "vouches for the function")]
    unsafe {
        both.cranelift.define_native("fail", address).unwrap()
    };
    both.by_cranelift("below", Some("fail"), 1);
    both.by_llvm("middle", &text("middle", Some("below"), 1)).unwrap();
    both.by_cranelift("above", Some("middle"), 1);
    for _ in 0..2 {
        let caught = catch_unwind(AssertUnwindSafe(|| both.call("above", 41))).unwrap_err();
        assert_eq!(*caught.downcast::<i64>().unwrap(), 42);
    }
}

#[test]
fn another_type_is_refused_whoever_defined_the_function() {
    let both = Both::new();
    both.by_cranelift("f", None, 1);
    let error = both.llvm.redefine_lazy("f", "double (double)", |_| Ok(())).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("i64 (i64)") && error.contains("double (double)"), "{error}");
    both.by_llvm("g", &text("g", None, 1)).unwrap();
    let mut other = both.unary();
    other.params.push(AbiParam::new(types::I32));
    let build = |_: &mut FunctionBuilder<'_>, _: &vmkit_cranelift::Building| Ok(());
    let error = both.cranelift.redefine_lazy("g", other, build).unwrap_err().to_string();
    assert!(error.contains("i64 (i64)") && error.contains("i64 (i64, i32)"), "{error}");
}

#[test]
fn pointers_and_references_are_numbers_to_the_other_compiler() {
    let both = Both::new();
    let run = |argument| {
        let id = both.session.symbol("user");
        let function = both.session.function_of::<Unary>(id).unwrap();
        // SAFETY: it takes a number and gives one.
        #[expect(unsafe_code, reason = "runs what was compiled")]
        unsafe {
            function.call(argument)
        }
    };
    both.by_cranelift("user", Some("step"), 1);
    for space in [0, 1] {
        both.by_llvm_of_pointers("step", space, 10);
        assert_eq!(run(5), 15);
        both.by_cranelift("step", None, 3);
        assert_eq!(run(5), 15);
        both.by_llvm_of_pointers("step", space, 20);
        assert_eq!(run(5), 25);
        both.by_cranelift("step", None, 4);
        assert_eq!(run(5), 20);
    }
}
