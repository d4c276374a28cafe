//! Runs another program: with a time-out, its output, and what it used.

use std::io::{Read, sink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use wait4::{ResourceUsage, Wait4};

/// More output than this of one stream is thrown away.
const MOST_OUTPUT: u64 = 16 << 20;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Exit(i32),
    Signal(i32),
    TimedOut,
}

impl End {
    fn of(status: ExitStatus) -> Self {
        match status.code() {
            Some(code) => End::Exit(code),
            None => End::Signal(status.signal().unwrap_or_default()),
        }
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            End::Exit(code) => write!(f, "exit {code}"),
            End::TimedOut => write!(f, "timed out"),
            End::Signal(number) => match Signal::try_from(number) {
                Ok(signal) => write!(f, "{signal}"),
                Err(_) => write!(f, "signal {number}"),
            },
        }
    }
}

/// What a finished process left.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) end: End,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) wall: Duration,
    /// The largest resident size in bytes. Never less than this process's own at the start of the
    /// other: Linux carries that over.
    pub(crate) peak_rss: u64,
}

impl Outcome {
    pub(crate) fn is_success(&self) -> bool {
        self.end == End::Exit(0)
    }

    /// The end and the first line of standard error, in one line.
    pub(crate) fn cause(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        match text.lines().find(|line| !line.trim().is_empty()) {
            Some(line) => format!("{}: {}", self.end, line.trim()),
            None => self.end.to_string(),
        }
    }
}

/// Runs `command` to its end, without standard input; after `limit` it is killed with all that it
/// started.
///
/// # Errors
///
/// When it cannot be started.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<Outcome> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let start = Instant::now();
    let mut child =
        command.spawn().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    let group = Pid::from_raw(child.id().try_into().context("a process id out of range")?);
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let (status, usage, wall) = wait(child, start, limit, group)?;
    // What it left running would hold the pipes open for ever.
    let _ = killpg(group, Signal::SIGKILL);
    let join = |reader: thread::JoinHandle<Vec<u8>>| reader.join().unwrap_or_default();
    Ok(Outcome {
        end: if wall >= limit { End::TimedOut } else { End::of(status) },
        stdout: join(stdout),
        stderr: join(stderr),
        wall,
        peak_rss: usage.maxrss,
    })
}

/// Runs `command` and returns its output.
///
/// # Errors
///
/// When it does not exit with 0.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let outcome = run(command, Duration::from_secs(1800))?;
    if !outcome.is_success() {
        let stderr = String::from_utf8_lossy(&outcome.stderr);
        bail!("{command:?}: {}\n{}", outcome.end, stderr.trim_end());
    }
    Ok(outcome.stdout)
}

fn drain(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.by_ref().take(MOST_OUTPUT).read_to_end(&mut bytes);
            let _ = std::io::copy(&mut stream, &mut sink());
        }
        bytes
    })
}

fn wait(
    mut child: Child,
    start: Instant,
    limit: Duration,
    group: Pid,
) -> Result<(ExitStatus, ResourceUsage, Duration)> {
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let used = child.wait4();
        let _ = sender.send(start.elapsed());
        used
    });
    let wall = receiver.recv_timeout(limit).unwrap_or_else(|_| {
        let _ = killpg(group, Signal::SIGKILL);
        limit
    });
    let used = waiter.join().expect("waiting does not panic").context("cannot wait")?;
    Ok((used.status, used.rusage, wall))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, end: End, stdout: &str) {
        let mut command = Command::new("sh");
        let outcome = run(command.args(["-c", script]), Duration::from_millis(500)).unwrap();
        assert_eq!((outcome.end, outcome.stdout.as_slice()), (end, stdout.as_bytes()));
    }

    #[test]
    fn ends_are_told_apart() {
        check("echo a; exit 3", End::Exit(3), "a\n");
        check("kill -ABRT $$", End::Signal(6), "");
        check("echo a; sleep 60", End::TimedOut, "a\n");
    }

    #[test]
    fn what_is_left_running_does_not_hang() {
        check("sleep 60 & echo a", End::Exit(0), "a\n");
    }
}
