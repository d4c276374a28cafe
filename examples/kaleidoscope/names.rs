//! What names mean: how many arguments functions take, and whether all names in an item are known.

use std::collections::HashMap;

use crate::syntax::{Expression, Function, Item, Prototype};

/// The functions that are known so far.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, Known>);

#[derive(Clone, Copy)]
struct Known {
    parameters: usize,
    is_extern: bool,
    is_defined: bool,
}

impl Names {
    /// Whether the function is declared to be somewhere in the process.
    pub(crate) fn is_extern(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|known| known.is_extern)
    }

    /// Checks an item's names, and learns what it says of functions. A function need not be defined
    /// before something calls it.
    ///
    /// # Errors
    ///
    /// A name is not known, or means something else already.
    pub(crate) fn learn(&mut self, item: &Item) -> Result<(), String> {
        let before = self.0.clone();
        let result = match item {
            Item::Evaluate(expression) => self.learn_calls(expression, &[]),
            Item::Extern(prototype) => self.learn_prototype(prototype, true),
            Item::Define(function) => self.learn_function(function),
        };
        // An expression is gone once it is evaluated; what it calls is not bound by that.
        if result.is_err() || matches!(item, Item::Evaluate(_)) {
            self.0 = before;
        }
        result
    }

    fn learn_function(&mut self, function: &Function) -> Result<(), String> {
        self.learn_prototype(&function.prototype, false)?;
        self.learn_calls(&function.body, &function.prototype.parameters)
    }

    /// Learns of functions that are called and nobody knows yet how many arguments they take.
    fn learn_calls(&mut self, body: &Expression, parameters: &[String]) -> Result<(), String> {
        for (name, parameters) in self.check(body, &mut parameters.to_vec())? {
            let known = Known { parameters, is_extern: false, is_defined: false };
            let known = *self.0.entry(name.clone()).or_insert(known);
            if known.parameters != parameters {
                return Err(takes(&name, &known, parameters));
            }
        }
        Ok(())
    }

    fn learn_prototype(&mut self, prototype: &Prototype, is_extern: bool) -> Result<(), String> {
        let (name, parameters) = (&prototype.name, prototype.parameters.len());
        for (at, parameter) in prototype.parameters.iter().enumerate() {
            if prototype.parameters[..at].contains(parameter) {
                return Err(format!("{} has two parameters {parameter}", title(name)));
            }
        }
        match self.0.get(name) {
            Some(known) if known.parameters != parameters => {
                return Err(takes(name, known, parameters));
            }
            Some(known) if known.is_extern && !is_extern => {
                return Err(format!("{} is declared extern", title(name)));
            }
            Some(known) if known.is_defined && is_extern => {
                return Err(format!("{} is defined already", title(name)));
            }
            _ => {}
        }
        let known = Known { parameters, is_extern, is_defined: !is_extern };
        self.0.insert(name.clone(), known);
        Ok(())
    }

    /// Checks an expression in which `variables` are known; gives the functions that it calls and
    /// nobody knows, each with its number of arguments.
    fn check(
        &self,
        expression: &Expression,
        variables: &mut Vec<String>,
    ) -> Result<Vec<(String, usize)>, String> {
        let mut called = Vec::new();
        match expression {
            Expression::Number(_) => {}
            Expression::Variable(name) => is_known(name, variables)?,
            Expression::Assign(name, value) => {
                is_known(name, variables)?;
                called = self.check(value, variables)?;
            }
            Expression::Binary(_, left, right) => {
                called = self.check(left, variables)?;
                called.extend(self.check(right, variables)?);
            }
            Expression::Call(name, arguments) => {
                called = self.check_all(arguments, variables)?;
                match self.0.get(name) {
                    Some(known) if known.parameters != arguments.len() => {
                        return Err(takes(name, known, arguments.len()));
                    }
                    Some(_) => {}
                    None => called.push((name.clone(), arguments.len())),
                }
            }
            Expression::If(parts) => called = self.check_all(&parts[..], variables)?,
            Expression::For(variable, parts) => {
                called = self.check(&parts[0], variables)?;
                variables.push(variable.clone());
                called.extend(self.check_all(&parts[1..], variables)?);
                variables.pop();
            }
            Expression::Var(bindings, body) => {
                let outside = variables.len();
                for (name, value) in bindings {
                    called.extend(self.check(value, variables)?);
                    variables.push(name.clone());
                }
                called.extend(self.check(body, variables)?);
                variables.truncate(outside);
            }
        }
        Ok(called)
    }

    fn check_all(
        &self,
        expressions: &[Expression],
        variables: &mut Vec<String>,
    ) -> Result<Vec<(String, usize)>, String> {
        let mut called = Vec::new();
        for expression in expressions {
            called.extend(self.check(expression, variables)?);
        }
        Ok(called)
    }
}

fn is_known(name: &str, variables: &[String]) -> Result<(), String> {
    if variables.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(format!("there is no variable {name} here"))
}

fn takes(name: &str, known: &Known, found: usize) -> String {
    let plural = if known.parameters == 1 { "" } else { "s" };
    format!("{} takes {} argument{plural}, not {found}", title(name), known.parameters)
}

/// How messages call a function.
pub(crate) fn title(name: &str) -> String {
    let operator = ["unary", "binary"].iter().find_map(|kind| {
        let sign = name.strip_prefix(kind)?;
        (!sign.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
            .then(|| format!("the {kind} operator {sign}"))
    });
    operator.unwrap_or_else(|| name.into())
}
