//! Tokens to syntax: keys one by one, so that an error in one does not affect the others.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, Ident, Path, Type, Visibility};

use super::ast::{Entry, ModelKeys, Train, Value};
use super::rows::{Row, parse_all, rows};
use super::value::{Read, refuse_calls, value};
use crate::depth;
use crate::diagnostics::Diagnostics;
use crate::path::{Runtime, local};
use crate::syntax::is_bounds;

/// Parses the block; `None` if it has no face, because it has no name.
pub(super) fn train(input: TokenStream, diagnostics: &mut Diagnostics) -> Option<Train> {
    let head = match Head::read(input) {
        Ok(head) => head,
        Err(error) => {
            diagnostics.push(error);
            return None;
        }
    };
    if let Some(first) = head.after.into_iter().next() {
        diagnostics.error(first, "expected nothing after the block; one `train!` declares one program");
    }
    let mut reader = Reader {
        train: Train {
            runtime: Runtime::default(),
            docs: head.docs,
            visibility: head.visibility,
            name: head.name,
            model: None,
            model_keys: ModelKeys::Default,
            data: None,
            entries: Vec::new(),
            half_typed: Vec::new(),
            is_named_like_model: false,
        },
        mentioned: Vec::new(),
        later: None,
        diagnostics,
    };
    for tokens in rows(head.body) {
        reader.row(tokens);
        while let Some(rest) = reader.later.take() {
            reader.row(rest);
        }
    }
    reader.required("model", "model: DigitNet");
    reader.required("data", "data: Digits8x8::embedded()");
    Some(reader.train)
}

/// `/// docs` `pub Name { … }`
struct Head {
    docs: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    body: TokenStream,
    after: TokenStream,
}

impl Head {
    /// Extracts the block before anything is parsed: its rows are parsed one by one.
    fn read(input: TokenStream) -> syn::Result<Self> {
        let mut tokens = input.into_iter();
        let mut head = TokenStream::new();
        let mut body = None;
        for token in tokens.by_ref() {
            match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    body = Some(group.stream());
                    break;
                }
                other => head.extend([other]),
            }
        }
        depth::check(&head)?;
        let parse = |input: ParseStream<'_>| {
            let docs = input.call(Attribute::parse_outer)?;
            let visibility = input.parse::<Visibility>()?;
            let name = input.parse::<Ident>().map_err(|error| {
                Error::new(error.span(), "expected the program's name: `train! { pub Digits { … } }`")
            })?;
            Ok((docs, visibility, name, input.parse::<TokenStream>()?))
        };
        let (docs, visibility, name, between) = parse.parse2(head)?;
        match body {
            Some(body) if between.is_empty() => {
                Ok(Self { docs, visibility, name, body, after: tokens.collect() })
            }
            _ => {
                let message = "expected the program's name and its keys: `pub Name { model: …, data: … }`";
                Err(Error::new_spanned(&name, message))
            }
        }
    }
}

struct Reader<'a> {
    train: Train,
    /// Keys that were found, valid or not.
    mentioned: Vec<Ident>,
    /// The row after one whose comma is missing.
    later: Option<TokenStream>,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    /// One key with its value.
    fn row(&mut self, tokens: TokenStream) {
        if let Err(error) = depth::check(&tokens) {
            // Its key counts as found.
            if let Some(TokenTree::Ident(key)) = tokens.into_iter().next() {
                self.mentioned.push(key);
            }
            return self.diagnostics.push(error);
        }
        let row = match Row::read(tokens.clone()) {
            Ok(row) => row,
            Err(error) => {
                self.diagnostics.push(error);
                self.half_typed(tokens);
                return;
            }
        };
        if row.is_assigned {
            self.diagnostics.error(&row.sign, format!("write `{}: value`, with `:` instead of `=`", row.key));
        }
        for attribute in row.attributes.iter().filter(|attribute| !attribute.path().is_ident("cfg")) {
            self.diagnostics.error(attribute, "expected `#[cfg(…)]` or a key; write a comment with `//`");
        }
        let cfg: Vec<_> =
            row.attributes.into_iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
        let key = row.key;
        let given_before = self.mentioned.iter().any(|found| found.unraw() == key.unraw());
        self.mentioned.push(key.clone());
        if given_before && cfg.is_empty() {
            self.diagnostics.error(&key, format!("`{key}` is specified twice; remove one"));
            return;
        }
        if row.value.is_empty() {
            self.diagnostics.error(&key, format!("expected `{key}: value`"));
            if key != "crate" {
                self.train.half_typed.push(key);
            }
            return;
        }
        if (key == "crate" || key == "model" || key == "data")
            && let Some(attribute) = cfg.first()
        {
            let message = format!("`{key}` takes one value; put the `#[cfg]` on the whole `train!`");
            self.diagnostics.error(attribute, message);
        }
        if key == "crate" {
            match parse_all(Path::parse_mod_style, row.value) {
                Ok((path, rest)) => {
                    self.train.runtime = Runtime::at(&path);
                    self.leftover(rest);
                }
                Err(error) => self.diagnostics.push(error),
            }
        } else if key.unraw() == "model" {
            self.model_row(&key, row.value);
        } else if key.unraw() == "data" {
            match parse_all(Expr::parse, row.value) {
                Ok((data, rest)) => {
                    refuse_calls([&data], self.diagnostics);
                    if !self.refuse_own_name(data.to_token_stream()) {
                        self.train.data = Some((key.unraw(), data));
                    }
                    self.leftover(rest);
                }
                Err(error) => self.diagnostics.push(unreadable(&key, &error)),
            }
        } else if self.refuse_own_name(row.value.clone()) {
            self.train.half_typed.push(key);
        } else {
            match value(&key, row.value, self.diagnostics) {
                Some(read) => {
                    self.train.entries.push(Entry {
                        attributes: cfg,
                        key,
                        value: read.value,
                        whole: read.whole,
                    });
                    self.leftover(read.rest);
                }
                None => self.train.half_typed.push(key),
            }
        }
    }

    /// The model, with its keys if there are any.
    fn model_row(&mut self, key: &Ident, value: TokenStream) {
        match parse_all(Type::parse, value) {
            Ok((model, _)) if matches!(model, Type::Reference(_)) || is_bounds(&model) => self
                .diagnostics
                .error(model, "expected the name of a model, such as `DigitNet` or `CharGpt<4>`"),
            Ok((model, rest)) => {
                if self.refuse_own_name(model.to_token_stream()) {
                    self.train.is_named_like_model = true;
                }
                let rest = self.model_keys(key, &model, rest);
                self.train.model = Some((key.unraw(), model));
                match rest.clone().into_iter().next() {
                    Some(first) if Row::read(rest.clone()).is_err() => self.diagnostics.error(
                        first,
                        "expected only the name of a model and its keys, such as `DigitNet` or `CharGpt { depth: 4 }`",
                    ),
                    _ => self.leftover(rest),
                }
            }
            Err(error) => self.diagnostics.push(Error::new(
                error.span(),
                "expected the name of a model, such as `DigitNet` or `CharGpt<4>`",
            )),
        }
    }

    /// Parses `{ key: value, … }` after the type of the model, and returns the tokens after it.
    fn model_keys(&mut self, key: &Ident, model: &Type, rest: TokenStream) -> TokenStream {
        let mut tokens = rest.clone().into_iter();
        let Some(TokenTree::Group(braces)) = tokens.next() else { return rest };
        if braces.delimiter() != Delimiter::Brace {
            return rest;
        }
        self.refuse_own_name(braces.stream());
        // The type may have generics, which an expression would need `::` for; in the expansion it has this name.
        let name = local("__Itself", last_word(model));
        let literal = TokenStream::from_iter([TokenTree::Ident(name), TokenTree::Group(braces)]);
        let read = value(key, literal, self.diagnostics);
        self.train.model_keys = match read {
            Some(Read { value: Value::One(Expr::Struct(literal)), whole, .. }) => {
                let literal = Box::new(literal);
                if whole { ModelKeys::Given(literal) } else { ModelKeys::Broken(Some(literal)) }
            }
            _ => ModelKeys::Broken(None),
        };
        tokens.collect()
    }

    /// Rejects a value that is meant to name something else, but names the run itself: the run shadows an item of the same name
    /// from a glob import such as the prelude's. Returns whether there is such a value.
    fn refuse_own_name(&mut self, value: TokenStream) -> bool {
        let name = self.train.name.clone();
        let Some(word) = first_word(value, &name) else { return false };
        let message = format!(
            "`{word}` is the name of this run, which hides every other `{word}` here; rename the run, such as `{name}Run`"
        );
        self.diagnostics.error(&word, message);
        true
    }

    /// Reports the tokens after a value where a comma is expected: often the next key.
    fn leftover(&mut self, rest: TokenStream) {
        let Some(first) = rest.clone().into_iter().next() else { return };
        self.diagnostics.error(first, "expected `,` and the next `key: value`");
        if is_row(&rest) {
            self.later = Some(rest);
        } else {
            self.half_typed(rest);
        }
    }

    /// A key that is being typed before another one: `bat optimizer: Sgd {}`.
    fn half_typed(&mut self, tokens: TokenStream) {
        if let Ok((key, rest)) = parse_all(Ident::parse, tokens)
            && is_row(&rest)
        {
            self.mentioned.push(key.clone());
            self.train.half_typed.push(key);
            self.later = Some(rest);
        }
    }

    /// Reports a required key that is missing; an invalid one was already reported.
    fn required(&mut self, key: &str, example: &str) {
        if self.mentioned.iter().any(|found| found.unraw() == key) {
            return;
        }
        let misspelt = self.mentioned.iter().find(|found| is_one_slip_from(&found.to_string(), key));
        match misspelt {
            Some(found) => {
                let found = found.clone();
                self.train.entries.retain(|entry| entry.key != found);
                self.diagnostics
                    .error(&found, format!("`{found}` is not a key; a key with a similar name is `{key}`"));
            }
            None => {
                let name = &self.train.name;
                self.diagnostics
                    .error(name, format!("`{name}` is missing the key `{key}`; add it, such as `{example}`"));
            }
        }
    }
}

/// The first position at which a value uses this name alone: not as a part of a longer path, and not as a key.
fn first_word(value: TokenStream, name: &Ident) -> Option<Ident> {
    let tokens: Vec<TokenTree> = value.into_iter().collect();
    tokens.iter().enumerate().find_map(|(place, token)| match token {
        TokenTree::Group(group) => first_word(group.stream(), name),
        TokenTree::Ident(word) if word.unraw() == name.unraw() => {
            let is = |token: Option<&TokenTree>, sign| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign);
            let follows = place > 0 && (is(tokens.get(place - 1), ':') || is(tokens.get(place - 1), '.'));
            let is_key = is(tokens.get(place + 1), ':') && !is(tokens.get(place + 2), ':');
            // In `key: Name` it also follows a colon.
            let is_in_path = follows && (place < 2 || is(tokens.get(place - 2), ':') || is(tokens.get(place - 1), '.'));
            (!is_in_path && !is_key).then(|| word.clone())
        }
        _ => None,
    })
}

/// The position of a type's name.
fn last_word(ty: &Type) -> Span {
    match ty {
        Type::Path(path) => path.path.segments.last().map_or_else(|| ty.span(), |last| last.ident.span()),
        other => other.span(),
    }
}

/// The error for a value that syn cannot parse.
pub(super) fn unreadable(key: &Ident, error: &Error) -> Error {
    Error::new(error.span(), format!("the value of `{key}` cannot be read: {error}"))
}

/// Whether these tokens are a key with a value.
fn is_row(tokens: &TokenStream) -> bool {
    Row::read(tokens.clone()).is_ok_and(|row| !row.value.is_empty())
}

/// Whether one letter is missing, extra, wrong, or swapped with its neighbor.
fn is_one_slip_from(found: &str, key: &str) -> bool {
    let (found, key): (Vec<_>, Vec<_>) = (found.chars().collect(), key.chars().collect());
    let head = found.iter().zip(&key).take_while(|(a, b)| a == b).count();
    let (found, key) = (&found[head..], &key[head..]);
    let tail = found.iter().rev().zip(key.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&found[..found.len() - tail], &key[..key.len() - tail]) {
        ([], [_]) | ([_], [] | [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_one_slip_from;

    #[test]
    fn slips() {
        for found in ["dat", "adta", "daat", "datas", "dota", "ata"] {
            assert!(is_one_slip_from(found, "data"), "{found}");
        }
        for found in ["data", "batch", "da", "ad", "date_", ""] {
            assert!(!is_one_slip_from(found, "data"), "{found}");
        }
    }
}
