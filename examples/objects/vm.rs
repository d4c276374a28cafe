//! The virtual machine: what it gives to the kit, and what it asks of it.
//!
//! The names of functions in the session are
//!
//! ```text
//! C.m      the method m that class C defines; defined when C is loaded
//! new C    makes an object of class C; whoever calls it first has the class loaded
//! fn f     a function
//! I.m n    a call of an interface's method, an inline cache
//! vm_…     the runtime, and natives
//! ```
#![expect(unsafe_code, reason = "reads the headers of objects")]

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, RwLock, Weak};
use std::thread;

use vmkit::code::CodeMap;
use vmkit::safepoint::Safepoints;
use vmkit::{
    Addr, Asked, Chosen, DispatchTable, Error, Function, InlineCache, Resolution, Result, Session,
    SymbolId, Undefined,
};

use super::code::{Backend, Kind, Make};
use super::emit;
use super::heap::{Heap, Local};
use super::natives::{self, Current};
use super::program::{Class, Program};

/// A dispatch table: where its parts are, in bytes from its start.
pub(crate) mod table {
    /// Bytes of an object.
    pub(crate) const SIZE: u64 = 0;
    /// A bit for each field that is a reference.
    pub(crate) const REFERENCES: u64 = 8;
    /// The table of the class that this one extends, or 0.
    pub(crate) const PARENT: u64 = 16;
    /// The class's number.
    pub(crate) const CLASS: u64 = 24;
    pub(crate) const METHODS: u64 = 32;
}

/// The C stack of a thread of the language.
const STACK: usize = 64 << 20;

/// `vm_enter` of the runtime.
type Enter = unsafe extern "C" fn(*const u8, *const Local) -> i64;

/// How a program is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The compiler, and whether it optimizes.
    pub(crate) backend: Make,
    pub(crate) optimizes: bool,
    /// Bytes of half of the heap.
    pub(crate) heap: u64,
}

/// A running program.
pub(crate) struct Vm {
    pub(crate) program: Program,
    pub(crate) heap: Heap,
    pub(crate) map: Arc<CodeMap>,
    pub(crate) safepoints: Safepoints,
    pub(crate) session: Session,
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) output: Mutex<Box<dyn Write + Send>>,
    pub(crate) threads: Mutex<Vec<Option<Running>>>,
    enter: OnceLock<Function<Enter>>,
    loaded: RwLock<Loaded>,
    /// Held while a class is loaded. Compile threads never want it.
    loading: Mutex<()>,
    caches: Mutex<HashMap<String, Arc<InlineCache>>>,
    stubs: Mutex<Vec<Addr>>,
}

/// A thread that can be waited for.
pub(crate) struct Running {
    pub(crate) local: Arc<Local>,
    pub(crate) thread: thread::JoinHandle<i64>,
}

/// The classes that are loaded, in the order in which they were.
#[derive(Default)]
struct Loaded {
    classes: Vec<Arc<Class>>,
    tables: HashMap<String, Arc<DispatchTable>>,
    by_address: HashMap<u64, Arc<Class>>,
}

/// How a program ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Returned(i64),
    /// With an exception of this class that nobody caught.
    Uncaught(String),
}

impl Vm {
    /// A machine for a program, which is not run yet.
    ///
    /// # Errors
    ///
    /// The system lacks what the session or the backend needs.
    pub(crate) fn new(
        program: Program,
        setting: Setting,
        output: Box<dyn Write + Send>,
    ) -> Result<Arc<Self>> {
        let (map, safepoints) = (Arc::new(CodeMap::new()), Safepoints::new());
        // The session asks the machine, and the machine has the session.
        let this: Arc<OnceLock<Weak<Self>>> = Arc::default();
        let vm = |this: &OnceLock<Weak<Self>>| {
            let vm = this.get().and_then(Weak::upgrade);
            vm.ok_or_else(|| Error::other("the machine is gone"))
        };
        let (by_name, by_class) = (this.clone(), this.clone());
        let session = Session::builder()
            .listener(map.clone())
            .whole_process(false)
            .resolver(move |undefined| vm(&by_name)?.resolve(undefined))
            .on_dispatch(move |asked| vm(&by_class)?.dispatch(asked))
            .build()?;
        let names = safepoints.symbols().into_iter().chain(natives::symbols());
        for (name, address) in names {
            session.define_absolute(name, address)?;
        }
        let backend = (setting.backend)(&session, setting.optimizes)?;
        let vm = Arc::new(Self {
            program,
            heap: Heap::new(setting.heap),
            map,
            safepoints,
            session,
            backend,
            output: Mutex::new(output),
            threads: Mutex::default(),
            enter: OnceLock::new(),
            loaded: RwLock::default(),
            loading: Mutex::default(),
            caches: Mutex::default(),
            stubs: Mutex::default(),
        });
        this.set(Arc::downgrade(&vm)).expect("set here only");
        let _ = vm.enter.set(vm.session.function("vm_enter")?);
        Ok(vm)
    }

    /// Runs the function `main`, and waits for all threads.
    ///
    /// # Errors
    ///
    /// There is no `main`, or no thread to run it on.
    pub(crate) fn run(self: &Arc<Self>) -> Result<Outcome> {
        let main = self.program.functions.get("main");
        main.filter(|main| main.parameters.is_empty())
            .ok_or_else(|| Error::other("there is no function main() to run"))?;
        let main = self.session.stub_address(self.session.symbol("fn main"))?;
        let Running { local, thread } = self.start(main, 0).map_err(Error::other)?;
        let result = thread.join().map_err(|_| Error::other("the thread panicked"))?;
        let waiting: Vec<_> =
            self.threads.lock().unwrap().iter_mut().filter_map(Option::take).collect();
        for other in waiting {
            let _ = other.thread.join();
        }
        let outcome = match self.uncaught(&local) {
            Some(exception) => Outcome::Uncaught(self.class_of(exception).name.clone()),
            None => Outcome::Returned(result),
        };
        self.heap.remove_thread(&local);
        Ok(outcome)
    }

    /// Starts a thread that runs a method that takes nothing, or a function.
    pub(crate) fn start(self: &Arc<Self>, code: Addr, receiver: u64) -> std::io::Result<Running> {
        let local = self.heap.add_thread(receiver);
        let (vm, own) = (self.clone(), local.clone());
        let builder = thread::Builder::new().stack_size(STACK);
        let thread = builder.spawn(move || Current::run(vm, &own, code))?;
        Ok(Running { local, thread })
    }

    /// Enters compiled code, on a thread of the language.
    ///
    /// # Safety
    ///
    /// The thread is `local`'s, and managed; the code is that of a method of its receiver's, or of a
    /// function, that takes nothing and gives a number.
    pub(crate) unsafe fn enter(&self, code: Addr, local: &Arc<Local>) -> i64 {
        let enter = self.enter.get().expect("set when the machine is made");
        // SAFETY: the caller's promise.
        unsafe { enter.call(code.0 as *const u8, Arc::as_ptr(local)) }
    }

    /// The exception that ended a thread.
    pub(crate) fn uncaught(&self, local: &Local) -> Option<u64> {
        let is_uncaught = local.uncaught.load(std::sync::atomic::Ordering::Relaxed) != 0;
        is_uncaught.then(|| local.exception.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// Defines what is called for the first time.
    fn resolve(self: &Arc<Self>, undefined: &Undefined<'_>) -> Result<Resolution> {
        let name = undefined.name.to_string();
        if let Some(class) = name.strip_prefix("new ") {
            self.load(self.program.class(class).map_err(Error::other)?)?;
        } else if let Some(function) =
            name.strip_prefix("fn ").and_then(|name| self.program.functions.get(name))
        {
            let _loading = self.loading.lock().unwrap();
            if !self.session.is_defined(undefined.symbol) {
                emit::define(self, &name, None, function)?;
            }
        } else {
            return Ok(Resolution::Process);
        }
        Ok(Resolution::Defined)
    }

    /// Loads a class, and those that it extends: from here on, there can be objects of it.
    fn load(self: &Arc<Self>, class: &Arc<Class>) -> Result<()> {
        let parent = class.parent.as_ref();
        parent.map_or(Ok(()), |parent| self.load(parent))?;
        let _loading = self.loading.lock().unwrap();
        if self.table(&class.name).is_some() {
            return Ok(());
        }
        let table =
            self.session.dispatch_table(table::METHODS as usize / 8 + class.methods.len())?;
        let references = class.fields.iter().enumerate();
        let references =
            references.map(|(n, (_, ty))| u64::from(emit::kind(ty) == Kind::Reference) << n).sum();
        let parent = parent.and_then(|parent| self.table(&parent.name));
        for (at, number) in [
            (table::SIZE, class.size()),
            (table::REFERENCES, references),
            (table::PARENT, parent.map_or(0, |parent| parent.address().0)),
            (table::CLASS, class.number),
        ] {
            table.set_number(at as usize / 8, number)?;
        }
        for (slot, method) in class.methods.iter().enumerate() {
            let index = table::METHODS as usize / 8 + slot;
            table.set_number(index, self.stub(index)?.0)?;
            if method.owner == class.name {
                emit::define(self, &method.symbol(), Some(class), &method.function)?;
            }
        }
        let address = table.address();
        let mut loaded = self.loaded.write().unwrap();
        loaded.classes.push(class.clone());
        loaded.tables.insert(class.name.clone(), table);
        loaded.by_address.insert(address.0, class.clone());
        // Whoever compiles from here on sees the class. Those who did before are told; compile
        // threads may be waiting for the lock, and invalidating waits for nobody.
        drop(loaded);
        for ancestor in class.line().skip(1) {
            for (slot, method) in ancestor.methods.iter().enumerate() {
                if class.methods[slot].owner != method.owner {
                    self.session.invalidate(self.is_final(ancestor, slot));
                }
            }
        }
        emit::define_new(self, class, address)?;
        self.session.invalidate(self.is_not_loaded(class));
        Ok(())
    }

    /// The code that asks for a method of this index.
    fn stub(&self, index: usize) -> Result<Addr> {
        let mut stubs = self.stubs.lock().unwrap();
        while stubs.len() <= index {
            let stub = self.session.virtual_stub(stubs.len() as u32)?;
            stubs.push(stub);
        }
        Ok(stubs[index])
    }

    pub(crate) fn is_loaded(&self, class: &Class) -> bool {
        self.loaded.read().unwrap().tables.contains_key(&class.name)
    }

    /// The assumption that a class is not loaded.
    pub(crate) fn is_not_loaded(&self, class: &Class) -> SymbolId {
        self.session.assumption(&format!("{} is not loaded", class.name))
    }

    /// The assumption that no loaded class overrides a method.
    fn is_final(&self, class: &Class, slot: usize) -> SymbolId {
        let method = &class.methods[slot].function.name;
        self.session.assumption(&format!("no class overrides {}.{method}", class.name))
    }

    /// The only method that a call of an object of `class` can mean now, and the assumption that it
    /// stays so; none if a class that is loaded overrides it.
    pub(crate) fn only_method(&self, class: &Class, slot: usize) -> Option<(String, SymbolId)> {
        let method = &class.methods[slot];
        let loaded = self.loaded.read().unwrap();
        let mut below = loaded.classes.iter().filter(|other| other.is_a(&class.name));
        let is_only = below.all(|other| other.methods[slot].owner == method.owner);
        is_only.then(|| (method.symbol(), self.is_final(class, slot)))
    }

    /// The inline cache of a call of an interface's method: the same one however often the call is
    /// compiled.
    pub(crate) fn cache(&self, name: &str, method: u64) -> Result<()> {
        let mut caches = self.caches.lock().unwrap();
        if !caches.contains_key(name) {
            caches.insert(name.into(), self.session.inline_cache(name, method, 0)?);
        }
        Ok(())
    }

    /// Says what a call means, by the class of its receiver.
    fn dispatch(&self, asked: Asked) -> Result<Chosen> {
        let class = self.class_of(asked.arguments[0]);
        let method = if asked.is_virtual {
            Some(&class.methods[asked.method as usize - table::METHODS as usize / 8])
        } else {
            let name = &self.program.interface_methods[asked.method as usize];
            class.method(name).map(|(_, method)| method)
        };
        let method =
            method.ok_or_else(|| Error::other("a class without its interface's method"))?;
        let table = asked.is_virtual.then(|| self.table(&class.name)).flatten();
        Ok(Chosen { function: self.session.symbol(&method.symbol()), table })
    }

    fn table(&self, class: &str) -> Option<Arc<DispatchTable>> {
        self.loaded.read().unwrap().tables.get(class).cloned()
    }

    /// The class of an object, which must not move meanwhile.
    pub(crate) fn class_of(&self, object: u64) -> Arc<Class> {
        // SAFETY: the callers only have objects here.
        let table = unsafe { (object as *const u64).read() };
        self.loaded.read().unwrap().by_address[&table].clone()
    }

    /// The names of the classes that are loaded, in the order in which they were.
    pub(crate) fn loaded(&self) -> Vec<String> {
        self.loaded.read().unwrap().classes.iter().map(|class| class.name.clone()).collect()
    }
}
