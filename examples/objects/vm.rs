//! The virtual machine: what it gives to the kit, and what it asks of it.
//!
//! The names of functions in the session are
//!
//! ```text
//! C.m      the method m that class C defines; defined when C is loaded
//! I.m      an interface's method: an inline cache, for all calls of it
//! new C    makes an object of class C; whoever calls it first has the class loaded
//! fn f     a function
//! vm_…     the runtime, and natives
//! ```

use std::io::Write;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread;

use vmkit::code::CodeMap;
use vmkit::safepoint::Safepoints;
use vmkit::{Asked, Chosen, Error, Machine, Resolution, Result, Session, SymbolId, Undefined};

use super::code::{Backend, Make};
use super::emit::Body;
use super::heap::{Heap, Local};
use super::natives::{self, Current};
use super::program::{Class, Method, Program};
use super::syntax::{Expr, Function, Stmt};

/// The C stack of a thread of the language.
const STACK: usize = 64 << 20;

/// How a program is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The compiler, and whether it optimizes.
    pub(crate) backend: Make,
    pub(crate) optimizes: bool,
    /// Bytes for objects.
    pub(crate) heap: u64,
}

/// A running program.
pub(crate) struct Vm {
    pub(crate) program: Program,
    pub(crate) heap: Heap,
    pub(crate) map: Arc<CodeMap>,
    pub(crate) safepoints: Safepoints,
    pub(crate) session: Session,
    backend: Backend,
    pub(crate) output: Mutex<Output>,
    /// Those that were spawned, by number, while nobody waits for them.
    pub(crate) threads: Mutex<Vec<Option<Running>>>,
    /// The names of the classes that are loaded, in the order in which they were. Held while something
    /// is defined; compile threads never want it.
    loaded: Mutex<Vec<String>>,
}

/// Where a program prints.
type Output = Box<dyn Write + Send>;

/// A thread that can be waited for.
pub(crate) type Running = (Arc<Local>, thread::JoinHandle<Result<i64>>);

/// How a program ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Returned(i64),
    /// With an exception of this class that nobody caught.
    Uncaught(String),
}

impl Machine for Vm {
    /// Defines what is called for the first time.
    fn resolve(self: &Arc<Self>, undefined: &Undefined<'_>) -> Result<Resolution> {
        let name = undefined.name.to_string();
        if let Some(class) = name.strip_prefix("new ") {
            self.load(self.program.class(class).map_err(Error::other)?)?;
            return Ok(Resolution::Defined);
        }
        let _loading = self.loaded.lock().unwrap();
        if self.session.is_defined(undefined.symbol) {
            return Ok(Resolution::Defined);
        }
        let function = name.strip_prefix("fn ").and_then(|name| self.program.functions.get(name));
        let mut methods = self.program.interface_methods.iter();
        if let Some(function) = function {
            self.define(&name, None, function.clone())?;
        } else if let Some(number) = methods.position(|method| method.symbol() == name) {
            self.session.inline_cache(&name, number as u64, 0)?;
        } else {
            return Ok(Resolution::Process);
        }
        Ok(Resolution::Defined)
    }

    /// Says what a call means, by the class of its receiver.
    fn dispatch(self: &Arc<Self>, asked: Asked) -> Result<Chosen> {
        let class = self.program.class_of(asked.arguments[0]);
        let method = if asked.is_virtual {
            class.methods.iter().find(|method| method.index() == asked.method)
        } else {
            let method = &self.program.interface_methods[asked.method as usize];
            class.method(&method.function.name)
        };
        let method = method.ok_or_else(|| Error::other("a class without the method"))?;
        let table = class.table.get().filter(|_| asked.is_virtual).cloned();
        Ok(Chosen { function: self.session.symbol(&method.symbol()), table })
    }
}

impl Vm {
    /// A machine for a program, which is not run yet.
    ///
    /// # Errors
    ///
    /// The system lacks what the session or the backend needs.
    pub(crate) fn new(program: Program, setting: Setting, output: Output) -> Result<Arc<Self>> {
        let (map, safepoints) = (Arc::new(CodeMap::new()), Safepoints::new());
        let builder = Session::builder().listener(map.clone()).whole_process(false);
        builder.build_for(|session| {
            for (name, address) in safepoints.symbols().into_iter().chain(natives::symbols()) {
                session.define_absolute(name, address)?;
            }
            Ok(Self {
                program,
                heap: Heap::new(setting.heap),
                map,
                safepoints,
                backend: (setting.backend)(&session, setting.optimizes)?,
                session,
                output: Mutex::new(output),
                threads: Mutex::default(),
                loaded: Mutex::default(),
            })
        })
    }

    /// Runs the function `main`, and waits for all threads.
    ///
    /// # Errors
    ///
    /// There is no `main`, or no thread to run it on.
    pub(crate) fn run(self: &Arc<Self>) -> Result<Outcome> {
        let main = self.program.functions.get("main").filter(|main| main.parameters.is_empty());
        main.ok_or_else(|| Error::other("there is no function main() to run"))?;
        let (local, thread) = self.start("fn main", 0)?;
        let result = thread.join().map_err(|_| Error::other("the thread panicked"))??;
        // Not under the lock, which they may want.
        let other = || self.threads.lock().unwrap().iter_mut().find_map(Option::take);
        while let Some((_, thread)) = other() {
            let _ = thread.join();
        }
        Ok(match local.exception.load(Relaxed) {
            0 => Outcome::Returned(result),
            exception => Outcome::Uncaught(self.program.class_of(exception).name.clone()),
        })
    }

    /// Starts a thread that runs a method that takes nothing, or a function, by the session's name.
    ///
    /// # Errors
    ///
    /// There is no memory for another thread.
    pub(crate) fn start(self: &Arc<Self>, function: &str, receiver: u64) -> Result<Running> {
        let code = self.session.stub_address(self.session.symbol(function))?;
        let local = self.heap.add_thread(receiver);
        let (vm, own) = (self.clone(), local.clone());
        let builder = thread::Builder::new().stack_size(STACK);
        let thread = builder.spawn(move || Current::run(vm, &own, code)).map_err(Error::other)?;
        Ok((local, thread))
    }

    /// Loads a class, and those that it extends: from here on, there can be objects of it.
    fn load(self: &Arc<Self>, class: &Arc<Class>) -> Result<()> {
        class.parent.iter().try_for_each(|parent| self.load(parent))?;
        let mut loaded = self.loaded.lock().unwrap();
        if class.table.get().is_some() {
            return Ok(());
        }
        let table = self.session.dispatch_table(1 + class.methods.len())?;
        table.set_number(0, class.number as u64)?;
        for method in &class.methods {
            let stub = self.session.virtual_stub(method.index() as u32)?;
            table.set_number(method.index() as usize, stub.0)?;
            if method.owner == class.name {
                self.define(&method.symbol(), Some(class), method.function.clone())?;
            }
        }
        // Whoever compiles from here on sees the class. Those who did before are told.
        let _ = class.table.set(table);
        loaded.push(class.name.clone());
        for ancestor in class.line().skip(1) {
            for (own, inherited) in class.methods.iter().zip(&ancestor.methods) {
                if own.owner != inherited.owner {
                    self.session.invalidate(self.is_final(ancestor, inherited));
                }
            }
        }
        let body = vec![Stmt::Return(Expr::Allocate)];
        let new = Function { result: class.name.clone(), body, ..Function::default() };
        self.define(&format!("new {}", class.name), Some(class), Arc::new(new))?;
        self.session.invalidate(self.is_not_loaded(class));
        Ok(())
    }

    /// Defines a method or a function, which is built when it is first called.
    fn define(
        self: &Arc<Self>,
        symbol: &str,
        class: Option<&Arc<Class>>,
        function: Arc<Function>,
    ) -> Result<()> {
        let vm = Arc::downgrade(self);
        (self.backend)(Body { vm, symbol: symbol.into(), class: class.cloned(), function })
    }

    /// The assumption that a class is not loaded.
    pub(crate) fn is_not_loaded(&self, class: &Class) -> SymbolId {
        self.session.assumption(&format!("{} is not loaded", class.name))
    }

    /// The assumption that no loaded class overrides a method.
    fn is_final(&self, class: &Class, method: &Method) -> SymbolId {
        let (class, method) = (&class.name, &method.function.name);
        self.session.assumption(&format!("no class overrides {class}.{method}"))
    }

    /// The assumption under which a call of an object of `class` can only mean this method; none if a
    /// class that is loaded overrides it.
    pub(crate) fn only_method(&self, class: &Class, method: &Method) -> Option<SymbolId> {
        let mut loaded = self.program.classes.iter().filter(|other| other.table.get().is_some());
        let overrides = |other: &Arc<Class>| {
            other.is_a(&class.name) && other.methods[method.slot].owner != method.owner
        };
        (!loaded.any(overrides)).then(|| self.is_final(class, method))
    }

    /// The names of the classes that are loaded, in the order in which they were.
    pub(crate) fn loaded(&self) -> Vec<String> {
        self.loaded.lock().unwrap().clone()
    }
}
