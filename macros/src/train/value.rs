//! Values: expressions, lists, and the usable parts of an incomplete value.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, Ident, Member, Path, Token};

use super::ast::{Element, Value};
use super::parse::unreadable;
use super::rows::{Row, parse_all, rows};
use crate::diagnostics::Diagnostics;
use crate::literal::tidy;
use crate::syntax::peeled;

/// A value as far as it can be parsed.
pub(super) struct Read {
    pub(super) value: Value,
    /// Whether it has no errors.
    pub(super) whole: bool,
    /// The tokens after it.
    pub(super) rest: TokenStream,
}

/// Parses the value of a key; `None`, with an error, if nothing of it is usable.
pub(super) fn value(key: &Ident, tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<Read> {
    let single = only(&tokens);
    if let Some(group) = single.filter(|group| group.delimiter() == Delimiter::Bracket) {
        return list(key, &group, diagnostics);
    }
    let (value, rest, whole) = match parse_all(Expr::parse, tokens.clone()) {
        Ok((value, rest)) => (value, rest, true),
        Err(error) => {
            if let Some(braces) = only(&tokens) {
                let message = format!("expected a name before the braces: `{key}: Name {{ … }}`");
                diagnostics.push(Error::new(braces.span_open(), message));
                return None;
            }
            (half_literal(tokens, key, &error, diagnostics)?, TokenStream::new(), false)
        }
    };
    // An `$e:expr` of a `macro_rules!` may be a list.
    if let Expr::Array(array) = peeled(&value) {
        return list(key, &group_of(array), diagnostics).map(|read| Read { rest, ..read });
    }
    if let (true, Expr::Tuple(tuple)) = (is_list(key), peeled(&value)) {
        return lists(key, tuple, diagnostics).map(|read| Read { rest, ..read });
    }
    if refuse_calls([&value], diagnostics) || refuse_untyped(&value, diagnostics) {
        return None;
    }
    let mut value = value;
    refuse_default(&mut value, diagnostics);
    let value = if is_list(key) && is_element(&value) {
        let span = value.span();
        Value::List(vec![Element { attributes: Vec::new(), value, list: None }], span)
    } else {
        Value::One(value)
    };
    Some(Read { value, whole, rest })
}

/// Whether the key takes a list, in which case a single value is a list of one.
///
/// These are the only keys besides `crate`, `model` and `data` that the macro knows: the type of a key determines its values,
/// but no constant expression is both a list and its element.
fn is_list(key: &Ident) -> bool {
    ["allow", "augment", "groups", "metrics", "schedule"].iter().any(|list| key.unraw() == list)
}

/// `([a, b], [c])`: a list for each output of the model, or for each input, which become one list. A single value stands for a list of one, and
/// `[]` for none.
fn lists(key: &Ident, tuple: &syn::ExprTuple, diagnostics: &mut Diagnostics) -> Option<Read> {
    let (mut elements, mut whole) = (Vec::new(), true);
    for (place, part) in tuple.elems.iter().enumerate() {
        let tokens = match peeled(part) {
            Expr::Array(array) if array.elems.is_empty() => continue,
            Expr::Array(array) => group_of(array),
            other => Group::new(Delimiter::Bracket, other.to_token_stream()),
        };
        let read = list(key, &tokens, diagnostics)?;
        whole &= read.whole;
        if let Value::List(list, _) = read.value {
            elements.extend(list.into_iter().map(|element| Element { list: Some(place), ..element }));
        }
    }
    Some(Read { value: Value::List(elements, tuple.span()), whole, rest: TokenStream::new() })
}

/// Whether a value is written like an element of a list, and not like a constant list: `PHASES`.
fn is_element(value: &Expr) -> bool {
    match peeled(value) {
        Expr::Struct(_) => true,
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            // `F1` and `R2` are metrics.
            name.contains(|letter: char| letter.is_lowercase() || letter.is_ascii_digit())
        }),
        _ => false,
    }
}

/// Rejects `..Default::default()`, which a constant cannot call, and removes it from the value: what remains is complete.
fn refuse_default(value: &mut Expr, diagnostics: &mut Diagnostics) {
    match value {
        Expr::Struct(literal) => {
            for field in &mut literal.fields {
                refuse_default(&mut field.expr, diagnostics);
            }
            let Some(rest) = literal.rest.take_if(|rest| is_default(rest)) else { return };
            literal.dot2_token = None;
            let text = tidy(&rest.to_token_stream());
            diagnostics.error(rest, format!("keys that are left out use their defaults; remove `..{text}`"));
        }
        Expr::Paren(inner) => refuse_default(&mut inner.expr, diagnostics),
        Expr::Group(inner) => refuse_default(&mut inner.expr, diagnostics),
        _ => {}
    }
}

/// `Default::default()` or `AdamW::default()`
fn is_default(value: &Expr) -> bool {
    let Expr::Call(call) = value else { return false };
    let Expr::Path(function) = &*call.func else { return false };
    call.args.is_empty() && function.path.segments.last().is_some_and(|last| last.ident == "default")
}

fn list(key: &Ident, group: &Group, diagnostics: &mut Diagnostics) -> Option<Read> {
    if group.stream().is_empty() {
        diagnostics.error(group, format!("`{key}` is empty; leave the key out"));
        return None;
    }
    let elements = parse_all(Punctuated::<Element, Token![,]>::parse_terminated, group.stream());
    let (mut elements, whole) = match elements {
        Ok((elements, _)) => (elements.into_iter().collect::<Vec<_>>(), true),
        // One by one, to keep the valid ones.
        Err(_) => (
            rows(group.stream()).into_iter().filter_map(|row| element(key, row, diagnostics)).collect(),
            false,
        ),
    };
    if refuse_calls(elements.iter().map(|element| &element.value), diagnostics) {
        return None;
    }
    for element in &mut elements {
        refuse_default(&mut element.value, diagnostics);
    }
    for attribute in elements.iter().flat_map(|element| &element.attributes) {
        if !attribute.path().is_ident("cfg") {
            diagnostics.error(attribute, "expected `#[cfg(…)]` or a value; write a comment with `//`");
        }
    }
    Some(Read { value: Value::List(elements, group.span()), whole, rest: TokenStream::new() })
}

fn element(key: &Ident, tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<Element> {
    let error = match parse_all(Element::parse, tokens.clone()) {
        Ok((element, rest)) => {
            if let Some(first) = rest.into_iter().next() {
                diagnostics.error(first, format!("expected `,` and the next value of `{key}`"));
            }
            return Some(element);
        }
        Err(error) => error,
    };
    let value = half_literal(tokens, key, &error, diagnostics)?;
    Some(Element { attributes: Vec::new(), value, list: None })
}

impl Parse for Element {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self { attributes: input.call(Attribute::parse_outer)?, value: input.parse()?, list: None })
    }
}

/// `Type { key: value, … }` without the keys that cannot be parsed; those are reported, and passed to editors, which then
/// complete the names of the type's keys.
fn half_literal(
    tokens: TokenStream,
    key: &Ident,
    error: &Error,
    diagnostics: &mut Diagnostics,
) -> Option<Expr> {
    let mut tokens: Vec<_> = tokens.into_iter().collect();
    let braces = match tokens.pop() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => Some(group),
        _ => None,
    };
    let path = parse_all(Path::parse, tokens.into_iter().collect());
    let (Some(braces), Ok((path, after))) = (braces, path) else {
        diagnostics.push(unreadable(key, error));
        return None;
    };
    let mut fields = Vec::new();
    let before = diagnostics.len();
    for row in rows(braces.stream()) {
        if is_rest(&row) {
            fields.push(row);
            continue;
        }
        match Row::read(row.clone()) {
            Ok(field) if !field.value.is_empty() && !field.is_assigned => {
                let (attributes, name) = (&field.attributes, &field.key);
                let read = value(name, field.value, diagnostics);
                fields.push(match read {
                    Some(Read { value: Value::One(value), rest, .. }) if rest.is_empty() => {
                        quote!(#(#attributes)* #name: #value)
                    }
                    Some(Read { value: Value::List(..), whole: true, .. }) => row,
                    Some(Read { rest, .. }) => {
                        if let Some(first) = rest.into_iter().next() {
                            diagnostics.error(first, "expected `,` and the next `key: value`");
                        }
                        half(name)
                    }
                    None => half(name),
                });
            }
            Ok(field) if field.is_assigned => {
                let message = format!("write `{}: value`, with `:` instead of `=`", field.key);
                diagnostics.error(&field.sign, message);
                fields.push(half(&field.key));
            }
            // `key` alone is shorthand for `key: key`, but `key:` is incomplete.
            Ok(field) if field.sign.is_empty() => fields.push(row),
            Ok(field) => {
                diagnostics.error(&field.key, format!("expected `{}: value`", field.key));
                fields.push(half(&field.key));
            }
            Err(error) => diagnostics.push(error),
        }
    }
    let literal = syn::parse2(quote!(#path { #(#fields),* }));
    if !after.is_empty() || literal.is_err() || diagnostics.len() == before {
        diagnostics.push(unreadable(key, error));
    }
    literal.ok()
}

/// Rejects values that are written like layers in `#[model]`: `AdamW(lr = 1e-3)`. Returns whether there was one.
pub(super) fn refuse_calls<'a>(
    values: impl IntoIterator<Item = &'a Expr>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let before = diagnostics.len();
    for value in values {
        let Expr::Call(call) = value else { continue };
        let Some(Expr::Assign(assign)) = call.args.first() else { continue };
        let (name, key) = (tidy(&call.func.to_token_stream()), tidy(&assign.left.to_token_stream()));
        diagnostics
            .error(value, format!("keys are written in braces, with `:`; write `{name} {{ {key}: … }}`"));
    }
    diagnostics.len() > before
}

/// Rejects an optimizer around another one without that `optimizer`, whose type it contains: rustc would ask for the type wherever the
/// value is emitted, before any rule is checked. Returns whether there was one.
fn refuse_untyped(value: &Expr, diagnostics: &mut Diagnostics) -> bool {
    let Expr::Struct(literal) = peeled(value) else { return false };
    let has_optimizer = literal.fields.iter().any(|field| match &field.member {
        Member::Named(key) => key == "optimizer",
        Member::Unnamed(_) => false,
    });
    let outer = literal.path.segments.last().filter(|last| {
        (last.ident == "Lookahead" || last.ident == "Sam")
            && matches!(last.arguments, syn::PathArguments::None)
    });
    if let (Some(outer), false, true) = (outer, has_optimizer, literal.rest.is_none()) {
        let name = &outer.ident;
        let message = format!(
            "{name} needs `optimizer`, the optimizer that takes the steps; write `{name} {{ optimizer: AdamW, … }}`"
        );
        diagnostics.error(&literal.path, message);
        return true;
    }
    let before = diagnostics.len();
    for field in &literal.fields {
        refuse_untyped(&field.expr, diagnostics);
    }
    diagnostics.len() > before
}

/// A key whose value cannot be parsed, only for editors.
pub(super) fn half(key: &Ident) -> TokenStream {
    quote!(#[cfg(rust_analyzer)] #key: loop {})
}

/// `..DEFAULT`
fn is_rest(row: &TokenStream) -> bool {
    let mut tokens = row.clone().into_iter();
    let mut is_dot = || matches!(tokens.next(), Some(TokenTree::Punct(dot)) if dot.as_char() == '.');
    is_dot() && is_dot()
}

/// These tokens as a single group, if they are one.
fn only(tokens: &TokenStream) -> Option<Group> {
    let mut tokens = tokens.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Group(group)), None) => Some(group),
        _ => None,
    }
}

fn group_of(array: &syn::ExprArray) -> Group {
    let elements = &array.elems;
    let mut group = Group::new(Delimiter::Bracket, elements.to_token_stream());
    group.set_span(array.bracket_token.span.join());
    group
}
