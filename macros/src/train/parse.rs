//! Tokens to syntax: keys one by one, so that a mistake in one leaves the others whole.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, Path, Token, Type, Visibility, braced, token};

use super::ast::{Entry, Train, Value};
use crate::diagnostics::Diagnostics;
use crate::literal::tidy;
use crate::path::Runtime;

/// The block; `None` if it has no face, because it has no name.
pub(super) fn train(input: TokenStream, diagnostics: &mut Diagnostics) -> Option<Train> {
    let head = match (|input: ParseStream<'_>| Head::parse(input)).parse2(input) {
        Ok(head) => head,
        Err(error) => {
            diagnostics.push(error);
            return None;
        }
    };
    let mut train = Train {
        runtime: Runtime::default(),
        docs: head.docs,
        visibility: head.visibility,
        name: head.name,
        model: None,
        data: None,
        entries: Vec::new(),
    };
    for tokens in entries(head.body) {
        if let Err(error) = (|input: ParseStream<'_>| entry(input, &mut train)).parse2(tokens) {
            diagnostics.push(error);
        }
    }
    for (found, key, example) in [
        (train.model.is_some(), "model", "model: DigitNet"),
        (train.data.is_some(), "data", "data: Digits8x8::embedded()"),
    ] {
        if !found && diagnostics.is_empty() {
            diagnostics
                .error(&train.name, format!("`{}` has no `{key}`; add it, such as `{example}`", train.name));
        }
    }
    Some(train)
}

/// `/// docs` `pub Name { … }`
struct Head {
    docs: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    body: TokenStream,
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let docs = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let name = input.parse().map_err(|error| {
            syn::Error::new(error.span(), "expected the program's name: `train! { pub Digits { … } }`")
        })?;
        if !input.peek(token::Brace) {
            let message = "expected the program's name and its keys: `pub Name { model: …, data: … }`";
            return Err(syn::Error::new_spanned(&name, message));
        }
        let body;
        braced!(body in input);
        let head = Self { docs, visibility, name, body: body.parse()? };
        if !input.is_empty() {
            return Err(input.error("expected nothing after the block; one `train!` declares one program"));
        }
        Ok(head)
    }
}

/// The body cut before each `key:` that follows a comma at the top level. Commas within `<…>` and values
/// that do not parse stay within one entry.
fn entries(body: TokenStream) -> Vec<TokenStream> {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let mut entries = vec![Vec::new()];
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        if is_punct(token, ',') && begins_entry(after) {
            entries.push(Vec::new());
        } else if let Some(entry) = entries.last_mut() {
            entry.push(token.clone());
        }
    }
    entries.into_iter().filter(|entry| !entry.is_empty()).map(|entry| entry.into_iter().collect()).collect()
}

/// Whether what follows a comma is `key:` (but not a path, `key::`), an attribute, or nothing.
fn begins_entry(tokens: &[TokenTree]) -> bool {
    match tokens {
        [] => true,
        [TokenTree::Punct(hash), TokenTree::Group(group), ..] => {
            hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket
        }
        // Also with `=`, a mistake that is told where the key is read.
        [TokenTree::Ident(_), TokenTree::Punct(colon), ..] => {
            matches!(colon.as_char(), ':' | '=') && colon.spacing() == Spacing::Alone
        }
        _ => false,
    }
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn entry(input: ParseStream<'_>, train: &mut Train) -> syn::Result<()> {
    if input.peek(Token![crate]) {
        input.parse::<Token![crate]>()?;
        input.parse::<Token![:]>()?;
        train.runtime = Runtime::at(&input.call(Path::parse_mod_style)?);
        return end(input);
    }
    let key: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), "expected `key: value`"))?;
    if input.peek(Token![=]) {
        return Err(input.error(format!("write `{key}: value`, with `:` instead of `=`")));
    }
    input
        .parse::<Token![:]>()
        .map_err(|error| syn::Error::new(error.span(), format!("expected `{key}: value`")))?;
    let repeated = || syn::Error::new(key.span(), format!("`{key}` is given twice; remove one"));
    if key == "model" {
        if train.model.is_some() {
            return Err(repeated());
        }
        let model = input.parse::<Type>().map_err(|error| {
            syn::Error::new(error.span(), "expected the name of a model, such as `DigitNet` or `CharGpt<4>`")
        })?;
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error("expected the name of a model alone, such as `DigitNet` or `CharGpt<4>`"));
        }
        train.model = Some((key, model));
    } else {
        let nameless = input.peek(token::Brace).then(|| input.span());
        let value = input.parse::<Expr>().map_err(|error| match nameless {
            Some(brace) => {
                syn::Error::new(brace, format!("expected a name before the braces: `{key}: Name {{ … }}`"))
            }
            None => broken(&key, &error),
        })?;
        refuse_call(&value)?;
        if key == "data" {
            if train.data.is_some() {
                return Err(repeated());
            }
            train.data = Some((key, value));
        } else {
            let value = match value {
                Expr::Array(list) if list.elems.is_empty() => {
                    return Err(syn::Error::new_spanned(
                        list,
                        format!("`{key}` is empty; leave the key out"),
                    ));
                }
                Expr::Array(list) => {
                    let span = list.span();
                    Value::List(list.elems.into_iter().collect(), span)
                }
                one => Value::One(one),
            };
            if train.entries.iter().any(|entry| entry.key == key) {
                return Err(repeated());
            }
            train.entries.push(Entry { key, value });
        }
    }
    end(input)
}

fn end(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![,]) {
        input.parse::<Token![,]>()?;
        return if input.is_empty() { Ok(()) } else { Err(input.error("expected `key: value`")) };
    }
    if input.is_empty() { Ok(()) } else { Err(input.error("expected `,` and the next `key: value`")) }
}

/// The mistake of writing a value of a run as `#[model]` has its layers: `AdamW(lr = 1e-3)`.
fn refuse_call(value: &Expr) -> syn::Result<()> {
    match value {
        Expr::Array(list) => list.elems.iter().try_for_each(refuse_call),
        Expr::Call(call) => {
            let Some(Expr::Assign(assign)) = call.args.first() else { return Ok(()) };
            let (name, key) = (tidy(&call.func.to_token_stream()), tidy(&assign.left.to_token_stream()));
            let message = format!("keys stand in braces, with `:`; write `{name} {{ {key}: … }}`");
            Err(syn::Error::new_spanned(value, message))
        }
        _ => Ok(()),
    }
}

fn broken(key: &Ident, error: &syn::Error) -> syn::Error {
    syn::Error::new(error.span(), format!("the value of `{key}` cannot be read: {error}"))
}
