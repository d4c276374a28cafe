//! What a program declares: classes with all that they inherit. Nothing here is loaded or compiled.

use std::collections::HashMap;
use std::sync::Arc;

use super::syntax::{Declared, Function, Tree, Type};

/// What every program has, in the language itself.
pub(crate) const PRELUDE: &str = "
    class NullError {}
    class ZeroError {}
    fn throwNull() { throw new NullError(); }
    fn throwZero() { throw new ZeroError(); }";

type Result<T> = std::result::Result<T, String>;

/// A class.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) name: String,
    /// What stands for it in compiled code before it is loaded; not 0.
    pub(crate) number: u64,
    pub(crate) parent: Option<Arc<Class>>,
    pub(crate) interfaces: Vec<String>,
    /// Inherited ones first: a field has the same place in all subclasses.
    pub(crate) fields: Vec<(String, Type)>,
    /// By their place in the dispatch table, inherited ones first.
    pub(crate) methods: Vec<Method>,
}

/// A method as a class has it.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    /// The class that defines it.
    pub(crate) owner: String,
    pub(crate) function: Arc<Function>,
}

/// A method of an interface.
#[derive(Debug)]
pub(crate) struct InterfaceMethod {
    pub(crate) number: u64,
    pub(crate) function: Arc<Function>,
}

/// A whole program.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) classes: HashMap<String, Arc<Class>>,
    pub(crate) functions: HashMap<String, Arc<Function>>,
    interfaces: HashMap<String, Vec<InterfaceMethod>>,
    /// Names of interfaces' methods, by number.
    pub(crate) interface_methods: Vec<String>,
}

impl Method {
    /// The name of the function that it is compiled to.
    pub(crate) fn symbol(&self) -> String {
        format!("{}.{}", self.owner, self.function.name)
    }
}

impl Class {
    /// Bytes of an object: a header, and a word for each field.
    pub(crate) fn size(&self) -> u64 {
        8 + 8 * self.fields.len() as u64
    }

    /// The place of a method in the dispatch table's part for methods.
    pub(crate) fn method(&self, name: &str) -> Option<(usize, &Method)> {
        self.methods.iter().enumerate().find(|(_, method)| method.function.name == name)
    }

    pub(crate) fn field(&self, name: &str) -> Option<(usize, &Type)> {
        let found = self.fields.iter().enumerate().find(|(_, field)| field.0 == name);
        found.map(|(place, (_, ty))| (place, ty))
    }

    /// The class, the one that it extends, and so on.
    pub(crate) fn line(&self) -> impl Iterator<Item = &Class> {
        std::iter::successors(Some(self), |class| class.parent.as_deref())
    }

    pub(crate) fn is_a(&self, name: &str) -> bool {
        self.line().any(|class| class.name == name || class.interfaces.iter().any(|i| i == name))
    }
}

impl Program {
    /// Checks what a tree declares, and gives every field and method its place.
    pub(crate) fn new(tree: Tree) -> Result<Self> {
        let mut program = Self::default();
        let mut waiting = HashMap::new();
        for declared in tree.types {
            if declared.is_interface {
                program.add_interface(declared);
            } else if let Some(twice) = waiting.insert(declared.name.clone(), declared) {
                return Err(format!("class {} is declared twice", twice.name));
            }
        }
        while let Some(name) = waiting.keys().next().cloned() {
            program.add_class(&name, &mut waiting)?;
        }
        let functions = tree.functions.into_iter();
        program.functions = functions.map(|function| (function.name.clone(), function)).collect();
        Ok(program)
    }

    fn add_interface(&mut self, declared: Declared) {
        let number = |function: Arc<Function>| {
            self.interface_methods.push(function.name.clone());
            InterfaceMethod { number: self.interface_methods.len() as u64 - 1, function }
        };
        let methods = declared.methods.into_iter().map(number).collect();
        self.interfaces.insert(declared.name, methods);
    }

    fn add_class(&mut self, name: &str, waiting: &mut HashMap<String, Declared>) -> Result<()> {
        let Some(declared) = waiting.remove(name) else { return Ok(()) };
        let (mut parent, mut interfaces) = (None, Vec::new());
        for other in declared.supers {
            if self.interfaces.contains_key(&other) {
                interfaces.push(other);
                continue;
            }
            self.add_class(&other, waiting)?;
            let class = self.class(&other)?.clone();
            if let Some(first) = parent.replace(class) {
                return Err(format!("{name} extends both {} and {other}", first.name));
            }
        }
        let inherited = parent.as_ref();
        let mut fields = inherited.map_or_else(Vec::new, |parent| parent.fields.clone());
        fields.extend(declared.fields);
        if fields.len() > 64 {
            return Err(format!("{name} has more than 64 fields"));
        }
        let mut methods = inherited.map_or_else(Vec::new, |parent| parent.methods.clone());
        for function in declared.methods {
            add_method(&mut methods, Method { owner: name.into(), function })?;
        }
        let number = self.classes.len() as u64 + 1;
        let class = Class { name: name.into(), number, parent, interfaces, fields, methods };
        self.check_interfaces(&class)?;
        self.classes.insert(name.into(), Arc::new(class));
        Ok(())
    }

    fn check_interfaces(&self, class: &Class) -> Result<()> {
        for interface in &class.interfaces {
            for wanted in &self.interfaces[interface] {
                let name = &wanted.function.name;
                let found = class.method(name).map(|(_, method)| &method.function);
                if !found.is_some_and(|function| is_like(function, &wanted.function)) {
                    return Err(format!("{} has no {name} as {interface} wants", class.name));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn class(&self, name: &str) -> Result<&Arc<Class>> {
        self.classes.get(name).ok_or_else(|| format!("there is no class {name}"))
    }

    /// The method of an interface; none if `interface` is none, or has no such method.
    pub(crate) fn interface_method(&self, interface: &str, name: &str) -> Option<&InterfaceMethod> {
        self.interfaces.get(interface)?.iter().find(|method| method.function.name == name)
    }

    /// Can a value of type `from` be where one of type `to` is wanted?
    pub(crate) fn fits(&self, from: &Type, to: &Type) -> bool {
        match (from, to) {
            (Type::Null, Type::Object(_)) => true,
            (Type::Object(from), Type::Object(to)) => {
                from == to || self.classes.get(from).is_some_and(|class| class.is_a(to))
            }
            _ => from == to,
        }
    }
}

/// In the place of the method that it overrides, or in one of its own.
fn add_method(methods: &mut Vec<Method>, method: Method) -> Result<()> {
    let name = &method.function.name;
    match methods.iter_mut().find(|other| other.function.name == *name) {
        // Whoever creates an object knows its class.
        Some(other) if name == "init" || is_like(&other.function, &method.function) => {
            *other = method;
        }
        Some(other) => return Err(format!("{} is not as {}", method.symbol(), other.symbol())),
        None => methods.push(method),
    }
    Ok(())
}

fn is_like(one: &Function, other: &Function) -> bool {
    let types = |function: &Function| {
        let parameters = function.parameters.iter().map(|(_, ty)| ty.clone());
        (parameters.collect::<Vec<_>>(), function.result.clone())
    };
    types(one) == types(other)
}
