//! Calls of which the receiver decides what they run: virtual tables and interface calls.
//!
//! Nothing here is a mechanism of its own: the entries of a table are words that the linker binds as
//! it binds call sites, and an inline cache is a function that is redefined for each class it meets.
#![expect(unsafe_code, reason = "called from stubs")]

mod inline_cache;
mod table;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};

pub use self::inline_cache::InlineCache;
pub use self::table::DispatchTable;
use crate::compile::Compiler;
use crate::error::{Error, Result};
use crate::host::{self, Gate, Registers};
use crate::memory::Zone;
use crate::stub;
use crate::symbol::{Addr, Name, ScopeId, SymbolId};
use crate::target::native::dispatch::{ASK_SIZE, ask};

/// A call whose target the session does not know.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// What is called: the index in the receiver's virtual table, or the number of the interface
    /// method.
    pub method: u64,
    /// Whether it is a call through a virtual table, rather than one of an interface.
    pub is_virtual: bool,
    /// The call's arguments that are integers or pointers, up to six; the receiver first.
    pub arguments: [u64; 6],
    /// Where the call returns to.
    pub caller: Addr,
}

/// What the virtual machine answers.
pub struct Chosen {
    /// The function to run.
    pub function: SymbolId,
    /// The receiver's virtual table, where the function is entered; not for interface calls.
    pub table: Option<Arc<DispatchTable>>,
}

/// Finds the target of a call; runs on the calling thread.
pub(crate) type DispatchHook = Box<dyn Fn(Asked) -> Result<Chosen> + Send + Sync>;

/// Where calls ask for their target.
#[derive(Clone)]
enum Point {
    /// Virtual calls of this index.
    Virtual(u32),
    Cache(Arc<InlineCache>),
}

/// The calls of a session whose targets are asked for.
pub(crate) struct Dispatcher {
    compiler: Arc<Compiler>,
    gate: Box<Gate>,
    /// Where the code of points jumps to.
    entry: OnceLock<Addr>,
    /// By the number that their code pushes.
    points: RwLock<Vec<Point>>,
    /// The code that asks for virtual methods, by their index.
    stubs: Mutex<HashMap<u32, Addr>>,
    hook: DispatchHook,
}

/// Called by the entry, on the stack of whoever made the call.
///
/// # Safety
///
/// `gate` is that of a live session's dispatcher, and `registers` are there.
unsafe extern "C" fn dispatch(
    gate: *const Gate,
    number: u64,
    caller: u64,
    registers: *const Registers,
) -> u64 {
    // SAFETY: the dispatcher outlives the code of its points, by the promise of whoever runs it.
    let dispatcher = unsafe { &*(*gate).owner.load(Ordering::Acquire).cast::<Dispatcher>() };
    // SAFETY: the caller's promise.
    let arguments = unsafe { (*registers).arguments() };
    host::keep_errno(|| dispatcher.called(number as u32, arguments, Addr(caller)).0)
}

impl Dispatcher {
    pub(crate) fn new(compiler: Arc<Compiler>, hook: DispatchHook) -> Arc<Self> {
        let dispatcher = Arc::new(Self {
            compiler,
            gate: Gate::new(dispatch),
            entry: OnceLock::new(),
            points: RwLock::default(),
            stubs: Mutex::default(),
            hook,
        });
        let owner = Arc::as_ptr(&dispatcher).cast_mut().cast();
        dispatcher.gate.owner.store(owner, Ordering::Release);
        dispatcher
    }

    /// Where the code of points jumps to; `points` are locked.
    fn entry(&self) -> Result<Addr> {
        if let Some(&entry) = self.entry.get() {
            return Ok(entry);
        }
        let gate = ptr::from_ref(&*self.gate) as u64;
        let memory = &self.compiler.linker.memory;
        let entry = stub::trampoline(memory, gate, host::first_call_entry())?;
        Ok(*self.entry.get_or_init(|| entry))
    }

    /// A virtual table with room for `len` entries.
    pub(crate) fn table(&self, len: usize) -> Result<Arc<DispatchTable>> {
        DispatchTable::new(self.compiler.clone(), len).map(Arc::new)
    }

    /// Code to be entered in tables at `index`, which asks for the target.
    pub(crate) fn virtual_stub(&self, index: u32) -> Result<Addr> {
        let mut stubs = self.stubs.lock();
        if let Some(&stub) = stubs.get(&index) {
            return Ok(stub);
        }
        let mut points = self.points.write();
        let number = u32::try_from(points.len()).map_err(Error::other)?;
        let memory = &self.compiler.linker.memory;
        let mut block = memory.allocate(Zone::Code, ASK_SIZE, 16)?;
        let bytes = ask(block.addr.0, number, self.entry()?.0)
            .ok_or_else(|| Error::other("code area out of its own reach"))?;
        memory.fill(&mut block, &bytes)?;
        points.push(Point::Virtual(index));
        stubs.insert(index, block.addr);
        Ok(block.addr)
    }

    /// An inline cache, defined as the function `name`.
    pub(crate) fn inline_cache(
        &self,
        name: Name,
        method: u64,
        offset: i32,
    ) -> Result<Arc<InlineCache>> {
        let mut points = self.points.write();
        let number = u32::try_from(points.len()).map_err(Error::other)?;
        let compiler = self.compiler.clone();
        let cache =
            Arc::new(InlineCache::new(compiler, name, method, offset, (number, self.entry()?))?);
        points.push(Point::Cache(cache.clone()));
        Ok(cache)
    }

    /// The address to run for a call that came to the point `number`.
    fn called(&self, number: u32, arguments: [u64; 6], caller: Addr) -> Addr {
        let point = self.points.read()[number as usize].clone();
        let ask = |method, is_virtual| {
            let ask = || (self.hook)(Asked { method, is_virtual, arguments, caller });
            // Linked code need not let panics pass.
            let panicked = |_| Err(Error::other("what says which method is called panicked"));
            catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(panicked)
        };
        let found = match &point {
            Point::Virtual(index) => {
                ask(u64::from(*index), true).and_then(|chosen| self.enter(*index, &chosen))
            }
            Point::Cache(cache) => cache
                .missed(arguments[0], |method| ask(method, false).map(|chosen| chosen.function)),
        };
        found.unwrap_or_else(|error| self.compiler.fail(self.symbol(&point), &error, caller))
    }

    /// Enters a function in the receiver's table.
    fn enter(&self, index: u32, chosen: &Chosen) -> Result<Addr> {
        if let Some(table) = &chosen.table {
            table.set(index as usize, chosen.function)?;
        }
        self.compiler.code(chosen.function)
    }

    /// The symbol that stands for a point in errors.
    fn symbol(&self, point: &Point) -> SymbolId {
        match point {
            Point::Virtual(index) => {
                let name = format!("virtual method {index}");
                self.compiler.linker.table.symbol(ScopeId::ASSUMPTIONS, &Name::new(name))
            }
            Point::Cache(cache) => cache.symbol(),
        }
    }
}
