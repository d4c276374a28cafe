//! A module on its way into a session: what it defines becomes the session's.

use vmkit::{
    Change, Descriptor, Error, Linkage, Name, Outcome, Result, ScopeId, Session, SymbolId,
    SymbolKind, Unit, Visibility,
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
    /// Adds what the module defines, in the place of what has these names; what is `left_out` is
    /// removed. All of it or nothing.
    pub(crate) fn replace(&self, left_out: &[SymbolId]) -> Result<Loaded> {
        let groups = self.groups();
        let mut changes = Vec::new();
        for (_, symbol) in self.index.symbols() {
            let is_dropped = symbol.comdat.is_some_and(|comdat| !groups[comdat]);
            if !is_dropped && is_definition(symbol.linkage) {
                changes.extend(self.change(&symbol)?);
            }
        }
        // What data needs comes before it.
        changes.sort_by_key(|change| matches!(change, Change::Data(..)));
        changes.extend(left_out.iter().copied().map(Change::Remove));
        self.session.redefine_together(&changes)?;
        self.run()
    }

    /// What becomes of a name that other modules see.
    fn change(&self, symbol: &Symbol<'_>) -> Result<Option<Change>> {
        if symbol.linkage == ffi::Linkage::Private {
            return Ok(None);
        }
        let name = Name::new(symbol.name);
        let id = self.session.own_symbol_in(self.home, &name);
        let is_new = !self.session.is_defined(id);
        let is_other = matches!(symbol.kind, Kind::Alias | Kind::Indirect);
        if is_other && (is_new || symbol.linkage == ffi::Linkage::Weak) {
            return Ok(None);
        }
        if is_other {
            let what = format!("{name} cannot be replaced: it is an alias or an ifunc");
            return Err(Error::other(what));
        }
        let unit = if symbol.is_whole { Unit::Whole } else { unit_of(symbol.kind) };
        let (key, kind) = (u64::from(symbol.unit), symbol_kind(symbol.kind));
        Ok(match kind {
            _ if is_new => {
                Some(Change::Define(self.descriptor(symbol, kind), self.scope, key, unit))
            }
            SymbolKind::Function => Some(Change::Function(id, self.scope, key)),
            _ if self.others == Others::GiveWay && unit == Unit::Data => {
                Some(Change::Data(id, self.scope, key))
            }
            _ => None,
        })
    }

    /// A comdat group counts as a whole: all of it from the first module that has it.
    fn groups(&self) -> Vec<bool> {
        self.index.comdats.iter().map(|name| self.claim(name)).collect()
    }

    /// Adds what the module defines; where it takes the place of others, only what no other module
    /// has a name for.
    pub(crate) fn run(&self) -> Result<Loaded> {
        let groups = self.groups();
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
        let mut outcome = Outcome::Taken;
        if !is_private && self.others == Others::Compete {
            let unit = if symbol.is_whole { Unit::Whole } else { unit_of(symbol.kind) };
            let descriptor = self.descriptor(symbol, symbol_kind(symbol.kind));
            let unit_key = u64::from(symbol.unit);
            (_, outcome) = self.session.define(&descriptor, self.scope, unit_key, unit)?;
        }
        let is_in_set = symbol.section.first().is_some_and(|&first| first != b'.');
        // Another module's definition may be of another size.
        if is_in_set && outcome == Outcome::Taken {
            let set = Name::new(symbol.section);
            self.session.add_to_set(&set, self.own(key), symbol.size, symbol.align);
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
