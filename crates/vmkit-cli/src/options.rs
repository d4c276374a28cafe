//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

/// Runs LLVM bitcode lazily: each function is compiled when it is first called.
#[derive(Parser, Debug)]
#[command(name = "vmkit", version)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Runs a program
    Run(Box<Run>),
    /// Lists what the modules together define and need
    Nm(Nm),
}

#[derive(Args, Debug)]
pub(crate) struct Nm {
    /// Bitcode (.bc), IR text (.ll), relocatable objects (.o), archives (.a); - is standard input
    #[arg(required = true, value_name = "MODULE")]
    pub(crate) modules: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Bitcode (.bc), IR text (.ll), relocatable objects (.o), archives (.a); - is standard input
    #[arg(required = true, value_name = "MODULE")]
    pub(crate) modules: Vec<PathBuf>,
    /// The program's arguments
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<std::ffi::OsString>,
    /// Optimization level, 0 to 3
    #[arg(short = 'O', value_name = "LEVEL", default_value = "0", value_parser = clap::value_parser!(u8).range(0..=3))]
    pub(crate) level: u8,
    /// Inline no functions (those of -O1 and more do)
    #[arg(long)]
    pub(crate) no_inlining: bool,
    /// Compile every function before the program starts
    #[arg(long)]
    pub(crate) eager: bool,
    /// Load the shared library libNAME
    #[arg(short = 'l', value_name = "NAME", action = ArgAction::Append)]
    pub(crate) libraries: Vec<String>,
    /// Load the shared library FILE
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    pub(crate) dlopen: Vec<String>,
    /// Take the member of an archive that defines NAME, whoever needs it
    #[arg(short = 'u', long = "undefined", value_name = "NAME", action = ArgAction::Append)]
    pub(crate) undefined: Vec<String>,
    /// The function to call
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub(crate) entry: String,
    /// What the program gets as `argv[0]`; the first module's path unless given
    #[arg(long, value_name = "NAME")]
    pub(crate) argv0: Option<String>,
    /// Print at exit what was done; as JSON if a file is given
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    pub(crate) stats: Option<String>,
    /// Write a trace of what was compiled when, to look at in Perfetto
    #[arg(long, value_name = "FILE.json")]
    pub(crate) trace: Option<String>,
    /// Say at exit what is known of a function or of data; repeatable
    #[arg(long, value_name = "NAME", action = ArgAction::Append)]
    pub(crate) explain: Vec<String>,
    /// Tell perf the functions' names, in /tmp/perf-PID.map
    #[arg(long)]
    pub(crate) perf: bool,
    /// Show functions, lines and variables to gdb
    #[arg(long)]
    pub(crate) gdb: bool,
    /// Pretend that branches and displacements reach only so far
    #[arg(long, value_name = "BYTES", hide = true)]
    pub(crate) reach: Option<u64>,
    /// Compile threads, one a processor unless given
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<u32>,
}
