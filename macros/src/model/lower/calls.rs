//! Layers: calls on values, with their keys.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{
    AngleBracketedGenericArguments, Expr, ExprCall, ExprMethodCall, Ident, Member, PathArguments, Token,
};

use super::Lowering;
use super::names::as_name;
use crate::model::ast::{Call, Flow, Seen, Tie};
use crate::syntax::peeled;

impl Lowering<'_> {
    /// Handles the calls of a chain iteratively, from the first one: a chain may have hundreds, and recursion uses stack.
    pub(super) fn chain(&mut self, last: &ExprMethodCall) -> Option<Flow> {
        let mut calls = vec![last];
        let mut receiver = &last.receiver;
        while let Expr::MethodCall(call) = &**receiver {
            calls.push(call);
            receiver = &call.receiver;
        }
        let mut flow = self.flow(receiver);
        for (place, call) in calls.iter().enumerate().rev() {
            if place > 0 {
                self.refuse_attributes(&call.attrs);
            }
            flow = self.call(call, flow);
        }
        flow
    }

    fn call(&mut self, call: &ExprMethodCall, receiver: Option<Flow>) -> Option<Flow> {
        if call.method == self.own_name {
            self.error(&call.method, "a model cannot call itself; repeat layers with `for`");
        }
        if let Some(place) = self.layer(&call.method) {
            return self.call_of_bound(call, receiver, place);
        }
        let given = self.arguments(&call.method, call.turbofish.as_ref(), &call.args);
        let mut inputs = vec![receiver];
        inputs.extend(given.inputs);
        Some(Flow::Call(Box::new(Call {
            inputs: inputs.into_iter().collect::<Option<_>>()?,
            layer: call.method.clone(),
            turbofish: call.turbofish.clone(),
            keys: given.keys,
            depends: given.depends,
            binding: None,
            ties: given.ties,
            is_bound: false,
        })))
    }

    /// `value.name()`, where `name` is bound to a layer.
    fn call_of_bound(&mut self, call: &ExprMethodCall, receiver: Option<Flow>, place: usize) -> Option<Flow> {
        let mut inputs = vec![receiver];
        let name = &call.method;
        if let Some(turbofish) = &call.turbofish {
            self.error(turbofish, format!("`{name}` is declared above, with its generics; remove them here"));
        }
        for argument in &call.args {
            match peeled(argument) {
                value if self.is_flow(value) => {
                    let flow = self.flow(value);
                    inputs.push(flow);
                }
                _ => {
                    let message = format!(
                        "`{name}` is declared above, with its keys; remove them here, or bind it to another name"
                    );
                    self.error(argument, message);
                    return None;
                }
            }
        }
        let bound = &self.layers[place];
        Some(Flow::Call(Box::new(Call {
            inputs: inputs.into_iter().collect::<Option<_>>()?,
            layer: name.clone(),
            turbofish: None,
            keys: Vec::new(),
            depends: true,
            binding: None,
            ties: bound.clone(),
            is_bound: true,
        })))
    }

    /// `layer(key = value…)` without a value, after `let name =`.
    pub(super) fn declared(&mut self, name: &Ident, call: &ExprCall) -> Option<Call> {
        let Expr::Path(function) = peeled(&call.func) else { return None };
        let segment = function.path.segments.last()?;
        let turbofish = match &segment.arguments {
            PathArguments::AngleBracketed(generics) => Some(generics.clone()),
            _ => None,
        };
        let given = self.arguments(&segment.ident, turbofish.as_ref(), &call.args);
        if segment.ident == self.own_name {
            self.error(&segment.ident, "a model cannot call itself; repeat layers with `for`");
        }
        if !self.mentions.is_called(name) {
            let message =
                format!("`{name}` is never called; call it on a value, as in `x.{name}()`, or remove it");
            self.error(name, message);
        }
        Some(Call {
            inputs: Vec::new(),
            layer: segment.ident.clone(),
            turbofish,
            keys: given.keys,
            depends: given.depends,
            binding: self.names_alone(name).then(|| name.clone()),
            ties: given.ties,
            is_bound: false,
        })
    }

    /// Whether `let name = call;` binds a layer, and not configuration: it has keys, or its name is called on a value.
    pub(super) fn is_declaration(&self, name: &Ident, call: &ExprCall) -> bool {
        let is_name = match peeled(&call.func) {
            Expr::Path(path) => path.qself.is_none() && path.path.segments.len() == 1,
            _ => false,
        };
        let has_key = call.args.iter().any(|argument| matches!(peeled(argument), Expr::Assign(_)));
        let has_value = call.args.iter().any(|argument| self.is_flow(argument));
        let is_unused = call.args.is_empty() && !self.mentions.is_read(name);
        is_name && !has_value && (has_key || self.mentions.is_called(name) || is_unused)
    }

    /// The values and keys between the parentheses of a call.
    fn arguments(
        &mut self,
        layer: &Ident,
        turbofish: Option<&AngleBracketedGenericArguments>,
        arguments: &Punctuated<Expr, Token![,]>,
    ) -> Given {
        let mut inputs = Vec::new();
        let mut keys: Vec<(Ident, Expr)> = Vec::new();
        let mut ties: Vec<Tie> = Vec::new();
        let mut half_typed = Vec::new();
        let mut without_key = Vec::new();
        let before = self.diagnostics.len();
        for argument in arguments {
            match peeled(argument) {
                Expr::Assign(assign) => {
                    let Some(key) = as_name(&assign.left) else {
                        self.error(&assign.left, "expected the name of a key, as in `out = 32`");
                        continue;
                    };
                    self.refuse_attributes(&assign.attrs);
                    let is_given = keys.iter().any(|(given, _)| given == key);
                    if is_given || ties.iter().any(|tie| tie.own == *key) {
                        self.refuse_value(&assign.right);
                        self.error(key, format!("`{key}` is specified twice; remove one"));
                        continue;
                    }
                    if let Some(tie) = self.tie(key, &assign.right) {
                        ties.push(tie);
                        continue;
                    }
                    self.refuse_value(&assign.right);
                    if let Some([first, second]) = two_whole_numbers(&assign.right) {
                        let message = format!(
                            "a key takes no tuple; write `pair({first}, {second})` for a height and a width, or `[{first}, {second}]` for a list"
                        );
                        self.error(&assign.right, message);
                        continue;
                    }
                    keys.push((key.clone(), (*assign.right).clone()));
                }
                value if self.is_flow(value) => {
                    if !keys.is_empty() {
                        self.error(value, "values come before keys; move this to the front");
                    }
                    let flow = self.flow(value);
                    inputs.push(flow);
                }
                Expr::Range(syn::ExprRange { start: None, end: Some(_), .. }) => {
                    self.error(argument, "keys that are left out use their defaults; remove this");
                }
                other if as_name(other).is_some_and(|name| self.layer(name).is_some()) => {
                    self.refuse_value(other);
                }
                // Perhaps a misspelled name of a value, or a key that is being typed.
                other if as_name(other).is_some_and(|name| self.is_unknown_variable(name)) => {
                    half_typed.extend(as_name(other).cloned());
                    self.error(
                        other,
                        format!(
                            "expected a value of the model, or `key = value`; which key of `{layer}` is this?"
                        ),
                    );
                }
                other => without_key.push(other.clone()),
            }
        }
        let names_parameters = turbofish.is_some_and(|turbofish| self.depends(turbofish.to_token_stream()));
        match without_key.first() {
            // Only the type determines its keys, and this one cannot be named outside the body.
            Some(value) if names_parameters => {
                let message = format!("a value of `{layer}` is missing its key; write `key = value`");
                self.error(value, message);
                without_key.clear();
            }
            Some(_) => self.diagnostics.leave_to_rustc(),
            None => {}
        }
        let depends = keys.iter().any(|(_, value)| self.depends(value.to_token_stream())) || names_parameters;
        let is_whole = self.diagnostics.len() == before;
        self.seen.push(Seen {
            layer: layer.clone(),
            turbofish: turbofish.cloned(),
            keys: keys.clone(),
            half_typed: (!is_whole).then_some(half_typed),
            without_key,
            depends,
        });
        Given { inputs, keys, ties, depends }
    }

    /// `own = layer.parameter`, where `layer` is bound to a layer.
    fn tie(&self, own: &Ident, value: &Expr) -> Option<Tie> {
        let Expr::Field(field) = peeled(value) else { return None };
        let (Some(layer), Member::Named(parameter)) = (as_name(&field.base), &field.member) else {
            return None;
        };
        self.layer(layer)?;
        Some(Tie { own: own.clone(), layer: layer.clone(), parameter: parameter.clone() })
    }
}

/// The elements of a tuple of two whole numbers, as one might write a height and a width. Other tuples are left to rustc, since
/// the key of a user's own layer may be one.
fn two_whole_numbers(value: &Expr) -> Option<[String; 2]> {
    let Expr::Tuple(tuple) = peeled(value) else { return None };
    let number = |value: &Expr| match peeled(value) {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => Some(number.to_string()),
        _ => None,
    };
    let numbers: Vec<String> = tuple.elems.iter().map(number).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// The arguments of a call.
struct Given {
    inputs: Vec<Option<Flow>>,
    keys: Vec<(Ident, Expr)>,
    ties: Vec<Tie>,
    depends: bool,
}
