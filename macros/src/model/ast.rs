//! A model as the macro sees it: a signature, and steps between values.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Attribute, Block, Expr, Ident, RangeLimits, Stmt, Token, Type, Visibility};

/// The name, inputs, configuration and output of a model.
pub(crate) struct Signature {
    /// Documentation, `cfg` and other attributes, which go on the model's struct.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    /// Const generics only.
    pub(crate) generics: syn::Generics,
    pub(crate) inputs: Vec<Input>,
    pub(crate) keys: Vec<Key>,
    /// A tuple of types if there are several outputs.
    pub(crate) output: Type,
}

impl Signature {
    /// The number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        match &self.output {
            Type::Tuple(tuple) => tuple.elems.len(),
            _ => 1,
        }
    }
}

/// An input of the model.
pub(crate) struct Input {
    pub(crate) mutable: Option<Token![mut]>,
    pub(crate) name: Ident,
    pub(crate) kind: Type,
}

/// A configuration value of the model.
pub(crate) struct Key {
    pub(crate) docs: Vec<Attribute>,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) default: Option<Expr>,
}

/// Steps, and the value at the end if there is one.
pub(crate) struct Steps {
    pub(crate) steps: Vec<Step>,
    pub(crate) tail: Option<Flow>,
}

impl Steps {
    /// The values at the end of a model's body.
    pub(crate) fn outputs(&self) -> &[Flow] {
        match &self.tail {
            Some(Flow::Tuple(flows)) => flows,
            tail => tail.as_slice(),
        }
    }

    /// The names of the outputs, if there are several: that of the variable that is returned, or `output_0`.
    pub(crate) fn output_names(&self) -> Vec<String> {
        let outputs = self.outputs();
        let mut names: Vec<String> = Vec::new();
        for (place, flow) in outputs.iter().enumerate() {
            let name = match flow {
                Flow::Name(name) => name.unraw().to_string(),
                _ => String::new(),
            };
            let is_free = !name.is_empty() && !names.contains(&name);
            names.push(if is_free { name } else { format!("output_{place}") });
        }
        if outputs.len() > 1 { names } else { Vec::new() }
    }
}

/// A statement of a model's body.
pub(crate) enum Step {
    /// `let name = flow;`
    Let { mutable: Option<Token![mut]>, name: Ident, flow: Flow },
    /// `let name = layer(key = value…);`: a layer or model that is called later, by that name.
    Bind { name: Ident, call: Call },
    /// `let (a, b) = value.layer(…);`: a call that returns several values.
    Parts { names: Vec<Part>, call: Call },
    /// `let (a, b) = (flow, flow);`: all flows come before the names.
    Tuple { parts: Vec<(Part, Flow)> },
    /// `name = flow;`
    Assign { name: Ident, flow: Flow },
    /// `for i in a..b { … }`
    For { counter: Option<Ident>, start: Expr, limits: RangeLimits, end: Expr, body: Steps },
    /// `if condition { … } else { … }` without a value.
    If { condition: Expr, then: Steps, otherwise: Option<Steps> },
    /// A constant or a `let` of configuration, passed through.
    Plain(Stmt),
}

/// A name in a tuple pattern; `None` for `_`.
pub(crate) type Part = Option<(Option<Token![mut]>, Ident)>;

/// An expression that returns a value of the network.
pub(crate) enum Flow {
    /// A value by its name.
    Name(Ident),
    /// `receiver.layer(others…, key = value…)`
    Call(Box<Call>),
    /// `left + right`
    Join { left: Box<Flow>, operator: Operator, span: Span, right: Box<Flow> },
    /// `flow * number`, or `number * flow`
    Number { value: Box<Flow>, operator: Operator, span: Span, number: Expr, is_first: bool },
    /// `-flow`
    Negated { value: Box<Flow>, span: Span },
    /// `flow[start..end]` or `flow[at]`
    Index { value: Box<Flow>, span: Span, index: Index },
    /// `if condition { …; flow } else { …; flow }`
    If { condition: Expr, then: Box<Steps>, otherwise: Box<Steps> },
    /// `{ …; flow }`
    Block(Box<Steps>),
    /// `(flow, flow)`, only at the end of a model's body.
    Tuple(Vec<Flow>),
}

/// A call of a layer or of another model.
pub(crate) struct Call {
    pub(crate) inputs: Vec<Flow>,
    pub(crate) layer: Ident,
    pub(crate) turbofish: Option<syn::AngleBracketedGenericArguments>,
    pub(crate) keys: Vec<(Ident, Expr)>,
    /// Whether a key depends on the model's parameters, a loop, or a local constant.
    pub(crate) depends: bool,
    /// The `let` that names only this call.
    pub(crate) binding: Option<Ident>,
    /// Keys that are parameters of bound layers: `weight = embed.weight`.
    pub(crate) ties: Vec<Tie>,
    /// Whether `layer` is the name of a bound layer, which has the keys.
    pub(crate) is_bound: bool,
}

/// `own = layer.parameter`
#[derive(Clone)]
pub(crate) struct Tie {
    pub(crate) own: Ident,
    /// The name of a bound layer.
    pub(crate) layer: Ident,
    pub(crate) parameter: Ident,
}

impl Call {
    /// This call, the call that produces its receiver, and so on to the first.
    pub(crate) fn chain(&self) -> Vec<&Self> {
        let mut calls = vec![self];
        let mut call = self;
        while let Some(Flow::Call(before)) = call.inputs.first() {
            calls.push(before);
            call = before;
        }
        calls
    }
}

/// A parsed call, for use after an error.
pub(crate) struct Seen {
    pub(crate) layer: Ident,
    pub(crate) turbofish: Option<syn::AngleBracketedGenericArguments>,
    pub(crate) keys: Vec<(Ident, Expr)>,
    /// Possible keys without a value; `None` if the call is complete.
    pub(crate) half_typed: Option<Vec<Ident>>,
    /// Values without a key: `linear(64)`.
    pub(crate) without_key: Vec<Expr>,
    /// Whether a key depends on the model's parameters, a loop, or a local constant.
    pub(crate) depends: bool,
}

/// The operator between two values.
#[derive(Clone, Copy)]
pub(crate) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
}

/// What is between the brackets of an index.
pub(crate) enum Index {
    At(Expr),
    Range { start: Option<Expr>, limits: RangeLimits, end: Option<Expr> },
}

/// A function's body, not yet lowered.
pub(crate) type Body = Block;
