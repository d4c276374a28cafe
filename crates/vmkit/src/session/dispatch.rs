//! Virtual and interface calls.

use std::sync::Arc;

use super::Session;
use crate::dispatch::{DispatchTable, InlineCache};
use crate::error::Result;
use crate::symbol::{Addr, Name};

impl Session {
    /// A table with room for `len` functions or numbers: a class's methods, say.
    ///
    /// # Errors
    ///
    /// Memory is short.
    pub fn dispatch_table(&self, len: usize) -> Result<Arc<DispatchTable>> {
        self.dispatcher.table(len)
    }

    /// Code for the entry `index` of tables whose methods nobody knows yet: a call that comes there
    /// asks [`Builder::on_dispatch`](crate::Builder::on_dispatch), enters the answer in the
    /// receiver's table, and goes on there with all its arguments. One stub serves all tables, and is
    /// made once.
    ///
    /// # Errors
    ///
    /// Memory is short.
    pub fn virtual_stub(&self, index: u32) -> Result<Addr> {
        self.dispatcher.virtual_stub(index)
    }

    /// An inline cache for calls of an interface's method, defined as the function `name`: code calls
    /// that, with the receiver as its first argument. The class of a receiver is the word `offset`
    /// bytes into the object, and not 0. A class that it has not met is asked of
    /// [`Builder::on_dispatch`](crate::Builder::on_dispatch), with `method` as the method's number.
    ///
    /// # Errors
    ///
    /// The name is defined, or memory is short.
    pub fn inline_cache(&self, name: &str, method: u64, offset: i32) -> Result<Arc<InlineCache>> {
        self.dispatcher.inline_cache(Name::from(name), method, offset)
    }
}
