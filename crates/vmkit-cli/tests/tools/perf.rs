//! `--perf`: the map that `perf` reads, one of its own for each process.

use std::fs;
use std::path::{Path, PathBuf};

use super::program;
use super::source::{succeed, vmkit};

/// A line of a map: address, size, name.
type Line = (u64, u64, String);

/// The map of a process, taken away.
fn take(pid: &str) -> Vec<Line> {
    let file = PathBuf::from(format!("/tmp/perf-{pid}.map"));
    let text = fs::read_to_string(&file).unwrap();
    fs::remove_file(file).unwrap();
    text.lines().map(line).collect()
}

fn line(text: &str) -> Line {
    let [address, size, name] = text.splitn(3, ' ').collect::<Vec<_>>()[..] else {
        panic!("{text}: not address, size, name");
    };
    let number = |digits| u64::from_str_radix(digits, 16).unwrap();
    (number(address), number(size), name.to_owned())
}

/// What the program prints in `folder` with `arguments`, line by line.
fn run(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = vmkit(folder, &["run", "--perf", "first.bc", "second.bc", "--"]);
    command.args(arguments);
    succeed(command).lines().map(Into::into).collect()
}

fn names<'a>(map: &'a [Line], stub: bool) -> Vec<&'a str> {
    let mut names: Vec<&'a str> = map.iter().map(|(_, _, name)| name.as_str()).collect();
    names.retain(|name| name.ends_with(" [stub]") == stub);
    names.sort_unstable();
    names
}

#[test]
fn functions_and_stubs_are_in_the_map() {
    let output = run(&program("perf"), &[]);
    let map = take(&output[0]);
    let compiled =
        ["before_main", "compare", "main", "second_add", "twin", "twin", "weakly_defined"];
    assert_eq!(names(&map, false), compiled);
    assert!(names(&map, true).contains(&"printf [stub]"), "{map:?}");
    assert!(names(&map, true).contains(&"act [stub]"), "{map:?}");
    let mut ends: Vec<_> = map.iter().map(|&(start, size, _)| (start, start + size)).collect();
    ends.sort_unstable();
    assert!(ends.windows(2).all(|pair| pair[0].1 <= pair[1].0), "they overlap: {map:?}");
    assert!(ends.iter().all(|(start, end)| start < end), "{map:?}");
}

#[test]
fn a_forked_child_has_a_map_of_its_own() {
    let output = run(&program("perf_forked"), &["fork"]);
    let (parent, child) = (take(&output[0]), take(&output[2]));
    assert!(!names(&parent, false).contains(&"only_in_child"), "{parent:?}");
    // What was there before the fork, then its own.
    let mut expected = names(&parent, false);
    expected.push("only_in_child");
    expected.sort_unstable();
    assert_eq!(names(&child, false), expected);
}
