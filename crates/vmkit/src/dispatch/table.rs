//! Tables of functions: where an object's class says what its methods are.
#![expect(unsafe_code, reason = "words that running code reads; frees them")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::allocation::AllocationId;
use crate::compile::Compiler;
use crate::error::{Error, Result};
use crate::memory::Zone;
use crate::symbol::{Addr, SymbolId};

/// A table of words in the session's memory, of which each can be where a function is: its code as
/// soon as it is compiled, its stub until then and while it is redefined.
///
/// The table stays when this is dropped, since objects point to it; see [`DispatchTable::free`].
pub struct DispatchTable {
    compiler: Arc<Compiler>,
    allocation: AllocationId,
    address: Addr,
    /// What is entered in each word.
    entered: Mutex<Vec<Option<SymbolId>>>,
}

impl DispatchTable {
    pub(super) fn new(compiler: Arc<Compiler>, len: usize) -> Result<Self> {
        let linker = &compiler.linker;
        let mut entered = Vec::new();
        let short = |_| Error::other(format!("no memory for a dispatch table of {len} words"));
        entered.try_reserve_exact(len).map_err(short)?;
        entered.resize(len, None);
        let block = linker.memory.allocate(Zone::Data, 8 * len.max(1) as u64, 16)?;
        let allocation = linker.allocations.begin_data(SymbolId(0));
        linker.allocations.update(allocation, |known| known.extents.push(block.extent()));
        Ok(Self { allocation, address: block.addr, entered: Mutex::new(entered), compiler })
    }

    pub(super) fn allocation(&self) -> AllocationId {
        self.allocation
    }

    /// Where its first word is.
    #[must_use]
    pub fn address(&self) -> Addr {
        self.address
    }

    /// How many words it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entered.lock().len()
    }

    /// Has it no words?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Has the word `index` lead to a function, through whatever becomes of the function.
    ///
    /// # Errors
    ///
    /// There is no such word, or memory is short.
    pub fn set(&self, index: usize, function: SymbolId) -> Result<()> {
        let mut entered = self.entered.lock();
        let word = self.word(&entered, index)?;
        let linker = &self.compiler.linker;
        self.leave(&mut entered, index);
        let target = linker.bind_word(word, self.allocation, function)?;
        entered[index] = Some(target);
        Ok(())
    }

    /// Writes a number into the word `index`: whatever the machine wants to have there, such as the
    /// address of a [virtual stub](crate::Session::virtual_stub).
    ///
    /// # Errors
    ///
    /// There is no such word.
    pub fn set_number(&self, index: usize, number: u64) -> Result<()> {
        let mut entered = self.entered.lock();
        let word = self.word(&entered, index)?;
        self.leave(&mut entered, index);
        self.at(word).store(number, Ordering::Release);
        Ok(())
    }

    /// What is in the word `index`.
    ///
    /// # Errors
    ///
    /// There is no such word.
    pub fn get(&self, index: usize) -> Result<u64> {
        let word = self.word(&self.entered.lock(), index)?;
        Ok(self.at(word).load(Ordering::Acquire))
    }

    /// From now on what was entered does not write here any more.
    fn leave(&self, entered: &mut [Option<SymbolId>], index: usize) {
        if let Some(old) = entered[index].take() {
            let place = self.address.offset(8 * index as i64);
            self.compiler.linker.unbind_word(place, old);
        }
    }

    fn word(&self, entered: &[Option<SymbolId>], index: usize) -> Result<Addr> {
        if index < entered.len() {
            return Ok(self.address.offset(8 * index as i64));
        }
        let len = entered.len();
        Err(Error::other(format!("word {index} of a dispatch table of {len} words")))
    }

    fn at(&self, word: Addr) -> &AtomicU64 {
        // SAFETY: a word of the table, whose index was checked; tables are aligned, live as long as
        // nobody frees them, and are only accessed atomically.
        unsafe { AtomicU64::from_ptr(word.0 as *mut u64) }
    }

    /// Gives the table's memory back when code is next reclaimed. From now on it has no words.
    ///
    /// # Safety
    ///
    /// No object points to it any more; threads that have read such an object are readers, or known
    /// to whoever reclaims.
    pub unsafe fn free(&self) {
        let mut entered = self.entered.lock();
        for index in 0..entered.len() {
            self.leave(&mut entered, index);
        }
        entered.clear();
        self.compiler.linker.retire(self.allocation);
    }
}
