//! Tokens to syntax: the signature of a model. Its body stays as syn parsed it.

use std::collections::HashSet;

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{
    AttrStyle, Attribute, Block, Expr, FnArg, GenericParam, Ident, Pat, ReturnType, Type, Visibility, token,
};

use super::ast::{Body, Input, Key, Signature};
use crate::depth;
use crate::diagnostics::Diagnostics;
use crate::names::snake_case;
use crate::syntax::{is_bounds, peeled_type};

/// The message for bounds in place of a type.
const ONE_TYPE: &str = "expected one type, such as `Features<64>` or `usize`";

/// Parses the function under `#[model]`; `None` if it has no face, because it is not a function or has no name. Its body is `None`
/// if it cannot be parsed, or its inputs are not known: errors about them would only repeat that mistake.
pub(super) fn function(
    item: TokenStream,
    diagnostics: &mut Diagnostics,
) -> Option<(Signature, Option<Body>)> {
    let (head, body) = halves(item);
    let function = match depth::check(&head).and_then(|()| Head::parse.parse2(head)) {
        Ok(function) => function,
        Err(error) => {
            diagnostics.push(error);
            return None;
        }
    };
    let body = match body {
        Some(body) => {
            let mistake = |error| key_with_colon(body.stream()).unwrap_or(error);
            block(&body).map_err(|error| diagnostics.push(mistake(error))).ok()
        }
        None => {
            diagnostics.error(
                &function.sig.ident,
                "a model needs a body; write its output in braces: `{ x.relu() }`",
            );
            None
        }
    };
    refuse_modifiers(&function, diagnostics);
    let (mut inputs, mut keys) = (Vec::<Input>::new(), Vec::<Key>::new());
    let mut are_known = true;
    for argument in function.sig.inputs {
        are_known &= parameter(argument, &mut inputs, &mut keys, diagnostics);
    }
    let mut names = HashSet::new();
    inputs.retain(|input| is_new(&input.name, &mut names, diagnostics));
    keys.retain(|key| is_new(&key.name, &mut names, diagnostics));
    if inputs.is_empty() && are_known {
        are_known = false;
        diagnostics.error(&function.sig.ident, "a model needs an input; add one, such as `x: Features<64>`");
    }
    let output = match function.sig.output {
        ReturnType::Type(_, output) if is_bounds(&output) => {
            diagnostics.error(&output, ONE_TYPE);
            syn::parse_quote!(Value)
        }
        ReturnType::Type(_, output) => *output,
        ReturnType::Default => {
            diagnostics.error(
                &function.sig.ident,
                "a model needs an output type; add `-> Logits<10>` or another kind",
            );
            syn::parse_quote!(Value)
        }
    };
    // Anything but a constant was rejected above; without it the face is valid.
    let mut generics = function.sig.generics;
    generics.params = generics
        .params
        .into_iter()
        .filter(|generic| matches!(generic, GenericParam::Const(number) if !is_bounds(&number.ty)))
        .collect();
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
    Some((signature, body.filter(|_| are_known)))
}

/// The mistake of writing a layer's key as in `train!`: `.linear(out: 10)`. It is not Rust, so the item cannot be
/// parsed further.
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

/// `key:` at the start of an argument.
fn colon(arguments: TokenStream) -> Option<syn::Error> {
    let tokens: Vec<TokenTree> = arguments.into_iter().collect();
    (0..tokens.len()).find_map(|place| {
        let is_head =
            place == 0 || matches!(&tokens[place - 1], TokenTree::Punct(comma) if comma.as_char() == ',');
        match &tokens[place..] {
            [TokenTree::Ident(key), TokenTree::Punct(colon), ..]
                if is_head && colon.as_char() == ':' && colon.spacing() == Spacing::Alone =>
            {
                let message = format!("keys of a layer are written with `=`: `{key} = …`");
                Some(syn::Error::new(colon.span(), message))
            }
            _ => None,
        }
    })
}

/// Everything before a function's body.
struct Head {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: syn::Signature,
}

impl Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let head =
            Self { attrs: input.call(Attribute::parse_outer)?, vis: input.parse()?, sig: input.parse()? };
        if input.peek(syn::Token![;]) {
            input.parse::<syn::Token![;]>()?;
        }
        if input.is_empty() { Ok(head) } else { Err(input.error("expected the model's body in braces")) }
    }
}

/// An item up to its final braces, and the contents of the braces.
fn halves(item: TokenStream) -> (TokenStream, Option<Group>) {
    let mut tokens: Vec<_> = item.into_iter().collect();
    let mut body = tokens.last().and_then(|last| braces(last.clone()));
    // Invisible delimiters of a `macro_rules!` may enclose more than the body.
    while body.is_none()
        && let Some(TokenTree::Group(last)) = tokens.last()
        && last.delimiter() == Delimiter::None
    {
        let inner = last.stream();
        tokens.pop();
        tokens.extend(inner);
        body = tokens.last().and_then(|last| braces(last.clone()));
    }
    if body.is_some() {
        tokens.pop();
    }
    (tokens.into_iter().collect(), body)
}

/// The token as a group in braces; a `$body:block` of a `macro_rules!` has invisible delimiters around it.
fn braces(token: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else {
        return None;
    };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => {
            let mut inner = group.stream().into_iter();
            match (inner.next(), inner.next()) {
                (Some(token), None) => braces(token),
                _ => None,
            }
        }
        _ => None,
    }
}

fn block(body: &Group) -> syn::Result<Block> {
    depth::check(&body.stream())?;
    let brace_token = token::Brace { span: body.delim_span() };
    let parse = |input: ParseStream<'_>| {
        let inside;
        syn::braced!(inside in input);
        if let Some(attribute) = inside.call(Attribute::parse_inner)?.first() {
            let message = "attributes of a model go before it: `#[…]`";
            return Err(syn::Error::new_spanned(attribute, message));
        }
        inside.call(Block::parse_within)
    };
    let stmts = parse.parse2(TokenTree::Group(body.clone()).into())?;
    Ok(Block { brace_token, stmts })
}

fn refuse_modifiers(function: &Head, diagnostics: &mut Diagnostics) {
    let signature = &function.sig;
    for attribute in function.attrs.iter().filter(|attribute| matches!(attribute.style, AttrStyle::Inner(_)))
    {
        diagnostics.error(attribute, "attributes of a model go before it: `#[…]`");
    }
    if let Some(word) = &signature.asyncness {
        diagnostics.error(word, "a model cannot be `async`; remove the keyword");
    }
    if let Some(word) = &signature.constness {
        diagnostics.error(word, "a model cannot be `const`; remove the keyword");
    }
    if !matches!(signature.safety, syn::Safety::Default) {
        diagnostics.error(&signature.safety, "a model cannot be `safe` or `unsafe`; remove the keyword");
    }
    if let Some(abi) = &signature.abi {
        diagnostics.error(abi, "a model cannot have an ABI; remove this");
    }
    if let Some(dots) = &signature.variadic {
        diagnostics.error(dots, "a model cannot be variadic; remove this");
    }
    for generic in &signature.generics.params {
        match generic {
            GenericParam::Const(number) if is_bounds(&number.ty) => diagnostics.error(&number.ty, ONE_TYPE),
            GenericParam::Const(_) => {}
            _ => diagnostics.error(generic, "a model can only have const generics; write `const N: usize`"),
        }
    }
    if let Some(clause) = &signature.generics.where_clause {
        diagnostics.error(clause, "a model cannot have a `where` clause; remove it");
    }
    let call_name = snake_case(&signature.ident);
    if ["self", "super", "crate"].iter().any(|word| call_name == word) {
        let message =
            format!("the call name of `{}` would be the keyword `{call_name}`; rename it", signature.ident);
        diagnostics.error(&signature.ident, message);
    }
}

/// Whether no other parameter has this name.
fn is_new(name: &Ident, names: &mut HashSet<String>, diagnostics: &mut Diagnostics) -> bool {
    let is_new = names.insert(name.unraw().to_string());
    if !is_new {
        diagnostics.error(name, format!("two parameters are named `{name}`; rename one"));
    }
    is_new
}

/// Adds an input or a key; returns whether the body can use it.
fn parameter(
    argument: FnArg,
    inputs: &mut Vec<Input>,
    keys: &mut Vec<Key>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let argument = match argument {
        FnArg::Typed(argument) => argument,
        FnArg::Receiver(receiver) => {
            diagnostics.error(receiver, "a model is not a method; name the input, such as `x: Features<64>`");
            return false;
        }
    };
    let Pat::Ident(pattern) = *argument.pat else {
        diagnostics.error(&argument.pat, "expected a name, such as `x: Features<64>`");
        return false;
    };
    let (defaults, docs): (Vec<_>, Vec<_>) =
        argument.attrs.into_iter().partition(|attribute| attribute.path().is_ident("default"));
    if let Some(part) = pattern
        .by_ref
        .map(|word| word.to_token_stream())
        .or_else(|| pattern.subpat.as_ref().map(|(_, pattern)| pattern.to_token_stream()))
    {
        diagnostics.error(part, "expected only a name and its type; remove this");
    }
    if let Some(second) = defaults.get(1) {
        diagnostics.error(second, "`#[default]` is specified twice; remove one");
    }
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
    if is_bounds(&argument.ty) {
        diagnostics.error(&argument.ty, ONE_TYPE);
        return false;
    }
    if defaults.is_empty() && !is_configuration(&argument.ty) {
        if keys.is_empty() {
            inputs.push(Input { mutable: pattern.mutability, name: pattern.ident, kind: *argument.ty });
            return true;
        }
        diagnostics.error(&pattern.ident, "values come before configuration; move this to the front");
        return false;
    }
    if let Some(word) = pattern.mutability {
        diagnostics.error(word, "configuration is constant; remove `mut`");
    }
    keys.push(Key { docs: documentation(docs), name: pattern.ident, ty: *argument.ty, default });
    true
}

/// Numbers, `bool`, `char` and references are configuration; kinds of values have a capitalized name.
/// Other configuration types are those with a `#[default]`.
fn is_configuration(ty: &Type) -> bool {
    match peeled_type(ty) {
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
