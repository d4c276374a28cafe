//! `--explain`: what it says of the functions and data of a program.

use std::path::Path;

use super::source::{compile, outcome, vmkit};
use super::{program, sources};

/// What is said of the symbols called `name`: for each, its lines under their labels.
type Accounts = Vec<Vec<(String, String)>>;

fn explain(folder: &Path, options: &[&str], name: &str, arguments: &[&str]) -> Accounts {
    let mut command = vmkit(folder, &["run", "--explain", name]);
    command.args(options).args(["first.bc", "second.bc", "--"]).args(arguments);
    accounts(&String::from_utf8(outcome(command).stderr).unwrap())
}

/// The heading is the value under an empty label; so are further lines of a label.
fn accounts(text: &str) -> Accounts {
    let mut accounts = Accounts::new();
    for line in text.lines().filter(|line| !line.starts_with("vmkit: ")) {
        match line.strip_prefix("  ") {
            None => accounts.push(vec![(String::new(), line.to_owned())]),
            Some(line) => {
                let (label, value) = line.split_at(12.min(line.len()));
                let fact = (label.trim().to_owned(), value.to_owned());
                accounts.last_mut().expect("a heading comes first").push(fact);
            }
        }
    }
    accounts
}

fn fact<'a>(account: &'a [(String, String)], label: &str) -> &'a str {
    let found = account.iter().find(|(own, _)| own == label);
    &found.unwrap_or_else(|| panic!("no {label} in {account:?}")).1
}

fn has(account: &[(String, String)], label: &str) -> bool {
    account.iter().any(|(own, _)| own == label)
}

/// Checks facts (label, and what its value starts with) of the one symbol called `name`.
fn check(options: &[&str], name: &str, facts: &[(&str, &str)]) {
    let folder = program("explain");
    let accounts = explain(&folder, options, name, &[]);
    let [account] = &accounts[..] else { panic!("{name}: {accounts:?}") };
    for (label, start) in facts {
        let value = fact(account, label);
        assert!(value.starts_with(start), "{name}, {label}: {value}");
    }
}

#[test]
fn a_function_that_was_called() {
    let folder = program("explain_called");
    let accounts = explain(&folder, &[], "second_add", &[]);
    let account = &accounts[0];
    assert_eq!(fact(account, ""), "second_add (function)");
    assert_eq!(fact(account, "defined"), "in second.bc");
    assert_eq!(fact(account, "state"), "ready");
    assert!(fact(account, "first call").contains(" ms, by main+0x"), "{account:?}");
    let compiled = fact(account, "compiled");
    assert!(compiled.contains("by compile thread "), "{compiled}");
    for phase in ["materialize ", "codegen ", "link "] {
        assert!(compiled.contains(phase), "{compiled}");
    }
    assert!(fact(account, "used").starts_with("2 call sites ("), "{account:?}");
    // The table was not needed.
    assert!(!fact(account, "used").contains("reference"), "{account:?}");
    let users: Vec<_> = account.iter().filter(|(label, _)| label.is_empty()).skip(1).collect();
    assert!(users.len() == 1 && users[0].1.starts_with("in main: 2 call sites"), "{users:?}");
}

#[test]
fn functions_that_vmkit_calls() {
    let folder = program("explain_roots");
    let check = |name, caller| {
        let accounts = explain(&folder, &[], name, &[]);
        assert!(fact(&accounts[0], "first call").ends_with(caller), "{accounts:?}");
    };
    check("main", ", by vmkit, as the entry");
    check("before_main", ", by vmkit, as a constructor");
}

#[test]
fn a_function_that_a_library_calls() {
    let accounts = explain(&program("explain_callback"), &[], "compare", &[]);
    let caller = fact(&accounts[0], "first call");
    assert!(caller.ends_with(" in libc.so.6") || caller.contains("by libc.so.6+0x"), "{caller}");
    assert_eq!(fact(&accounts[0], "used"), "1 other reference");
}

#[test]
fn a_function_that_was_not_called() {
    let folder = program("explain_uncalled");
    let accounts = explain(&folder, &[], "never_called", &[]);
    assert_eq!(fact(&accounts[0], "state"), "never called");
    assert_eq!(fact(&accounts[0], "used"), "nowhere in linked code or data");
    for label in ["address", "first call", "compiled"] {
        assert!(!has(&accounts[0], label), "{accounts:?}");
    }
    let eager = explain(&folder, &["--eager"], "never_called", &[]);
    assert_eq!(fact(&eager[0], "state"), "ready");
    assert!(has(&eager[0], "compiled") && !has(&eager[0], "first call"), "{eager:?}");
}

#[test]
fn two_private_functions_of_one_name() {
    let accounts = explain(&program("explain_twins"), &[], "twin", &[]);
    let mut headings: Vec<_> = accounts.iter().map(|account| fact(account, "")).collect();
    headings.sort_unstable();
    let of = |module: &str| format!("twin (function private to {module})");
    assert_eq!(headings, [of("first.bc"), of("second.bc")]);
    for account in &accounts {
        assert_eq!(fact(account, "state"), "ready");
    }
}

#[test]
fn a_weak_definition_and_the_one_that_won() {
    check(&[], "weakly_defined", &[("defined", "in second.bc"), ("state", "ready")]);
}

#[test]
fn data_and_an_alias_of_it() {
    check(
        &[],
        "counter",
        &[
            ("", "counter (data)"),
            ("defined", "in first.bc"),
            ("state", "ready"),
            ("address", "0x"),
        ],
    );
    check(&[], "other_name", &[("", "other_name (data)"), ("defined", "as counter")]);
    check(&[], "table", &[("state", "not needed by anything that ran")]);
}

#[test]
fn what_libraries_define() {
    let facts = [("defined", "in /"), ("state", "ready"), ("address", "0x")];
    check(&[], "printf", &facts);
    check(&[], "stdout", &facts);
}

#[test]
fn what_nobody_defines() {
    let folder = program("explain_undefined");
    let lazy = explain(&folder, &[], "nobody_defines_this", &[]);
    assert_eq!(
        fact(&lazy[0], "defined"),
        "in no module; needed by first.bc; no library was asked yet"
    );
    assert_eq!(fact(&lazy[0], "state"), "never called");
    let called = explain(&folder, &[], "nobody_defines_this", &["undefined"]);
    assert_eq!(fact(&called[0], "defined"), "by nobody; needed by first.bc");
    assert_eq!(fact(&called[0], "state"), "failed: undefined symbol: nobody_defines_this");
    assert!(fact(&called[0], "first call").contains("by act+0x"), "{called:?}");
    let unknown = explain(&folder, &[], "no_such_name", &[]);
    let text = "no_such_name: no module defines or uses a symbol of this name";
    assert_eq!(fact(&unknown[0], ""), text);
}

#[test]
fn functions_of_objects() {
    let folder = program("explain_objects");
    compile(&sources().join("second.c"), &["-O0", "-fPIC"], &folder, "second.bc");
    let shared = explain(&folder, &[], "second_add", &[]);
    assert_eq!(fact(&shared[0], "defined"), "in second.bc");
    assert_eq!(fact(&shared[0], "state"), "ready");
    assert!(!has(&shared[0], "compiled"), "{shared:?}");
    let twins = explain(&folder, &[], "twin", &[]);
    let private = twins.iter().find(|account| fact(account, "").ends_with("to second.bc)"));
    assert!(fact(private.unwrap(), "address").starts_with("0x"), "{twins:?}");
}

#[test]
fn a_forked_child_says_nothing() {
    let accounts = explain(&program("explain_forked"), &[], "only_in_child", &["fork"]);
    assert_eq!(accounts.len(), 1);
    assert_eq!(fact(&accounts[0], "state"), "never called");
}
