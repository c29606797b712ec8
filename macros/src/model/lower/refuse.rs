//! Syntax that is rejected everywhere in a body.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Attribute, Expr, Label, PatIdent};

use super::Lowering;
use super::names::find;
use crate::model::ast::{Flow, Steps};

impl Lowering<'_> {
    /// Attributes would be lost: a step of the model expands to several statements.
    pub(super) fn refuse_attributes(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            let message = if attribute.path().is_ident("doc") {
                "doc comments are not allowed in a model's body; write a comment with `//`"
            } else {
                "attributes are not allowed in a model's body; for code that depends on a feature write `if cfg!(…) { … }`"
            };
            self.error(attribute, message);
        }
    }

    pub(super) fn refuse_label(&mut self, label: Option<&Label>) {
        if let Some(label) = label {
            self.error(label, "labels are not supported in a model; remove the label");
        }
    }

    pub(super) fn refuse_more_than_name(&mut self, pattern: &PatIdent) {
        if let Some(word) = &pattern.by_ref {
            self.error(word, "`ref` is not needed here; remove it");
        }
        if let Some((_, part)) = &pattern.subpat {
            self.error(part, "expected only a name; remove this");
        }
    }

    pub(super) fn refuse_value(&mut self, expression: &Expr) {
        if let Some(name) = find(expression.to_token_stream(), &|name| self.is_value(name)) {
            self.error(&name, format!("`{name}` is a value of the model; expected a constant here"));
        } else if let Some(name) = find(expression.to_token_stream(), &|name| self.layer(name).is_some()) {
            let message = format!(
                "`{name}` is a layer; call it on a value, as in `x.{name}()`, or name a parameter of it, as in `weight = {name}.weight`"
            );
            self.error(&name, message);
        }
    }

    pub(super) fn refuse_tail(&mut self, steps: &Steps) {
        if let Some(tail) = &steps.tail {
            self.diagnostics.push(syn::Error::new(
                span_of(tail),
                "this value is not used; assign it to a name, as in `x = x.relu();`",
            ));
        }
    }
}

fn span_of(flow: &Flow) -> Span {
    match flow {
        Flow::Name(name) => name.span(),
        Flow::Call(call) => call.layer.span(),
        Flow::Join { span, .. }
        | Flow::Number { span, .. }
        | Flow::Negated { span, .. }
        | Flow::Index { span, .. } => *span,
        Flow::If { then, .. } => then.tail.as_ref().map_or_else(Span::call_site, span_of),
        Flow::Block(steps) => steps.tail.as_ref().map_or_else(Span::call_site, span_of),
        Flow::Tuple(flows) => flows.first().map_or_else(Span::call_site, span_of),
    }
}
