//! Functions of a session, as Rust calls them.
#![expect(unsafe_code, reason = "calls linked code")]

use std::marker::PhantomData;

use crate::error::{Error, Result};
use crate::session::Session;
use crate::signature::FunctionPointer;
use crate::symbol::{Addr, Name, SymbolId};

/// A function of a session, with its type. It keeps the session, and so the code, alive.
///
/// It always calls what the function is now, through any redefinition.
pub struct Function<F> {
    session: Session,
    symbol: SymbolId,
    address: Addr,
    pointer: PhantomData<F>,
}

impl<F> Clone for Function<F> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), ..*self }
    }
}

impl Session {
    /// A handle of the function `name`, which need not be compiled, to be called from Rust.
    ///
    /// # Errors
    ///
    /// Nobody defines it, it is data, or it is known to be of another type than `F`.
    pub fn function<F: FunctionPointer>(&self, name: &str) -> Result<Function<F>> {
        let id = self.find(name);
        self.function_of(id.ok_or_else(|| Error::undefined(Name::from(name), None))?)
    }

    /// As [`Session::function`], of a symbol: one of a scope's, say ([`Session::symbol_in`]).
    ///
    /// # Errors
    ///
    /// As for [`Session::function`].
    pub fn function_of<F: FunctionPointer>(&self, id: SymbolId) -> Result<Function<F>> {
        if self.has(id) && !self.is_defined(id) {
            return Err(Error::undefined(self.name(id), None));
        }
        if self.has(id) && self.data(id).is_some() {
            return Err(Error::other(format!("{} is data, not a function", self.name(id))));
        }
        self.check_signature(id, &F::signature())?;
        let address = self.stub_address(id)?;
        Ok(Function { session: self.clone(), symbol: id, address, pointer: PhantomData })
    }
}

impl<F: FunctionPointer> Function<F> {
    /// The session's symbol.
    #[must_use]
    pub fn symbol(&self) -> SymbolId {
        self.symbol
    }

    /// The session that it belongs to.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The function's address, for ever the same.
    #[must_use]
    pub fn address(&self) -> Addr {
        self.address
    }

    /// The bare pointer.
    ///
    /// # Safety
    ///
    /// It is not called after the last handle of the session has gone; and as for calling: the code
    /// does what its compiler was given, which nobody has checked.
    #[must_use]
    pub unsafe fn pointer(&self) -> F {
        const { assert!(size_of::<F>() == size_of::<usize>()) };
        let address = std::ptr::with_exposed_provenance::<()>(self.address.0 as usize);
        // SAFETY: a `FunctionPointer` is a pointer, and the address is that of a function of its type,
        // as far as the session knows the function's type.
        unsafe { std::mem::transmute_copy(&address) }
    }
}

macro_rules! calls {
    ($($argument:ident: $type:ident),*) => {
        calls!(@ unsafe extern "C" fn($($type),*) -> R, $($argument: $type),*);
        calls!(@ extern "C" fn($($type),*) -> R, $($argument: $type),*);
        calls!(@ unsafe extern "C-unwind" fn($($type),*) -> R, $($argument: $type),*);
        calls!(@ extern "C-unwind" fn($($type),*) -> R, $($argument: $type),*);
    };
    (@ $pointer:ty, $($argument:ident: $type:ident),*) => {
        impl<R, $($type),*> Function<$pointer> where $pointer: FunctionPointer {
            /// Calls the function.
            ///
            /// # Safety
            ///
            /// The code does what its compiler was given, which nobody has checked; the arguments are
            /// such that it may. It unwinds only if the type is `extern "C-unwind"`. If code of the session is
            /// [reclaimed](Session::reclaim), this thread is a reader.
            #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
            pub unsafe fn call(&self, $($argument: $type),*) -> R {
                // SAFETY: the session is there, and the caller's promise.
                #[allow(unused_unsafe, reason = "a pointer to a safe function is safe to call")]
                unsafe { (self.pointer())($($argument),*) }
            }
        }
    };
}

calls!();
calls!(a: A);
calls!(a: A, b: B);
calls!(a: A, b: B, c: C);
calls!(a: A, b: B, c: C, d: D);
calls!(a: A, b: B, c: C, d: D, e: E);
calls!(a: A, b: B, c: C, d: D, e: E, f: F);
calls!(a: A, b: B, c: C, d: D, e: E, f: F, g: G);
calls!(a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H);
