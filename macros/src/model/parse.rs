//! Tokens to syntax: the signature of a model. Its body stays as syn read it.

use proc_macro2::TokenStream;
use syn::{Attribute, Expr, FnArg, GenericParam, ItemFn, Pat, ReturnType, Type};

use super::ast::{Body, Input, Key, Signature};
use crate::diagnostics::Diagnostics;

/// The function under `#[model]`; `None` if it has no face, because it is no function or has no name.
pub(super) fn function(item: TokenStream, diagnostics: &mut Diagnostics) -> Option<(Signature, Body)> {
    let function: ItemFn = match syn::parse2(item) {
        Ok(function) => function,
        Err(error) => {
            diagnostics.push(error);
            return None;
        }
    };
    refuse_modifiers(&function, diagnostics);
    let (mut inputs, mut keys) = (Vec::new(), Vec::<Key>::new());
    for argument in function.sig.inputs {
        parameter(argument, &mut inputs, &mut keys, diagnostics);
    }
    if inputs.is_empty() && diagnostics.is_empty() {
        diagnostics.error(
            &function.sig.ident,
            "a model takes a value first; add an input, such as `x: Features<64>`",
        );
    }
    let output = match function.sig.output {
        ReturnType::Type(_, output) => *output,
        ReturnType::Default => {
            diagnostics.error(
                &function.sig.ident,
                "a model says what it gives; add `-> Logits<10>` or another kind",
            );
            syn::parse_quote!(Value)
        }
    };
    // What is no constant was refused above; without it the face is sound.
    let mut generics = function.sig.generics;
    generics.params =
        generics.params.into_iter().filter(|generic| matches!(generic, GenericParam::Const(_))).collect();
    generics.where_clause = None;
    let signature = Signature {
        attributes: function.attrs,
        visibility: function.vis,
        name: function.sig.ident,
        generics,
        inputs,
        keys,
        output,
    };
    Some((signature, *function.block))
}

fn refuse_modifiers(function: &ItemFn, diagnostics: &mut Diagnostics) {
    let signature = &function.sig;
    if let Some(word) = &signature.asyncness {
        diagnostics.error(word, "a model is not `async`; remove the word");
    }
    if let Some(word) = &signature.constness {
        diagnostics.error(word, "a model is not `const`; remove the word");
    }
    if let Some(abi) = &signature.abi {
        diagnostics.error(abi, "a model has no ABI; remove this");
    }
    for generic in &signature.generics.params {
        if !matches!(generic, GenericParam::Const(_)) {
            diagnostics.error(generic, "a model's generics are constants; write `const N: usize`");
        }
    }
    if let Some(clause) = &signature.generics.where_clause {
        diagnostics.error(clause, "a model has no `where`; remove it");
    }
}

fn parameter(argument: FnArg, inputs: &mut Vec<Input>, keys: &mut Vec<Key>, diagnostics: &mut Diagnostics) {
    let argument = match argument {
        FnArg::Typed(argument) => argument,
        FnArg::Receiver(receiver) => {
            diagnostics.error(receiver, "a model is no method; name the input, such as `x: Features<64>`");
            return;
        }
    };
    let Pat::Ident(pattern) = *argument.pat else {
        diagnostics.error(&argument.pat, "expected a name");
        return;
    };
    let (defaults, docs): (Vec<_>, Vec<_>) =
        argument.attrs.into_iter().partition(|attribute| attribute.path().is_ident("default"));
    for attribute in docs.iter().filter(|attribute| !attribute.path().is_ident("doc")) {
        diagnostics.error(attribute, "expected `#[default(value)]` or a doc comment");
    }
    let default = defaults.first().and_then(|attribute| match attribute.parse_args::<Expr>() {
        Ok(value) => Some(value),
        Err(_) => {
            diagnostics.error(attribute, "expected a value in parentheses: `#[default(4)]`");
            None
        }
    });
    if defaults.is_empty() && !is_configuration(&argument.ty) {
        if keys.is_empty() {
            inputs.push(Input { mutable: pattern.mutability, name: pattern.ident, kind: *argument.ty });
        } else {
            diagnostics
                .error(&pattern.ident, "a value stands before all configuration; move it to the front");
        }
        return;
    }
    if let Some(word) = pattern.mutability {
        diagnostics.error(word, "configuration is constant; remove `mut`");
    }
    keys.push(Key { docs: documentation(docs), name: pattern.ident, ty: *argument.ty, default });
}

/// Numbers, `bool`, `char` and references are configuration; kinds of values are written with a capital.
/// Other configuration types are those with a `#[default]`.
fn is_configuration(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|segment| {
                segment.ident.to_string().starts_with(|first: char| first.is_lowercase())
            })
        }
        Type::Reference(_) | Type::Array(_) | Type::Tuple(_) => true,
        _ => false,
    }
}

fn documentation(attributes: Vec<Attribute>) -> Vec<Attribute> {
    attributes.into_iter().filter(|attribute| attribute.path().is_ident("doc")).collect()
}
