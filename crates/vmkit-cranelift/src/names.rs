//! What CLIF names: symbols of the session, by their numbers.

use cranelift_codegen::ir::{
    ExtFuncData, ExternalName, FuncRef, Function, GlobalValue, GlobalValueData, Signature,
    UserExternalName,
};
use vmkit::{Error, Linkage, Result, Session, SymbolId};

/// The namespace of names that stand for a session's symbols.
const NAMESPACE: u32 = u32::from_be_bytes(*b"vmki");
/// That of names that stand for null where nobody defines the symbol.
const WEAK: u32 = u32::from_be_bytes(*b"vmkw");

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Meaning {
    pub(crate) id: SymbolId,
    /// Weak: if nobody defines the symbol, it is null.
    pub(crate) linkage: Linkage,
}

/// The name that stands for a symbol of a session, in any CLIF function or data of that session.
#[must_use]
pub fn external_name(id: SymbolId) -> UserExternalName {
    UserExternalName::new(NAMESPACE, id.number())
}

/// The symbol that a name stands for.
pub(crate) fn meaning(session: &Session, name: &UserExternalName) -> Result<Meaning> {
    let linkage = match name.namespace {
        NAMESPACE => Some(Linkage::Strong),
        WEAK => Some(Linkage::Weak),
        _ => None,
    };
    let meaning = linkage
        .and_then(|linkage| Some(Meaning { id: session.symbol_numbered(name.index)?, linkage }));
    meaning.ok_or_else(|| Error::other(format!("{name} is no name of the session's")))
}

impl Meaning {
    /// A symbol that is needed.
    pub(crate) fn strong(id: SymbolId) -> Self {
        Self { id, linkage: Linkage::Strong }
    }

    /// The name that stands for it.
    pub(crate) fn external_name(self) -> UserExternalName {
        let namespace = if self.linkage == Linkage::Weak { WEAK } else { NAMESPACE };
        UserExternalName::new(namespace, self.id.number())
    }
}

/// What names begin with that are written out.
const WRITTEN: &str = "vmkit_symbol_";

/// Has a function write out the names of the data that it refers to, if it refers to any: Cranelift 0.135,
/// which numbers names anew where it inlines, does not do so with those of data. Gives the function that
/// does.
pub(crate) fn written_out(function: &Function) -> Option<Function> {
    let named = |data: &GlobalValueData| match *data {
        GlobalValueData::Symbol { name: ExternalName::User(name), .. } => Some(name),
        _ => None,
    };
    function.global_values.values().find_map(named)?;
    let mut function = function.clone();
    let names = function.params.user_named_funcs().clone();
    for data in function.global_values.values_mut() {
        let own = named(data).and_then(|name| names.get(name));
        if let (Some(own), GlobalValueData::Symbol { name, .. }) = (own, data) {
            let text = format!("{WRITTEN}{:08x}{:08x}", own.namespace, own.index);
            *name = ExternalName::testcase(text);
        }
    }
    Some(function)
}

/// The name that was written out so.
pub(crate) fn read(written: &[u8]) -> Option<UserExternalName> {
    let digits = std::str::from_utf8(written).ok()?.strip_prefix(WRITTEN)?;
    let number = u64::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 16)?;
    Some(UserExternalName::new((number >> 32) as u32, number as u32))
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
