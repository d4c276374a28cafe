//! What a program declares: classes with all that they inherit, and where everything is in memory.
//!
//! An object is a header, the address of its class's dispatch table, and a word for each field. The
//! table is the class's number and a word for each method: where to go on.
#![expect(unsafe_code, reason = "reads the headers of objects")]

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use vmkit::DispatchTable;

use super::syntax::{Checked, Declared, Function, Tree, Type};

/// What every program has, in the language itself. The operators `/` and `%` are calls of the functions
/// here, in which they are the processor's.
pub(crate) const PRELUDE: &str = "
    class NullError {}
    class ZeroError {}
    fn throwNull() { throw new NullError(); }
    fn quotient(a: int, b: int): int {
      if (b == 0) { throw new ZeroError(); }
      // The processor traps where the quotient is too large.
      if (b == -1) { return -a; }
      return a / b;
    }
    fn remainder(a: int, b: int): int {
      if (b == 0) { throw new ZeroError(); }
      if (b == -1) { return 0; }
      return a % b;
    }";

/// A class or an interface.
#[derive(Default)]
pub(crate) struct Class {
    pub(crate) name: String,
    /// What stands for it in dispatch tables and in tables of exceptions.
    pub(crate) number: usize,
    pub(crate) is_interface: bool,
    pub(crate) parent: Option<Arc<Class>>,
    interfaces: Vec<String>,
    /// Inherited ones first: a field has the same place in all subclasses.
    fields: Vec<(String, Type)>,
    /// Inherited ones first, as they are in the dispatch table.
    pub(crate) methods: Vec<Method>,
    /// Where in an object references are.
    pub(crate) references: Vec<u64>,
    /// The dispatch table, once the class is loaded.
    pub(crate) table: OnceLock<Arc<DispatchTable>>,
}

/// A method as a class has it.
#[derive(Clone)]
pub(crate) struct Method {
    /// The class that defines it.
    pub(crate) owner: String,
    pub(crate) function: Arc<Function>,
    /// Its place among the class's methods.
    pub(crate) slot: usize,
}

/// A whole program.
#[derive(Default)]
pub(crate) struct Program {
    /// By number.
    pub(crate) classes: Vec<Arc<Class>>,
    /// Those of all interfaces.
    pub(crate) interface_methods: Vec<Method>,
    pub(crate) functions: HashMap<String, Arc<Function>>,
}

impl Method {
    /// The name of the function that it is compiled to.
    pub(crate) fn symbol(&self) -> String {
        format!("{}.{}", self.owner, self.function.name)
    }

    /// Which word of the dispatch table it is.
    pub(crate) fn index(&self) -> u64 {
        1 + self.slot as u64
    }
}

impl Class {
    /// Bytes of an object.
    pub(crate) fn size(&self) -> u64 {
        8 + 8 * self.fields.len() as u64
    }

    pub(crate) fn method(&self, name: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.function.name == name)
    }

    /// Where in an object a field is, and its type.
    pub(crate) fn field(&self, name: &str) -> Option<(u64, &Type)> {
        let slot = self.fields.iter().position(|(field, _)| field == name)?;
        Some((8 + 8 * slot as u64, &self.fields[slot].1))
    }

    /// The class, the one that it extends, and so on.
    pub(crate) fn line(&self) -> impl Iterator<Item = &Class> {
        std::iter::successors(Some(self), |class| class.parent.as_deref())
    }

    pub(crate) fn is_a(&self, name: &str) -> bool {
        self.line().any(|class| class.name == name || class.interfaces.iter().any(|i| i == name))
    }

    /// Puts a method in the place of the one that it overrides, or in one of its own.
    fn add_method(&mut self, function: Arc<Function>) -> Checked<()> {
        let (name, owner, slot) = (&function.name, self.name.clone(), self.methods.len());
        let mut methods = self.methods.iter_mut();
        let Some(inherited) = methods.find(|method| method.function.name == *name) else {
            self.methods.push(Method { owner, function, slot });
            return Ok(());
        };
        // Whoever creates an object knows its class.
        if name != "init" && !is_like(&inherited.function, &function) {
            return Err(format!("{owner}.{name} is not as {}", inherited.symbol()));
        }
        (inherited.owner, inherited.function) = (owner, function);
        Ok(())
    }
}

impl Program {
    /// Adds what a source text declares, and gives every field and method its place.
    pub(crate) fn add(&mut self, (classes, functions): Tree) -> Checked<()> {
        classes.into_iter().try_for_each(|declared| self.add_class(declared))?;
        for function in functions {
            if let Some(twice) = self.functions.insert(function.name.clone(), function) {
                return Err(format!("{} is declared already", twice.name));
            }
        }
        Ok(())
    }

    fn add_class(&mut self, declared: Declared) -> Checked<()> {
        let Declared { name, is_interface, supers, fields, methods } = declared;
        if self.named(&name).is_ok() || ["int", "null"].contains(&&*name) {
            return Err(format!("{name} is declared already"));
        }
        let number = self.classes.len();
        let mut class = Class { name, number, is_interface, ..Class::default() };
        for other in supers {
            let other_class = self.named(&other)?;
            if other_class.is_interface {
                class.interfaces.push(other);
            } else if let Some(first) = class.parent.replace(other_class.clone()) {
                return Err(format!("{} extends both {} and {other}", class.name, first.name));
            }
        }
        if let Some(parent) = &class.parent {
            (class.fields, class.methods) = (parent.fields.clone(), parent.methods.clone());
        }
        class.fields.extend(fields);
        let references = (1..).zip(&class.fields).filter(|(_, (_, ty))| ty != "int");
        class.references = references.map(|(word, _)| 8 * word).collect();
        methods.into_iter().try_for_each(|function| class.add_method(function))?;
        for interface in &class.interfaces {
            for Method { function, .. } in &self.named(interface)?.methods {
                let own = class.method(&function.name);
                if !own.is_some_and(|own| is_like(&own.function, function)) {
                    let (class, method) = (&class.name, &function.name);
                    return Err(format!("{class} has no {method} as {interface} wants"));
                }
            }
        }
        let calls = class.methods.iter().filter(|_| is_interface);
        self.interface_methods.extend(calls.cloned());
        self.classes.push(Arc::new(class));
        Ok(())
    }

    /// A class or an interface.
    pub(crate) fn named(&self, name: &str) -> Checked<&Arc<Class>> {
        let class = self.classes.iter().find(|class| class.name == name);
        class.ok_or_else(|| format!("there is no class {name}"))
    }

    /// A class.
    pub(crate) fn class(&self, name: &str) -> Checked<&Arc<Class>> {
        let class = self.named(name)?;
        if class.is_interface { Err(format!("{name} is an interface")) } else { Ok(class) }
    }

    /// The class of an object, which must not move meanwhile.
    pub(crate) fn class_of(&self, object: u64) -> &Arc<Class> {
        // SAFETY: the callers only have objects here, which begin with their table's address.
        let number = unsafe { **(object as *const *const u64) };
        &self.classes[number as usize]
    }

    /// Checks that a value of type `from` can be where one of type `to` is wanted.
    pub(crate) fn check(&self, from: &str, to: &str) -> Checked<()> {
        let is_a = || from == "null" || self.named(from).is_ok_and(|class| class.is_a(to));
        let fits = from == to || to != "int" && is_a();
        if fits { Ok(()) } else { Err(format!("{to} wanted, not {from}")) }
    }
}

fn is_like(one: &Function, other: &Function) -> bool {
    let (own, others) = (one.parameters.iter(), other.parameters.iter());
    own.map(|(_, ty)| ty).eq(others.map(|(_, ty)| ty)) && one.result == other.result
}
