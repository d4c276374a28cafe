//! A module on its way into a session: what it defines becomes the session's.

use vmkit::{
    Descriptor, Linkage, Name, Result, ScopeId, Session, SymbolId, SymbolKind, Unit, Visibility,
};

use crate::ffi::{self, Index, Kind, RawStructor, Symbol};
use crate::loaded::{Loaded, Structor, StructorArray};
use crate::module::{symbol_kind, unit_of};

pub(crate) fn is_definition(linkage: ffi::Linkage) -> bool {
    use ffi::Linkage as L;
    matches!(linkage, L::Strong | L::Weak | L::Common | L::Private)
}

/// The session's symbol for the value `key` of a module, whose private names are in the scope
/// `scope` and others in `home`.
pub(crate) fn symbol_of(
    session: &Session,
    (scope, home): (ScopeId, ScopeId),
    key: u32,
    symbol: &Symbol<'_>,
) -> SymbolId {
    let name = Name::new(symbol.name);
    match symbol.linkage {
        ffi::Linkage::Private => session.private(scope, &name, u64::from(key)),
        _ => session.symbol_in(home, &name),
    }
}

/// What becomes of other modules' definitions of the same names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Others {
    /// The rules of linkage decide.
    Compete,
    /// Functions give way; data stays.
    KeepData,
    /// All give way.
    GiveWay,
}

/// A module on its way into a session.
pub(crate) struct Adding<'a> {
    pub(crate) session: &'a Session,
    pub(crate) scope: ScopeId,
    /// The scope of the names that it shares.
    pub(crate) home: ScopeId,
    pub(crate) index: &'a Index<'a>,
    /// What becomes of what is defined already.
    pub(crate) others: Others,
}

impl Adding<'_> {
    pub(crate) fn run(&self) -> Result<Loaded> {
        // A comdat group counts as a whole: all of it from the first module that has it.
        let groups: Vec<_> = self.index.comdats.iter().map(|name| self.claim(name)).collect();
        let is_dropped = |symbol: &Symbol<'_>| symbol.comdat.is_some_and(|comdat| !groups[comdat]);
        let mut loaded = Loaded::default();
        for (key, symbol) in self.index.symbols() {
            let is_undefined = symbol.linkage == ffi::Linkage::Undefined;
            if is_undefined || (is_dropped(&symbol) && is_definition(symbol.linkage)) {
                loaded.undefined.push(Name::new(symbol.name));
            } else if is_definition(symbol.linkage) {
                self.define(key, &symbol)?;
                loaded.arrays.extend(self.array(key, &symbol));
            }
            let is_function = symbol.kind == Kind::Function && is_definition(symbol.linkage);
            loaded.functions += u64::from(is_function);
        }
        // Aliases last: what they stand for is decided then.
        let is_other = |symbol: &Symbol<'_>| matches!(symbol.kind, Kind::Alias | Kind::Indirect);
        for (_, symbol) in self.index.symbols() {
            if is_other(&symbol) && is_definition(symbol.linkage) && !is_dropped(&symbol) {
                self.define_other(&symbol)?;
            }
        }
        for (name, version) in &self.index.versions {
            let descriptor = Descriptor {
                linkage: Linkage::Weak,
                ..Descriptor::strong(Name::new(name), SymbolKind::Function)
            };
            let target = self.session.symbol_in(self.home, &Name::new(version));
            self.session.define_alias(self.home, &descriptor, target, 0, None)?;
        }
        let structors = |list: &[RawStructor]| {
            let kept = list
                .iter()
                .filter(|s| self.index.symbol(s.function).is_some_and(|own| !is_dropped(&own)))
                .map(|s| Structor { priority: s.priority, function: self.own(s.function) });
            kept.collect()
        };
        loaded.constructors = structors(self.index.constructors);
        loaded.destructors = structors(self.index.destructors);
        Ok(loaded)
    }

    fn claim(&self, name: &[u8]) -> bool {
        self.session.claim_group(&Name::new(name), self.scope)
    }

    /// The session's symbol for the module's value `key`, as the module means it.
    fn own(&self, key: u32) -> SymbolId {
        let symbol = self.index.symbol(key).expect("a key of the module's index");
        symbol_of(self.session, (self.scope, self.home), key, &symbol)
    }

    fn descriptor(&self, symbol: &Symbol<'_>, kind: SymbolKind) -> Descriptor {
        Descriptor {
            name: Name::new(symbol.name),
            kind,
            linkage: match symbol.linkage {
                ffi::Linkage::Weak => Linkage::Weak,
                ffi::Linkage::Common => Linkage::Common,
                _ => Linkage::Strong,
            },
            visibility: match symbol.visibility {
                0 => Visibility::Default,
                1 => Visibility::Hidden,
                _ => Visibility::Protected,
            },
            signature: None,
            size: symbol.size,
            align: symbol.align,
        }
    }

    fn define(&self, key: u32, symbol: &Symbol<'_>) -> Result<()> {
        if matches!(symbol.kind, Kind::Alias | Kind::Indirect) {
            return Ok(());
        }
        let is_private = symbol.linkage == ffi::Linkage::Private;
        if !is_private {
            let unit = if symbol.is_whole { Unit::Whole } else { unit_of(symbol.kind) };
            let descriptor = self.descriptor(symbol, symbol_kind(symbol.kind));
            self.define_shared(&descriptor, u64::from(symbol.unit), unit)?;
        }
        let is_set = symbol.section.first().is_some_and(|&first| first != b'.');
        if is_set {
            self.session.add_to_set(&Name::new(symbol.section), self.own(key));
        }
        Ok(())
    }

    /// Defines a name that other modules see. Of one that takes the place of others, functions are
    /// redefined, and data stays what it is.
    fn define_shared(&self, descriptor: &Descriptor, key: u64, unit: Unit) -> Result<()> {
        let define = || self.session.define(descriptor, self.scope, key, unit).map(drop);
        if self.others == Others::Compete {
            return define();
        }
        let id = self.session.own_symbol_in(self.home, &descriptor.name);
        if !self.session.is_defined(id) {
            define()?;
        } else if descriptor.kind == SymbolKind::Function {
            self.session.redefine(id, self.scope, key)?;
        } else if self.others == Others::GiveWay && unit == Unit::Data {
            self.session.redefine_data(id, self.scope, key)?;
        }
        Ok(())
    }

    /// The value as a list of constructors or destructors, if its section makes it one.
    fn array(&self, key: u32, symbol: &Symbol<'_>) -> Option<StructorArray> {
        let section = std::str::from_utf8(symbol.section).ok()?;
        let kinds = [(".preinit_array", true), (".init_array", true), (".fini_array", false)];
        let &(name, is_before) = kinds.iter().find(|(name, _)| section.starts_with(name))?;
        let priority = match (name, section[name.len()..].strip_prefix('.')) {
            (".preinit_array", _) => 0,
            (_, Some(number)) => number.parse().ok()?,
            (_, None) => u16::MAX,
        };
        Some(StructorArray { priority, is_before, data: self.own(key), size: symbol.size })
    }

    fn define_other(&self, symbol: &Symbol<'_>) -> Result<()> {
        let is_private = symbol.linkage == ffi::Linkage::Private;
        let scope = if is_private { self.scope } else { self.home };
        let target = self.own(symbol.target);
        if symbol.kind == Kind::Indirect {
            let descriptor = self.descriptor(symbol, SymbolKind::Indirect);
            self.session.define_indirect(scope, &descriptor, target)?;
        } else {
            let kind = if symbol.is_code { SymbolKind::Function } else { SymbolKind::Data };
            let descriptor = self.descriptor(symbol, kind);
            // An alias stands for the body beside it.
            let aliasee = self.index.symbol(symbol.target);
            let is_weak = aliasee.is_some_and(|aliasee| aliasee.linkage == ffi::Linkage::Weak);
            let body = is_weak.then_some((self.scope, u64::from(symbol.target)));
            self.session.define_alias(scope, &descriptor, target, symbol.offset, body)?;
        }
        Ok(())
    }
}
