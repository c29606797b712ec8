//! Syntax to steps: defines the Rust subset that a model's body may use.
//!
//! A name is either a *value* (an input, or a `let` bound to something computed from values) or configuration.
//! Calls and operators on values are layers; a call without a value, `let tower = tower(width = 32);`, binds a layer to a name,
//! by which it is called later. Everything else is passed through to rustc.

mod advice;
mod calls;
mod flows;
mod names;
mod refuse;
mod statements;

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{GenericParam, Ident, Pat};

use self::names::{Mentions, count_lets, find, names_of};
use super::ast::{Body, Seen, Signature, Steps, Tie};
use crate::diagnostics::Diagnostics;
use crate::names::snake_case;

/// A lowered body.
pub(super) struct Lowered {
    pub(super) steps: Steps,
    /// The calls, in source order, including incomplete ones.
    pub(super) seen: Vec<Seen>,
}

/// Lowers a model's body to steps. For a statement that is not supported, an error is added and the step is skipped.
pub(super) fn body(signature: &Signature, body: &Body, diagnostics: &mut Diagnostics) -> Lowered {
    let mut names = HashMap::new();
    for generic in &signature.generics.params {
        if let GenericParam::Const(constant) = generic {
            names.insert(constant.ident.to_string(), Meaning::Configuration);
        }
    }
    names.extend(signature.keys.iter().map(|key| (key.name.to_string(), Meaning::Configuration)));
    names.extend(
        signature
            .inputs
            .iter()
            .map(|input| (input.name.to_string(), Meaning::Value { mutable: input.mutable.is_some() })),
    );
    let mut lowering = Lowering {
        diagnostics,
        own_name: snake_case(&signature.name),
        scopes: vec![names],
        loops: 0,
        lets: count_lets(&body.stmts),
        mentions: Mentions::of(body.to_token_stream()),
        layers: Vec::new(),
        seen: Vec::new(),
    };
    let steps = lowering.steps(body);
    if steps.tail.is_none() && lowering.diagnostics.is_empty() {
        let message = "the body has no value; end it with the model's output, without a semicolon";
        match body.stmts.last() {
            Some(last) => lowering.error(last, message),
            None => lowering.error(&signature.name, message),
        }
    }
    let (declared, returned) = (signature.outputs(), steps.outputs().len());
    if steps.tail.is_some() && declared != returned && lowering.diagnostics.is_empty() {
        let tail = body.stmts.last().map_or_else(TokenStream::new, ToTokens::to_token_stream);
        let values = |count: usize| format!("{count} {}", if count == 1 { "value" } else { "values" });
        let (declared, returned) = (values(declared), values(returned));
        let message =
            format!("the body returns {returned}, but the signature declares {declared}; change one of them");
        lowering.error(tail, message);
    }
    Lowered { steps, seen: lowering.seen }
}

#[derive(Clone, Copy, PartialEq)]
enum Meaning {
    Value {
        mutable: bool,
    },
    Configuration,
    /// A layer or model that is called later, by its index among the bound ones.
    Layer(usize),
}

impl Meaning {
    fn is_value(self) -> bool {
        matches!(self, Self::Value { .. })
    }
}

struct Lowering<'a> {
    diagnostics: &'a mut Diagnostics,
    /// The model's own call name.
    own_name: Ident,
    scopes: Vec<HashMap<String, Meaning>>,
    loops: usize,
    /// How often each name is bound by a `let`; one that is bound once can name a layer.
    lets: HashMap<String, usize>,
    mentions: Mentions,
    /// The parameters that each bound layer takes from others.
    layers: Vec<Vec<Tie>>,
    seen: Vec<Seen>,
}

impl Lowering<'_> {
    fn meaning(&self, name: &Ident) -> Option<Meaning> {
        let name = name.to_string();
        self.scopes.iter().rev().find_map(|scope| scope.get(&name).copied())
    }

    fn is_value(&self, name: &Ident) -> bool {
        self.meaning(name).is_some_and(Meaning::is_value)
    }

    /// The index of the layer that a name is bound to.
    fn layer(&self, name: &Ident) -> Option<usize> {
        match self.meaning(name) {
            Some(Meaning::Layer(place)) => Some(place),
            _ => None,
        }
    }

    /// Whether a name is written like a variable and is not in scope.
    fn is_unknown_variable(&self, name: &Ident) -> bool {
        name.to_string().starts_with(char::is_lowercase) && self.meaning(name).is_none()
    }

    fn bind(&mut self, name: &Ident, meaning: Meaning) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_string(), meaning);
        }
    }

    fn bind_all(&mut self, pattern: &Pat, meaning: Meaning) {
        for name in names_of(pattern) {
            self.bind(&name, meaning);
        }
    }

    fn error(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.diagnostics.error(tokens, message);
    }

    fn mentions_value(&self, tokens: impl ToTokens) -> bool {
        find(tokens.to_token_stream(), &|name| self.is_value(name)).is_some()
    }

    fn depends(&self, tokens: TokenStream) -> bool {
        find(tokens, &|name| self.meaning(name).is_some()).is_some()
    }
}
