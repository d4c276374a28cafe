//! Versions of a plugin, loaded into a host that runs.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::example;

/// The host, with a plugin in a file.
struct Host {
    folder: PathBuf,
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Host {
    fn start(name: &str, first: &str) -> Self {
        let program = example("plugins");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join(format!("plugins-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the test");
        install(&folder, &compile(&folder, first));
        let mut host = Command::new(program);
        host.arg(folder.join("plugin.bc")).arg("2").stdout(Stdio::piped());
        let mut process = host.spawn().expect("it was built");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        Self { folder, process, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("the host goes on").expect("text")
    }

    /// The number behind `what` in the next line.
    fn number(&mut self, what: &str) -> i64 {
        let line = self.line();
        let number =
            line.strip_prefix(what).unwrap_or_else(|| panic!("{what:?} is not in {line:?}"));
        number.parse().expect("a number")
    }

    fn replace(&self, source: &str) {
        install(&self.folder, &compile(&self.folder, source));
    }

    /// Reads lines that go on as before, up to one that starts with `what`; the last number, and the
    /// rest of that line.
    fn until(&mut self, what: &str, before: &str, mut last: i64, step: i64) -> (i64, String) {
        loop {
            let line = self.line();
            if let Some(rest) = line.strip_prefix(what) {
                return (last, rest.into());
            }
            last += step;
            assert_eq!(line, format!("{before}{last}"));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended, and the folder be gone: the test has failed then.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Bitcode of a plugin with the declarations that all have.
fn compile(folder: &Path, source: &str) -> Vec<u8> {
    let (c, bitcode) = (folder.join("plugin.c"), folder.join("new.bc"));
    let all = format!(
        "int snprintf(char *, unsigned long, const char *, ...);
         void host_say(const char *); long total; static long calls;
         static void say(const char *form, long number) {{
             char text[64]; snprintf(text, sizeof text, form, number); host_say(text); }}
         {source}"
    );
    fs::write(&c, all).expect("a file of ours");
    let mut clang = Command::new("clang-22");
    clang.args(["-O1", "-c", "-emit-llvm", "-o"]).arg(&bitcode).arg(&c);
    assert!(clang.status().expect("clang-22 must be installed").success());
    fs::read(bitcode).expect("what clang wrote")
}

/// Puts a version in place, at once.
fn install(folder: &Path, bytes: &[u8]) {
    let new = folder.join("installed.bc");
    fs::write(&new, bytes).expect("a file of ours");
    fs::rename(new, folder.join("plugin.bc")).expect("a file of ours");
}

const ONE: &str = "long step(long tick) { total += 1; say(\"one: %ld\", total); return 0; }";
const TEN: &str = "long step(long tick) {
    calls += 1; if (calls == 1) say(\"calls: %ld\", calls);
    total += 10; say(\"ten: %ld\", total); return 0; }";

#[test]
fn a_new_version_goes_on_with_the_state_of_the_old_one() {
    let mut host = Host::start("new", ONE);
    assert_eq!((host.number("one: "), host.number("one: ")), (1, 2));
    let mut last = 2;
    for _ in 0..3 {
        host.replace(TEN);
        last = host.until("replaced", "one: ", last, 1).0;
        assert_eq!(host.number("calls: "), 1, "what is static starts anew");
        host.replace(ONE);
        last = host.until("replaced", "ten: ", last, 10).0;
    }
    assert_eq!(host.number("one: "), last + 1);
}

#[test]
fn a_version_that_is_no_good_is_refused() {
    let mut host = Host::start("bad", ONE);
    let mut last = host.number("one: ");
    let mut refused = |bytes: &[u8], expected: &str| {
        install(&host.folder, bytes);
        let (number, message) = host.until("kept: ", "one: ", last, 1);
        assert!(message.contains(expected), "{message}");
        last = number;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = folder.join(format!("plugins-compiled-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for the test");
    let good = compile(&folder, TEN);
    refused(b"BC\xc0\xde and no more", "plugin");
    refused(&good[..good.len() / 2], "plugin");
    refused(b"", "step");
    refused(&compile(&folder, "long other(void) { return 1; }"), "step");
    let other_type = compile(&folder, "void step(char *text) { say(text, 1); }");
    refused(&other_type, "void (ptr)");
    let no_data = compile(&folder, "extern long nobodys; long step(long t) { return nobodys; }");
    refused(&no_data, "nobodys");
    fs::remove_dir_all(folder).expect("it is ours");
    assert_eq!(host.number("one: "), last + 1);
}

#[test]
fn a_version_that_calls_what_is_not_there_is_taken_back() {
    let mut host = Host::start("calls", ONE);
    let last = host.number("one: ");
    host.replace("long nobodys(long); long step(long t) { total += nobodys(t); return total; }");
    let last = host.until("replaced", "one: ", last, 1).0;
    let (_, message) = host.until("taken back: ", "one: ", last, 1);
    assert!(message.contains("nobodys"), "{message}");
    assert_eq!(host.number("one: "), last + 1);
}
