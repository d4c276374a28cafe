//! A host with a plugin that can be replaced while it runs.
//!
//! ```sh
//! cd examples/plugins
//! clang-22 -O1 -c -emit-llvm plugin.c -o /tmp/plugin.bc
//! cargo run --release -p vmkit-examples --example plugins -- /tmp/plugin.bc
//! ```
//!
//! Change `plugin.c`, and compile it again meanwhile: the next tick runs the new `step`, with the
//! plugin's variables as they were. A version that cannot be loaded, linked or run is refused, and
//! the one before it goes on.

mod file;
mod plugin;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, thread};

use crate::file::Watched;
use crate::plugin::Plugin;

const USAGE: &str = "usage: plugins FILE.bc [MILLISECONDS [TICKS]]";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let path: PathBuf = arguments.next().ok_or(USAGE)?.into();
    let pause = Duration::from_millis(arguments.next().map_or(Ok(500), |text| text.parse())?);
    let ticks = arguments.next().map_or(Ok(i64::MAX), |text| text.parse())?;

    let mut file = Watched::new(path);
    let mut plugin = Plugin::load(file.read()?)?;
    for tick in 0..ticks {
        if let Some(bytes) = file.changed()? {
            match plugin.replace(bytes) {
                Ok(()) => println!("replaced"),
                Err(error) => println!("kept: {error}"),
            }
        }
        if let Err(error) = plugin.step(tick) {
            println!("taken back: {error}");
        }
        thread::sleep(pause);
    }
    Ok(())
}
