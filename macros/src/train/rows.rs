//! Splits the block into `key: value` rows before any value is parsed.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Ident, parenthesized};

/// Splits the tokens between braces into rows, at the commas outside of brackets. A comma in `<…>` or in the
/// parameters of a closure splits if `key:` follows, so that an unclosed one ends with its row.
pub(super) fn rows(body: TokenStream) -> Vec<TokenStream> {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let mut rows = vec![Vec::new()];
    let mut rest = tokens.as_slice();
    let mut angles = 0_usize;
    let mut in_parameters = false;
    let mut was_arrow = false;
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        let mut arrow = false;
        if let TokenTree::Punct(punct) = token {
            match punct.as_char() {
                ',' if (angles == 0 && !in_parameters) || begins_with_key(after) => {
                    rows.push(Vec::new());
                    (angles, in_parameters) = (0, false);
                    continue;
                }
                '<' => angles += 1,
                '>' if !was_arrow => angles = angles.saturating_sub(1),
                '|' => in_parameters = !in_parameters,
                '-' | '=' => arrow = punct.spacing() == Spacing::Joint,
                _ => {}
            }
        }
        was_arrow = arrow;
        if let Some(row) = rows.last_mut() {
            row.push(token.clone());
        }
    }
    rows.into_iter().filter(|row| !row.is_empty()).map(|row| row.into_iter().collect()).collect()
}

/// Whether these tokens are `key:`, but not a path, `key::`. Also accepts `=`, a mistake that is reported where the key is parsed.
fn begins_with_key(tokens: &[TokenTree]) -> bool {
    match tokens {
        [TokenTree::Ident(_), TokenTree::Punct(colon), ..] => {
            matches!(colon.as_char(), ':' | '=') && colon.spacing() == Spacing::Alone
        }
        [TokenTree::Punct(hash), TokenTree::Group(group), ..] => {
            hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket
        }
        _ => false,
    }
}

/// `#[attribute] key: value`, of which the value may be missing.
pub(super) struct Row {
    pub(super) attributes: Vec<Attribute>,
    pub(super) key: Ident,
    /// `:`, or the sign in its place.
    pub(super) sign: TokenStream,
    pub(super) is_assigned: bool,
    pub(super) value: TokenStream,
}

impl Row {
    /// # Errors
    /// If it does not start with a key.
    pub(super) fn read(tokens: TokenStream) -> syn::Result<Self> {
        let (row, _) = parse_all(Self::parse, tokens)?;
        Ok(row)
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let begin = input.span();
        let expected = || Error::new(begin, "expected `key: value`");
        let key = input.call(Ident::parse_any).map_err(|_| expected())?;
        let is_key = key == "crate" || syn::parse2::<Ident>(key.to_token_stream()).is_ok();
        if !is_key || key == "_" {
            return Err(expected());
        }
        let mut rest = input.parse::<TokenStream>()?.into_iter();
        let (sign, is_assigned) = match rest.next() {
            None => (TokenStream::new(), false),
            Some(TokenTree::Punct(punct)) if punct.spacing() == Spacing::Alone && punct.as_char() == ':' => {
                (punct.into_token_stream(), false)
            }
            Some(TokenTree::Punct(punct)) if punct.spacing() == Spacing::Alone && punct.as_char() == '=' => {
                (punct.into_token_stream(), true)
            }
            Some(_) => return Err(Error::new(key.span(), format!("expected `{key}: value`"))),
        };
        Ok(Self { attributes, key, sign, is_assigned, value: rest.collect() })
    }
}

/// Parses a prefix of these tokens and returns the rest. An error at their end is reported on the last of them, where syn alone
/// would report it on the whole macro call.
pub(super) fn parse_all<T>(
    parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    tokens: TokenStream,
) -> syn::Result<(T, TokenStream)> {
    let last = tokens.clone().into_iter().last().map(|last| last.span());
    let mut group = Group::new(Delimiter::Parenthesis, tokens);
    if let Some(last) = last {
        group.set_span(last);
    }
    let inside = |input: ParseStream<'_>| {
        let content;
        parenthesized!(content in input);
        Ok((parse(&content)?, content.parse()?))
    };
    inside.parse2(TokenTree::Group(group).into())
}
