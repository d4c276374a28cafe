//! Code by LLVM: a function is written as IR text, with its calls' declarations.
//!
//! Numbers are `i64`, references `ptr addrspace(1)`: of those, LLVM tells the collector where they are
//! at each call, and it puts the polls into functions that name a collector.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::mem::offset_of;

use vmkit::{Result, Session, SymbolId};
use vmkit_llvm::{Building, Level, Llvm, Options};

use super::super::emit::Body;
use super::super::heap::Local;
use super::{Backend, Callee, Code, Kind};

/// # Errors
///
/// The system lacks what the runtime module needs.
pub(super) fn start(session: &Session, optimizes: bool) -> Result<Backend> {
    let level = if optimizes { Level::O2 } else { Level::O0 };
    let llvm = Llvm::new(session, Options { level, polls: true, ..Options::default() });
    llvm.runtime_module(include_bytes!("runtime.ll").to_vec())?;
    Ok(Box::new(move |body| {
        let (name, (parameters, result)) = (body.symbol.clone(), body.signature());
        let signature = format!("{result} ({})", list(parameters));
        let build = move |building: &Building<'_>| {
            let mut function = Function::new(building, &body);
            body.emit(&mut function)?;
            building.add_text(&function.finish())
        };
        llvm.define_lazy(&name, &signature, build).map(drop)
    }))
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int => "i64",
            Self::Reference => "ptr addrspace(1)",
            Self::Pointer => "ptr",
        })
    }
}

/// A value, by its number. Constants are values too: what gives them folds away.
#[derive(Clone, Copy)]
struct Value(Kind, usize);

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %v{}", self.0, self.1)
    }
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

struct Function<'a, 'ctx> {
    building: &'a Building<'ctx>,
    parameters: Vec<Value>,
    text: String,
    /// Where in the text variables are declared: LLVM makes registers of those of the first block.
    start: usize,
    /// Declarations by name: of what is called, and of types of exceptions.
    declared: BTreeMap<String, String>,
    /// How many values and blocks there are.
    count: usize,
    /// The `try`s around, the innermost last: where their landing pads are, and what they catch.
    tries: Vec<(usize, usize)>,
}

impl<'a, 'ctx> Function<'a, 'ctx> {
    fn new(building: &'a Building<'ctx>, body: &Body) -> Self {
        let (name, (kinds, result)) = (&body.symbol, body.signature());
        let parameters: Vec<_> =
            kinds.into_iter().zip(0..).map(|(kind, n)| Value(kind, n)).collect();
        let list = list(&parameters);
        let attributes = "gc \"statepoint-example\" personality ptr @vm_personality";
        let text = format!("define {result} @\"{name}\"({list}) {attributes} {{\n");
        let (start, count) = (text.len(), parameters.len());
        // It may call itself.
        let declared = [(name.clone(), String::new())].into();
        Self { building, parameters, text, start, declared, count, tries: Vec::new() }
    }

    fn finish(self) -> String {
        let declared: Vec<_> = self.declared.into_values().collect();
        let personality = "declare i32 @vm_personality(...)";
        format!("{}}}\n{personality}\n{}", self.text, declared.join("\n"))
    }

    fn line(&mut self, text: &str) {
        self.text += text;
        self.text += "\n";
    }

    fn fresh(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    fn value(&mut self, kind: Kind, instruction: &str) -> Value {
        let value = Value(kind, self.fresh());
        self.line(&format!("%v{} = {instruction}", value.1));
        value
    }

    fn word(&mut self, base: Value, offset: u64) -> Value {
        self.value(base.0, &format!("getelementptr i8, {base}, i64 {offset}"))
    }
}

impl Code for Function<'_, '_> {
    type Value = Value;
    type Block = usize;
    type Variable = Value;

    fn parameter(&self, index: usize) -> Value {
        self.parameters[index]
    }

    fn int(&mut self, number: i64) -> Value {
        self.value(Kind::Int, &format!("add i64 0, {number}"))
    }

    fn null(&mut self) -> Value {
        self.value(Kind::Reference, "inttoptr i64 0 to ptr addrspace(1)")
    }

    fn binary(&mut self, operator: &str, left: Value, right: Value) -> Value {
        let instruction = match operator {
            "+" => "add",
            "-" => "sub",
            "*" => "mul",
            "/" => "sdiv",
            "%" => "srem",
            "==" => "icmp eq",
            "!=" => "icmp ne",
            "<" => "icmp slt",
            "<=" => "icmp sle",
            ">" => "icmp sgt",
            _ => "icmp sge",
        };
        let result = self.value(Kind::Int, &format!("{instruction} {left}, %v{}", right.1));
        if !instruction.starts_with("icmp") {
            return result;
        }
        self.value(Kind::Int, &format!("zext i1 %v{} to i64", result.1))
    }

    fn variable(&mut self, kind: Kind, value: Value) -> Value {
        let variable = Value(kind, self.fresh());
        self.text.insert_str(self.start, &format!("%v{} = alloca {kind}\n", variable.1));
        self.set(variable, value);
        variable
    }

    fn get(&mut self, Value(kind, number): Value) -> Value {
        self.value(kind, &format!("load {kind}, ptr %v{number}"))
    }

    fn set(&mut self, variable: Value, value: Value) {
        self.line(&format!("store {value}, ptr %v{}", variable.1));
    }

    fn load(&mut self, kind: Kind, base: Value, offset: u64) -> Value {
        let place = self.word(base, offset);
        self.value(kind, &format!("load atomic {kind}, {place} monotonic, align 8"))
    }

    fn store(&mut self, base: Value, offset: u64, value: Value) {
        let place = self.word(base, offset);
        self.line(&format!("store atomic {value}, {place} monotonic, align 8"));
    }

    fn new_block(&mut self) -> usize {
        self.fresh()
    }

    fn begin(&mut self, block: usize) {
        self.line(&format!("b{block}:"));
    }

    fn jump(&mut self, block: usize) {
        self.line(&format!("br label %b{block}"));
    }

    fn branch(&mut self, condition: Value, yes: usize, no: usize) {
        let bit = self.value(Kind::Int, &format!("icmp ne {condition}, 0"));
        self.line(&format!("br i1 %v{}, label %b{yes}, label %b{no}", bit.1));
    }

    fn give(&mut self, value: Value) {
        self.line(&format!("ret {value}"));
    }

    fn call(&mut self, callee: Callee<'_>, arguments: &[Value], result: Kind) -> Value {
        let code = match callee {
            Callee::Named(name) => {
                let kinds = list(arguments.iter().map(|argument| argument.0));
                let declaration = format!("declare {result} @\"{name}\"({kinds})");
                self.declared.entry(name.into()).or_insert(declaration);
                format!("@\"{name}\"")
            }
            Callee::Method(index) => {
                let table = self.load(Kind::Pointer, arguments[0], 0);
                format!("%v{}", self.load(Kind::Pointer, table, 8 * index).1)
            }
        };
        let call = format!("{result} {code}({})", list(arguments));
        let Some(&(pad, _)) = self.tries.last() else {
            return self.value(result, &format!("call {call}"));
        };
        let next = self.new_block();
        let invoke = format!("invoke {call} to label %b{next} unwind label %b{pad}");
        let value = self.value(result, &invoke);
        self.begin(next);
        value
    }

    fn begin_try(&mut self, class: usize) {
        let pad = self.new_block();
        self.tries.push((pad, class));
    }

    /// A landing pad has a clause for each `try` around, and the machine's tables say which frame has
    /// one that wants the exception. Which of the function's own it is, is found out here: if it is not
    /// this one, `vm_catch` throws on, also where a function with a `try` became part of another.
    fn end_try(&mut self) -> Value {
        let mut clauses = String::new();
        for (_, class) in self.tries.iter().rev() {
            clauses += &format!(" catch ptr @\"class {class}\"");
            // Its number, in a place of its own.
            let place = format!("@\"class {class}\" = internal constant i64 {class}");
            self.declared.insert(format!("class {class}"), place);
        }
        let (pad, class) = self.tries.pop().expect("a try that was begun");
        self.begin(pad);
        // Nothing can be taken from one where calls are statepoints: the exception is in the thread.
        self.value(Kind::Pointer, &format!("landingpad token{clauses}"));
        let (thread, class) = (self.parameter(1), self.int(class as i64));
        let exception = self.load(Kind::Reference, thread, offset_of!(Local, exception) as u64);
        self.call(Callee::Named("vm_catch"), &[exception, class, thread], Kind::Reference)
    }

    fn assume(&mut self, assumption: SymbolId) {
        self.building.assume(assumption);
    }

    fn keep_apart(&mut self) {
        self.building.keep_apart();
    }
}
