//! Tokens to syntax: the signature of a model. Its body stays as syn read it.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::{Attribute, Expr, FnArg, GenericParam, ItemFn, Pat, ReturnType, Type};

use super::ast::{Body, Input, Key, Signature};
use crate::diagnostics::Diagnostics;

/// The function under `#[model]`; `None` if it has no face, because it is no function or has no name. There is no body
/// either where its inputs are not known: what it says of them could only repeat that mistake.
pub(super) fn function(
    item: TokenStream,
    diagnostics: &mut Diagnostics,
) -> Option<(Signature, Option<Body>)> {
    let function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            diagnostics.push(key_with_colon(item).unwrap_or(error));
            return None;
        }
    };
    refuse_modifiers(&function, diagnostics);
    let (mut inputs, mut keys) = (Vec::new(), Vec::<Key>::new());
    let mut are_known = true;
    for argument in function.sig.inputs {
        are_known &= parameter(argument, &mut inputs, &mut keys, diagnostics);
    }
    if inputs.is_empty() && are_known {
        are_known = false;
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
    Some((signature, are_known.then_some(*function.block)))
}

/// The mistake of writing a layer's key as `train!` has its keys: `.linear(out: 10)`. It is no Rust, so the item cannot be
/// read further.
fn key_with_colon(item: TokenStream) -> Option<syn::Error> {
    let tokens: Vec<TokenTree> = item.into_iter().collect();
    tokens.iter().enumerate().find_map(|(place, token)| {
        let TokenTree::Group(group) = token else { return None };
        let is_call = group.delimiter() == Delimiter::Parenthesis
            && matches!(&tokens[..place], [.., TokenTree::Punct(dot), TokenTree::Ident(_)] if dot.as_char() == '.');
        let here = if is_call { colon(group.stream()) } else { None };
        here.or_else(|| key_with_colon(group.stream()))
    })
}

/// `key:` at the head of an argument.
fn colon(arguments: TokenStream) -> Option<syn::Error> {
    let tokens: Vec<TokenTree> = arguments.into_iter().collect();
    (0..tokens.len()).find_map(|place| {
        let is_head =
            place == 0 || matches!(&tokens[place - 1], TokenTree::Punct(comma) if comma.as_char() == ',');
        match &tokens[place..] {
            [TokenTree::Ident(key), TokenTree::Punct(colon), ..]
                if is_head && colon.as_char() == ':' && colon.spacing() == Spacing::Alone =>
            {
                let message = format!("a layer's key is written with `=`: `{key} = …`");
                Some(syn::Error::new(colon.span(), message))
            }
            _ => None,
        }
    })
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

/// Adds an input or a key; gives whether the body can know it.
fn parameter(
    argument: FnArg,
    inputs: &mut Vec<Input>,
    keys: &mut Vec<Key>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let argument = match argument {
        FnArg::Typed(argument) => argument,
        FnArg::Receiver(receiver) => {
            diagnostics.error(receiver, "a model is no method; name the input, such as `x: Features<64>`");
            return false;
        }
    };
    let Pat::Ident(pattern) = *argument.pat else {
        diagnostics.error(&argument.pat, "expected a name, such as `x: Features<64>`");
        return false;
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
            return true;
        }
        diagnostics.error(&pattern.ident, "a value stands before all configuration; move it to the front");
        return false;
    }
    if let Some(word) = pattern.mutability {
        diagnostics.error(word, "configuration is constant; remove `mut`");
    }
    keys.push(Key { docs: documentation(docs), name: pattern.ident, ty: *argument.ty, default });
    true
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
