//! What a program is made of.

/// A value is a number; so everything is an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    Variable(String),
    /// `x = value`.
    Assign(String, Box<Expression>),
    /// `left operator right`, for an operator that the language has.
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// A call; operators that programs define are functions, too.
    Call(String, Vec<Expression>),
    /// `if condition then yes else no`.
    If(Box<[Expression; 3]>),
    /// `for variable = start, condition, step in body`.
    For(String, Box<[Expression; 4]>),
    /// `var x = 1, y = 2 in body`.
    Var(Vec<(String, Expression)>, Box<Expression>),
}

/// The operators of the language itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Less,
}

/// A function's name and parameters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prototype {
    pub(crate) name: String,
    pub(crate) parameters: Vec<String>,
}

/// A function.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Function {
    pub(crate) prototype: Prototype,
    pub(crate) body: Expression,
}

/// What can be entered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Define(Function),
    Extern(Prototype),
    Evaluate(Expression),
}

/// The function that an operator stands for.
pub(crate) fn operator_name(kind: &str, sign: char) -> String {
    format!("{kind}{sign}")
}
