//! What is refused wherever it stands.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Attribute, Expr, Label, PatIdent};

use super::Lowering;
use super::names::find;
use crate::model::ast::{Flow, Steps};

impl Lowering<'_> {
    /// Attributes would be lost: a step of the model becomes several of Rust.
    pub(super) fn refuse_attributes(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            let message = if attribute.path().is_ident("doc") {
                "a step has no documentation; comments begin with `//`"
            } else {
                "a step has no attributes; what depends on a feature stands in `if cfg!(…) { … }`"
            };
            self.error(attribute, message);
        }
    }

    pub(super) fn refuse_label(&mut self, label: Option<&Label>) {
        if let Some(label) = label {
            self.error(label, "nothing breaks out of a model's blocks; remove the label");
        }
    }

    pub(super) fn refuse_more_than_name(&mut self, pattern: &PatIdent) {
        if let Some(word) = &pattern.by_ref {
            self.error(word, "a value needs no `ref`; remove it");
        }
        if let Some((_, part)) = &pattern.subpat {
            self.error(part, "expected a name alone; remove this");
        }
    }

    pub(super) fn refuse_value(&mut self, expression: &Expr) {
        if let Some(name) = find(expression.to_token_stream(), &|name| self.is_value(name)) {
            self.error(&name, format!("`{name}` is a value of the model; expected a constant here"));
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
        Flow::Join { span, .. } => *span,
        Flow::If { then, .. } => then.tail.as_ref().map_or_else(Span::call_site, span_of),
        Flow::Block(steps) => steps.tail.as_ref().map_or_else(Span::call_site, span_of),
    }
}
