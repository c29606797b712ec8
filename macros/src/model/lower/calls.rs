//! Layers: calls on values, with their keys.

use quote::ToTokens;
use syn::{Expr, ExprMethodCall, Ident};

use super::Lowering;
use super::names::as_name;
use crate::model::ast::{Call, Flow, Seen};
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
        let mut inputs = vec![receiver];
        let mut keys: Vec<(Ident, Expr)> = Vec::new();
        let mut half_typed = Vec::new();
        let mut without_key = Vec::new();
        let before = self.diagnostics.len();
        for argument in &call.args {
            match peeled(argument) {
                Expr::Assign(assign) => {
                    let Some(key) = as_name(&assign.left) else {
                        self.error(&assign.left, "expected the name of a key, as in `out = 32`");
                        continue;
                    };
                    self.refuse_attributes(&assign.attrs);
                    self.refuse_value(&assign.right);
                    if keys.iter().any(|(given, _)| given == key) {
                        self.error(key, format!("`{key}` is specified twice; remove one"));
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
                // Perhaps a misspelled name of a value, or a key that is being typed.
                other if as_name(other).is_some_and(|name| self.is_unknown_variable(name)) => {
                    half_typed.extend(as_name(other).cloned());
                    self.error(
                        other,
                        format!(
                            "expected a value of the model, or `key = value`; which key of `{}` is this?",
                            call.method
                        ),
                    );
                }
                other => without_key.push(other.clone()),
            }
        }
        let names_parameters =
            call.turbofish.as_ref().is_some_and(|turbofish| self.depends(turbofish.to_token_stream()));
        match without_key.first() {
            // Only the type determines its keys, and this one cannot be named outside the body.
            Some(value) if names_parameters => {
                let message = format!("a value of `{}` is missing its key; write `key = value`", call.method);
                self.error(value, message);
                without_key.clear();
            }
            Some(_) => self.diagnostics.leave_to_rustc(),
            None => {}
        }
        let depends = keys.iter().any(|(_, value)| self.depends(value.to_token_stream())) || names_parameters;
        let is_whole = self.diagnostics.len() == before;
        self.seen.push(Seen {
            layer: call.method.clone(),
            turbofish: call.turbofish.clone(),
            keys: keys.clone(),
            half_typed: (!is_whole).then_some(half_typed),
            without_key,
            depends,
        });
        Some(Flow::Call(Box::new(Call {
            inputs: inputs.into_iter().collect::<Option<_>>()?,
            layer: call.method.clone(),
            turbofish: call.turbofish.clone(),
            keys,
            depends,
            binding: None,
        })))
    }
}
