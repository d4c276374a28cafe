//! A virtual machine that has a session, and answers its questions.
#![forbid(unsafe_code)]

use std::sync::{Arc, OnceLock, Weak};

use super::{Builder, Session};
use crate::dispatch::{Asked, Chosen};
use crate::error::{Error, Result};
use crate::resolver::{Resolution, Undefined};

/// What has a session and answers its questions: see [`Builder::build_for`].
pub trait Machine: Send + Sync + 'static {
    /// What is to be taken for an undefined symbol, as [`Builder::resolver`] has it; what the process has
    /// of this name, unless the machine says otherwise.
    ///
    /// # Errors
    ///
    /// As the machine likes: the call, or the code that needs the data, fails.
    fn resolve(self: &Arc<Self>, _: &Undefined<'_>) -> Result<Resolution> {
        Ok(Resolution::Process)
    }

    /// What a virtual or interface call means, as [`Builder::on_dispatch`] has it.
    ///
    /// # Errors
    ///
    /// As the machine likes: the call fails.
    fn dispatch(self: &Arc<Self>, _: Asked) -> Result<Chosen> {
        Err(Error::other("nobody says what the call means"))
    }
}

impl Builder {
    /// Makes the session and the machine that has it: the session's questions are asked of the machine,
    /// and neither keeps the other from going with its last handle. Nothing can be asked before `make`
    /// has returned.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use vmkit::{Addr, Machine, Resolution, Result, Session, Undefined};
    ///
    /// extern "C" fn answer() -> u64 {
    ///     42
    /// }
    ///
    /// struct Vm {
    ///     session: Session,
    /// }
    ///
    /// impl Machine for Vm {
    ///     fn resolve(self: &Arc<Self>, undefined: &Undefined<'_>) -> Result<Resolution> {
    ///         Ok(match &*undefined.name.to_string() {
    ///             "answer" => Resolution::Address(Addr(answer as *const () as u64)),
    ///             _ => Resolution::Process,
    ///         })
    ///     }
    /// }
    ///
    /// let vm = Session::builder().build_for(|session| Ok(Vm { session }))?;
    /// vm.session.compile(vm.session.symbol("answer"))?;
    /// assert!(vm.session.compile(vm.session.symbol("question")).is_err());
    /// # Ok::<(), vmkit::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Builder::build`], and what `make` fails with.
    pub fn build_for<M: Machine>(self, make: impl FnOnce(Session) -> Result<M>) -> Result<Arc<M>> {
        let machine = Arc::new(OnceLock::<Weak<M>>::new());
        let (resolving, dispatching) = (machine.clone(), machine.clone());
        let session = self
            .resolver(move |undefined| there(&resolving)?.resolve(undefined))
            .on_dispatch(move |asked| there(&dispatching)?.dispatch(asked))
            .build()?;
        let made = Arc::new(make(session)?);
        machine.get_or_init(|| Arc::downgrade(&made));
        Ok(made)
    }
}

fn there<M>(machine: &OnceLock<Weak<M>>) -> Result<Arc<M>> {
    let machine = machine.get().and_then(Weak::upgrade);
    machine.ok_or_else(|| Error::other("the session's machine is not made yet, or gone"))
}
