//! What profilers and debuggers see of compiled functions.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, SourceLoc, TrapCode, types};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;
use cranelift_module::{Linkage, Module, default_libcall_names};
use vmkit::Session;
use vmkit::debug::{Gdb, PerfMap};
use vmkit_cranelift::{Building, Cranelift, JitBuilder, JitModule, Options, Position};

type Unary = unsafe extern "C" fn(i64) -> i64;

fn unary() -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.push(AbiParam::new(types::I64));
    signature.returns.push(AbiParam::new(types::I64));
    signature
}

/// Builds a function of lines 10, 20 and 30, of which the second one calls another function, if there
/// is one, and adds one.
fn lines(
    callee: Option<&'static str>,
) -> impl Fn(&mut FunctionBuilder<'_>, &Building) -> vmkit::Result<()> {
    move |builder, building| {
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        let number = builder.block_params(entry)[0];
        builder.set_srcloc(SourceLoc::new(10));
        builder.ins().trapz(number, TrapCode::unwrap_user(1));
        builder.set_srcloc(SourceLoc::new(20));
        let mut result = number;
        if let Some(callee) = callee {
            let callee = building.function(builder.func, callee, &unary());
            let call = builder.ins().call(callee, &[number]);
            result = builder.inst_results(call)[0];
        }
        let sum = builder.ins().iadd_imm_s(result, 1);
        builder.set_srcloc(SourceLoc::new(30));
        builder.ins().return_(&[sum]);
        Ok(())
    }
}

fn run(session: &Session, name: &str, number: i64) -> i64 {
    let function = session.function::<Unary>(name).unwrap();
    // SAFETY: the functions of these tests take a number and give one.
    #[expect(unsafe_code, reason = "calls compiled code")]
    unsafe {
        function.call(number)
    }
}

#[test]
fn functions_and_stubs_are_in_the_map_of_perf() {
    let session =
        Session::builder().listener(Arc::new(PerfMap::create().unwrap())).build().unwrap();
    let cranelift = Cranelift::new(&session, Options::default()).unwrap();
    cranelift.define_lazy("perf inner", unary(), lines(None)).unwrap();
    cranelift.define_lazy("perf_outer", unary(), lines(Some("perf inner"))).unwrap();
    cranelift.define_lazy("perf_never_called", unary(), lines(None)).unwrap();
    let mut builder = JitBuilder::new(default_libcall_names()).unwrap();
    builder.session(&session);
    let mut module = JitModule::new(builder);
    let import = module.declare_function("perf_outer", Linkage::Import, &unary()).unwrap();
    let id = module.declare_function("perf_module", Linkage::Export, &unary()).unwrap();
    let mut context = module.make_context();
    context.func.signature = unary();
    let mut reused = cranelift_frontend::FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut reused);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let number = builder.block_params(entry)[0];
    let callee = module.declare_func_in_func(import, builder.func);
    let call = builder.ins().call(callee, &[number]);
    let result = builder.inst_results(call)[0];
    builder.ins().return_(&[result]);
    builder.seal_all_blocks();
    builder.finalize(module.target_config());
    module.define_function(id, &mut context).unwrap();
    assert_eq!(run(&session, "perf_module", 5), 7);
    let file = format!("/tmp/perf-{}.map", std::process::id());
    let map = fs::read_to_string(&file).unwrap();
    fs::remove_file(file).unwrap();
    let number = |digits| u64::from_str_radix(digits, 16).unwrap();
    let mut ranges = Vec::new();
    let mut names = Vec::new();
    for line in map.lines() {
        let [start, size, name] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("{line}: not address, size, name");
        };
        ranges.push((number(start), number(start) + number(size)));
        names.push(name);
    }
    for name in ["perf inner", "perf_outer", "perf_module"] {
        assert_eq!(names.iter().filter(|found| **found == name).count(), 1, "{map}");
        let stub = format!("{name} [stub]");
        assert!(names.contains(&stub.as_str()), "{map}");
    }
    assert!(!names.contains(&"perf_never_called"), "{map}");
    ranges.sort_unstable();
    assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0), "they overlap: {map}");
    let outer = session.function::<Unary>("perf_outer").unwrap().symbol();
    let code = session.explain(outer).address.unwrap().0;
    assert!(ranges.iter().any(|&(start, _)| start == code), "{map}");
}

/// What the debugger runs.
#[test]
#[ignore = "another test runs it under gdb"]
fn a_program() {
    let session = Session::builder().listener(Arc::new(Gdb::new())).breakpoints(true).build();
    let session = session.unwrap();
    let cranelift = Cranelift::new(&session, Options::default()).unwrap();
    let position = |name: &str, location: SourceLoc| {
        (!location.is_default()).then(|| Position {
            file: format!("{name}.src"),
            line: location.bits(),
            column: 3,
        })
    };
    cranelift.set_lines(position).unwrap();
    cranelift.define_lazy("gdb_inner", unary(), lines(None)).unwrap();
    cranelift.define_lazy("gdb_outer", unary(), lines(Some("gdb_inner"))).unwrap();
    assert_eq!(run(&session, "gdb_outer", 40), 42);
    cranelift.redefine_lazy("gdb_inner", unary(), lines(Some("gdb_last"))).unwrap();
    cranelift.define_lazy("gdb_last", unary(), lines(None)).unwrap();
    assert_eq!(run(&session, "gdb_outer", 40), 43);
    println!("the program ended well");
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "gdb does not know what an emulator runs")]
fn debuggers_stop_in_functions_that_are_not_there_yet() {
    if Command::new("gdb").arg("--version").output().is_err() {
        eprintln!("there is no gdb: nothing is tested");
        return;
    }
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "set width 0"]);
    gdb.args(["-ex", "set breakpoint pending on"]);
    let commands = [
        "break gdb_inner",
        "run",
        "backtrace",
        "break gdb_outer.src:30",
        "continue",
        "info symbol $pc",
        "break gdb_last",
        "continue ",
        "continue  ",
        "backtrace ",
        "delete",
        "continue   ",
    ];
    for command in commands {
        gdb.arg("-ex").arg(format!("echo == {command}\\n")).arg("-ex").arg(command);
    }
    gdb.arg("--args").arg(std::env::current_exe().unwrap());
    gdb.args(["--exact", "a_program", "--ignored", "--nocapture", "--test-threads=1"]);
    let output = gdb.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = |command: &str| {
        let start = format!("== {command}\n");
        let from = text.find(&start).unwrap_or_else(|| panic!("no {command} in {text}"));
        text[from + start.len()..].split("== ").next().unwrap()
    };
    let check = |command: &str, parts: &[&str]| {
        let mut rest = answer(command);
        for part in parts {
            let at = rest.find(part);
            let at = at.unwrap_or_else(|| panic!("{command} gives no {part} in order:\n{text}"));
            rest = &rest[at + part.len()..];
        }
    };
    check("break gdb_inner", &["(gdb_inner) pending"]);
    check("run", &["hit Breakpoint 1", "gdb_inner", "gdb_inner.src:"]);
    check("backtrace", &["#0", "gdb_inner", "#1", "gdb_outer", "gdb_outer.src:20", "a_program"]);
    check("break gdb_outer.src:30", &["Breakpoint 2 at 0x", "line 30"]);
    check("continue", &["hit Breakpoint 2", "gdb_outer", "gdb_outer.src:30"]);
    check("continue ", &["hit Breakpoint", "gdb_inner"]);
    check("continue  ", &["hit Breakpoint 3", "gdb_last"]);
    check("backtrace ", &["gdb_last", "gdb_inner.src:20", "gdb_outer.src:20"]);
    // Of its end gdb does not always tell, when the thread that ends it is not the first.
    check("continue   ", &["the program ended well", "1 passed"]);
}
