//! The header of a test program: directives in its leading comments.
//!
//! ```text
//! // about: what the program shows
//! // args: one 'two words'
//! // exit: 3
//! // > a line of standard output
//! ```
//!
//! All of them are explained in `tests/run/README.md`.

use anyhow::{Context, Result, bail, ensure};

use super::process::End;

/// What a program's header says about how to build it, run it and judge it.
#[derive(Debug)]
pub(crate) struct Header {
    /// Sets of compiler flags; the program is built and run with each.
    pub(crate) cflags: Vec<Vec<String>>,
    /// Further compiler flags of single sources.
    pub(crate) also: Vec<(String, Vec<String>)>,
    /// Flags for the native link only.
    pub(crate) ldflags: Vec<String>,
    /// The order of the sources on the command line, when it isn't the usual one.
    pub(crate) modules: Vec<String>,
    /// Sources that become ELF objects rather than bitcode.
    pub(crate) objects: Vec<String>,
    /// Sources that become shared libraries.
    pub(crate) shared: Vec<String>,
    /// The archiver's key letters, if everything but `main` goes into one archive.
    pub(crate) archive: Option<String>,
    /// Whether the main module is piped to `vmkit run -`.
    pub(crate) pipe: bool,
    /// Further options of `vmkit run`.
    pub(crate) run: Vec<String>,
    /// The program's arguments.
    pub(crate) args: Vec<String>,
    /// The program's additions to the environment.
    pub(crate) env: Vec<(String, String)>,
    /// The program's standard input.
    pub(crate) stdin: Option<String>,
    /// How the program is expected to end.
    pub(crate) end: End,
    /// Its whole standard output.
    pub(crate) stdout: String,
    /// Substrings of its standard error.
    pub(crate) stderr: Vec<String>,
    /// Bounds on the numbers of `--stats`.
    pub(crate) stats: Vec<StatBound>,
    /// How long it may take, in seconds.
    pub(crate) limit: u64,
    /// Whether an ahead-of-time build is expected to do the same.
    pub(crate) native: bool,
    /// Names of the variants that are left out.
    pub(crate) skip: Vec<String>,
    /// Files of the compiler's without which the program is left out.
    pub(crate) needs: Vec<String>,
}

impl Default for Header {
    fn default() -> Self {
        Header {
            cflags: Vec::new(),
            also: Vec::new(),
            ldflags: Vec::new(),
            modules: Vec::new(),
            objects: Vec::new(),
            shared: Vec::new(),
            archive: None,
            pipe: false,
            run: Vec::new(),
            args: Vec::new(),
            env: Vec::new(),
            stdin: None,
            end: End::Exit(0),
            stdout: String::new(),
            stderr: Vec::new(),
            stats: Vec::new(),
            limit: 60,
            native: true,
            skip: Vec::new(),
            needs: Vec::new(),
        }
    }
}

/// `// stat: functions_compiled <= 12`
#[derive(Clone, Debug)]
pub(crate) struct StatBound {
    /// A key of the statistics.
    pub(crate) key: String,
    /// `<=`, `>=` or `==`.
    pub(crate) operator: String,
    /// The bound.
    pub(crate) bound: f64,
    /// The variant that it is for, unless it is for all.
    pub(crate) variant: Option<String>,
}

impl StatBound {
    /// Whether `value` keeps within the bound.
    pub(crate) fn holds(&self, value: f64) -> bool {
        match self.operator.as_str() {
            "<=" => value <= self.bound,
            ">=" => value >= self.bound,
            _ => value == self.bound,
        }
    }
}

impl Header {
    /// Reads the header at the start of `text`.
    pub(crate) fn parse(text: &str) -> Result<Header> {
        let mut header = Header::default();
        let mut has_about = false;
        let mut newline = true;
        let lines =
            text.lines().map_while(|line| line.strip_prefix("//").or(line.strip_prefix(';')));
        for line in lines {
            let line = line.strip_prefix(' ').unwrap_or(line);
            if let Some(output) = line.strip_prefix('>') {
                header.stdout.push_str(output.strip_prefix(' ').unwrap_or(output));
                header.stdout.push('\n');
            } else if !line.trim().is_empty() {
                let (key, value) =
                    line.split_once(':').with_context(|| format!("no directive: {line}"))?;
                has_about |= key == "about";
                newline &= key != "newline";
                header
                    .set(key, value.trim())
                    .with_context(|| format!("in the header line: {line}"))?;
            }
        }
        ensure!(has_about, "the header has no `about:` line");
        if !newline {
            header.stdout.pop();
        }
        Ok(header)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "about" => ensure!(!value.is_empty(), "says nothing"),
            "cflags" => self.cflags.push(words(value)?),
            "also" => {
                let (source, flags) = value.split_once(' ').context("not SOURCE FLAGS")?;
                self.also.push((source.to_owned(), words(flags)?));
            }
            "ldflags" => self.ldflags = words(value)?,
            "modules" => self.modules = words(value)?,
            "objects" => self.objects = words(value)?,
            "shared" => self.shared = words(value)?,
            "archive" if value == "yes" => self.archive = Some("rcs".into()),
            "archive" => self.archive = Some(value.into()),
            "pipe" => self.pipe = yes_or_no(value)?,
            "run" => self.run = words(value)?,
            "args" => self.args = words(value)?,
            "env" => {
                let (name, value) = value.split_once('=').context("not NAME=VALUE")?;
                self.env.push((name.to_owned(), value.to_owned()));
            }
            "stdin" => {
                let stdin = self.stdin.get_or_insert_default();
                stdin.push_str(value);
                stdin.push('\n');
            }
            "exit" => self.end = End::Exit(value.parse()?),
            "signal" => self.end = End::Signal(signal_number(value)?),
            "stderr" => self.stderr.push(value.to_owned()),
            "stat" => self.stats.push(stat_bound(value)?),
            "limit" => self.limit = value.parse()?,
            "native" => self.native = yes_or_no(value)?,
            "needs" => self.needs = words(value)?,
            "newline" => ensure!(!yes_or_no(value)?, "a final newline is the rule"),
            "skip" => {
                let (name, reason) = value.split_once(' ').context("a skip needs its reason")?;
                ensure!(!reason.trim().is_empty(), "a skip needs its reason");
                self.skip.push(name.to_owned());
            }
            _ => bail!("unknown directive `{key}`"),
        }
        Ok(())
    }
}

fn words(value: &str) -> Result<Vec<String>> {
    shlex::split(value).context("unbalanced quotes")
}

fn yes_or_no(value: &str) -> Result<bool> {
    match value.split(|c: char| !c.is_alphanumeric()).next() {
        Some("yes") => Ok(true),
        Some("no") => Ok(false),
        _ => bail!("neither yes nor no"),
    }
}

fn stat_bound(value: &str) -> Result<StatBound> {
    let words: Vec<_> = value.split_whitespace().collect();
    let (key, operator, bound, variant) = match words[..] {
        [key, operator, bound] => (key, operator, bound, None),
        [key, operator, bound, "in", variant] => (key, operator, bound, Some(variant.to_owned())),
        _ => bail!("not of the form KEY OPERATOR NUMBER [in VARIANT]"),
    };
    ensure!(["<=", ">=", "=="].contains(&operator), "unknown operator {operator}");
    Ok(StatBound {
        key: key.to_owned(),
        operator: operator.to_owned(),
        bound: bound.parse()?,
        variant,
    })
}

/// Linux numbers on x86-64 and aarch64.
const SIGNALS: &[(&str, i32)] = &[
    ("SIGINT", 2),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGPIPE", 13),
    ("SIGTERM", 15),
];

fn signal_number(name: &str) -> Result<i32> {
    let row = SIGNALS.iter().find(|row| row.0 == name);
    Ok(row.with_context(|| format!("unknown signal {name}"))?.1)
}
