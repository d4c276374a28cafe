//! What CLIF names: symbols of the session, by their numbers.

use cranelift_codegen::ir::{
    ExtFuncData, ExternalName, FuncRef, Function, GlobalValue, GlobalValueData, Signature,
    UserExternalName,
};
use vmkit::{Error, Result, Session, SymbolId};

/// The namespace of names that stand for a session's symbols.
const NAMESPACE: u32 = u32::from_be_bytes(*b"vmki");

/// The name that stands for a symbol of a session, in any CLIF function or data of that session.
#[must_use]
pub fn external_name(id: SymbolId) -> UserExternalName {
    UserExternalName::new(NAMESPACE, id.number())
}

/// The symbol that a name stands for.
pub(crate) fn symbol(session: &Session, name: &UserExternalName) -> Result<SymbolId> {
    let id = (name.namespace == NAMESPACE).then(|| session.symbol_numbered(name.index)).flatten();
    id.ok_or_else(|| Error::other(format!("{name} is no name of the session's")))
}

/// Has a function refer to the function `id`.
pub(crate) fn import_function(user: &mut Function, id: SymbolId, signature: Signature) -> FuncRef {
    let signature = user.import_signature(signature);
    let name = user.declare_imported_user_function(external_name(id));
    let name = ExternalName::user(name);
    user.import_function(ExtFuncData { name, signature, colocated: true, patchable: false })
}

/// Has a function refer to the data `id`.
pub(crate) fn import_data(user: &mut Function, id: SymbolId, tls: bool) -> GlobalValue {
    let name = user.declare_imported_user_function(external_name(id));
    user.create_global_value(GlobalValueData::Symbol {
        name: ExternalName::user(name),
        offset: 0.into(),
        colocated: false,
        tls,
    })
}
