//! Many modules at once: while one thread adds the first ones, another loads the last ones.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::thread::{Builder, ScopedJoinHandle};
use std::time::Instant;

use parking_lot::Mutex;
use vmkit::{Result, ScopeId};

use crate::llvm::Llvm;
use crate::loaded::Loaded;

/// Less bitcode than this, in bytes, is loaded before another thread has begun, and a target machine
/// of its own is made.
const WORTHWHILE: usize = 1 << 20;
/// Bytes of the stack: more than the C library keeps for threads to come, which should not find it used.
const STACK: usize = 64 << 20;

impl Llvm {
    /// Adds modules, each as [`Llvm::add`] does, one after the other: those that come before one that
    /// cannot be added stay. Many or large ones are read by two threads where nothing is optimized.
    ///
    /// # Errors
    ///
    /// As for [`Llvm::add`], of the first module that cannot be added.
    pub fn add_all(&self, modules: Vec<(String, Vec<u8>)>) -> Result<Vec<Loaded>> {
        let start = Instant::now();
        let bytes: usize = modules.iter().map(|(_, input)| input.len()).sum();
        let is_worthwhile =
            bytes >= WORTHWHILE && self.pool.keeps_apart() && vmkit::processors() > 1;
        let load = |(name, input): (String, Vec<u8>)| self.load(ScopeId::GLOBAL, &name, input);
        let added = match is_worthwhile {
            true => self.add_ahead(modules),
            false => modules.into_iter().map(load).collect(),
        };
        self.clocks.load.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        added
    }

    fn add_ahead(&self, modules: Vec<(String, Vec<u8>)>) -> Result<Vec<Loaded>> {
        let give = |(name, input): (String, Vec<u8>)| {
            self.give(ScopeId::GLOBAL, &name, input).map(|number| (name, number))
        };
        let given: Vec<_> = modules.into_iter().map(give).collect();
        let numbers: Vec<Option<usize>> =
            given.iter().map(|given| given.as_ref().ok().map(|&(_, number)| number)).collect();
        let left = Left(Mutex::new(0..numbers.len()));
        let mut given = given.into_iter();
        let added = std::thread::scope(|scope| {
            let from_end = std::iter::from_fn(|| left.last()).filter_map(|place| numbers[place]);
            let thread = Builder::new().name("vmkit load".into()).stack_size(STACK);
            // If there can be none, all is left to this one.
            let mut other = thread.spawn_scoped(scope, || self.pool.load_all(from_end)).ok();
            let added = given.by_ref().map(|given| {
                if left.first().is_none() {
                    // The other thread has it, or is about to.
                    other.take().map(ScopedJoinHandle::join);
                }
                let (name, number) = given?;
                self.load_given(ScopeId::GLOBAL, &name, number)
            });
            let added = added.collect();
            left.clear();
            added
        });
        given.flatten().for_each(|(_, number)| self.pool.remove(number));
        added
    }
}

/// The places of modules that nobody has begun with.
struct Left(Mutex<Range<usize>>);

impl Left {
    fn first(&self) -> Option<usize> {
        self.0.lock().next()
    }

    fn last(&self) -> Option<usize> {
        self.0.lock().next_back()
    }

    fn clear(&self) {
        *self.0.lock() = 0..0;
    }
}

#[cfg(test)]
mod tests {
    #![expect(unsafe_code, reason = "runs what was compiled")]

    use vmkit::Session;

    use super::*;
    use crate::Options;

    const COUNT: u32 = 20;

    /// Modules of which each has a function that calls the next one's; what the last one returns is one
    /// for each.
    fn chain() -> Vec<(String, Vec<u8>)> {
        let module = |number| {
            let (own, next) = (number, number + 1);
            let text = match next == COUNT {
                true => format!("define i32 @f{own}() {{ ret i32 1 }}"),
                false => format!(
                    "declare i32 @f{next}()
                     define i32 @f{own}() {{ %x = call i32 @f{next}() %y = add i32 %x, 1 ret i32 %y }}"
                ),
            };
            (format!("m{number}"), text.into_bytes())
        };
        (0..COUNT).map(module).collect()
    }

    fn start() -> (Session, Llvm) {
        let session = Session::builder().build().unwrap();
        let llvm = Llvm::new(&session, Options::default());
        (session, llvm)
    }

    fn call(llvm: &Llvm, name: &str) -> i32 {
        // SAFETY: the functions are of this type.
        unsafe { llvm.function::<unsafe extern "C" fn() -> i32>(name).unwrap().call() }
    }

    #[test]
    fn what_two_threads_load_is_one_program() {
        let (_session, llvm) = start();
        let added = llvm.add_ahead(chain()).unwrap();
        let undefined: Vec<_> = added.iter().flat_map(|loaded| loaded.undefined.clone()).collect();
        let expected: Vec<_> = (1..COUNT).map(|number| format!("f{number}")).collect();
        let names: Vec<_> = undefined.iter().map(ToString::to_string).collect();
        assert_eq!(names, expected, "in the order in which they were given");
        assert_eq!(call(&llvm, "f0"), COUNT.cast_signed());
    }

    #[test]
    fn the_first_module_that_cannot_be_added_is_the_error_and_the_last_that_is_looked_at() {
        let mut modules = chain();
        modules[10].1 = b"define i32 @f3() { ret i32 0 }".to_vec();
        modules[15].1 = b"no module".to_vec();
        let (session, llvm) = start();
        let error = llvm.add_ahead(modules).unwrap_err().to_string();
        assert!(error.contains("f3") && error.contains("m10"), "{error}");
        assert!(session.find("f11").is_none_or(|id| !session.is_defined(id)));
        llvm.add("late", b"define i32 @f10() { ret i32 5 }".to_vec()).unwrap();
        assert_eq!(call(&llvm, "f0"), 15);
    }
}
