//! A plugin: a module that is replaced by other versions.
#![expect(unsafe_code, reason = "calls the plugin")]

use std::cell::Cell;
use std::ffi::{CStr, c_char};

use vmkit::{Addr, Error, Reader, Result, Session};
use vmkit_llvm::{Function, Level, Llvm, Options};

/// What a plugin has to have.
type Step = unsafe extern "C" fn(i64) -> i64;
/// The name of its module.
const MODULE: &str = "plugin";

/// A plugin that runs.
pub(crate) struct Plugin {
    session: Session,
    llvm: Llvm,
    reader: Reader,
    step: Function<Step>,
    /// The version that runs, and the one before it.
    current: Vec<u8>,
    previous: Option<Vec<u8>>,
}

thread_local! {
    /// What went wrong in the call of the plugin that runs.
    static FAILURE: Cell<Option<Error>> = const { Cell::new(None) };
}

impl Plugin {
    /// Loads a plugin given as bitcode.
    ///
    /// # Errors
    ///
    /// It is damaged, has no `step`, or needs variables that nobody has.
    pub(crate) fn load(bitcode: Vec<u8>) -> Result<Self> {
        let session = Session::builder()
            .on_failure(|_, error, _| {
                FAILURE.set(Some(error.clone()));
                Addr(missing as *const () as u64)
            })
            .build()?;
        let llvm = Llvm::new(&session, Options { level: Level::O2, ..Options::default() });
        // SAFETY: the function takes what plugin.c says, and is there as long as this program.
        unsafe { llvm.define_native("host_say", Addr(host_say as *const () as u64))? };
        llvm.add(MODULE, bitcode.clone())?;
        let step = checked(&llvm)?;
        let reader = session.reader();
        Ok(Self { session, llvm, reader, step, current: bitcode, previous: None })
    }

    /// Replaces the plugin by another version; its variables stay as they are.
    ///
    /// # Errors
    ///
    /// As for loading; the version that was there goes on.
    pub(crate) fn replace(&mut self, bitcode: Vec<u8>) -> Result<()> {
        self.llvm.replace(MODULE, bitcode.clone())?;
        if let Err(error) = checked(&self.llvm) {
            self.llvm.replace(MODULE, self.current.clone())?;
            return Err(error);
        }
        self.previous = Some(std::mem::replace(&mut self.current, bitcode));
        Ok(())
    }

    /// Calls the plugin. If it gets to a call of a function that nobody has, the version before it is
    /// taken back.
    ///
    /// # Errors
    ///
    /// The plugin got there; or there is no version to take back.
    pub(crate) fn step(&mut self, tick: i64) -> Result<i64> {
        let result = {
            let _reading = self.reader.enter();
            // SAFETY: the plugin is trusted to be what it says; its type was checked.
            unsafe { self.step.call(tick) }
        };
        // SAFETY: nobody but this function runs the plugin, as a reader; the host keeps no pointer that
        // a plugin gave it, and a plugin's variables point to none of its private data.
        unsafe {
            self.session.retire_replaced();
            self.session.reclaim();
        }
        let Some(error) = FAILURE.take() else { return Ok(result) };
        if let Some(previous) = self.previous.take() {
            self.llvm.replace(MODULE, previous.clone())?;
            self.current = previous;
        }
        Err(error)
    }
}

/// The plugin's function, compiled: so that what it lacks is found out before it is called.
fn checked(llvm: &Llvm) -> Result<Function<Step>> {
    let step = llvm.function::<Step>("step")?;
    step.session().compile(step.symbol())?;
    Ok(step)
}

/// Runs instead of functions that nobody has.
extern "C" fn missing() -> i64 {
    0
}

extern "C" fn host_say(text: *const c_char) {
    // SAFETY: plugins give text that ends with a zero, as plugin.c says.
    println!("{}", unsafe { CStr::from_ptr(text) }.to_string_lossy());
}
