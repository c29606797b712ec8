//! Changes to a tree of tokens.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use proptest::prelude::*;
use proptest::sample::Index;

use super::count;

/// One change, at a position in preorder: groups before their contents.
#[derive(Clone, Debug)]
pub(super) struct Change {
    kind: Kind,
    at: Index,
    other: Index,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Delete,
    Repeat,
    RepeatOften,
    SwapWithNext,
    Replace,
    Insert,
    Wrap,
    WrapOften,
    Unwrap,
    Splice,
    Truncate,
}

impl Arbitrary for Change {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let kinds = prop::sample::select(vec![
            Kind::Delete,
            Kind::Repeat,
            Kind::RepeatOften,
            Kind::SwapWithNext,
            Kind::Replace,
            Kind::Replace,
            Kind::Insert,
            Kind::Insert,
            Kind::Wrap,
            Kind::WrapOften,
            Kind::Unwrap,
            Kind::Splice,
            Kind::Truncate,
        ]);
        (kinds, any::<Index>(), any::<Index>()).prop_map(|(kind, at, other)| Self { kind, at, other }).boxed()
    }
}

/// Words and signs with a meaning in some context, and some without any. Entries of several tokens
/// are inserted as such.
const TOKENS: &[&str] = &[
    "x",
    "Net",
    "model",
    "data",
    "crate",
    "self",
    "Self",
    "super",
    "_",
    "r#type",
    "r#x",
    "__ra_fixup",
    "fn",
    "let",
    "mut",
    "for",
    "in",
    "if",
    "else",
    "const",
    "static",
    "use",
    "impl",
    "dyn",
    "async",
    "unsafe",
    "return",
    "match",
    "while",
    "loop",
    "struct",
    "where",
    "ref",
    "move",
    "box",
    "gen",
    "pub",
    "extern",
    "true",
    "linear",
    "out",
    "Logits",
    "Value",
    "Crate",
    "Loop",
    "usize",
    "0",
    "1",
    "3e-3",
    "1e999",
    "0xffffffffffffffffffffffffffffffffffffffff",
    "99999999999999999999999999999999999999999u8",
    "1_usize",
    "2.5f32",
    "0b2",
    "0o9",
    "1.",
    "'a'",
    "b'a'",
    "'a",
    "\"text\"",
    "\"\\u{1F600}\"",
    "b\"bytes\"",
    "c\"text\"",
    "r##\"raw\"##",
    "br\"raw\"",
    "\"suffix\"sfx",
    "-1",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "!",
    "&",
    "&&",
    "|",
    "||",
    "<",
    ">",
    "<<",
    ">>=",
    "=",
    "==",
    "=>",
    "->",
    "..",
    "..=",
    "...",
    ".",
    ",",
    ";",
    ":",
    "::",
    "#",
    "#!",
    "$",
    "?",
    "@",
    "~",
    "'",
    "#[cfg(a)]",
    "#[default(1)]",
    "#![a]",
    "/// text\n",
    "pub(crate)",
    "<T as U>::V",
    "let y = x;",
    "x = x.relu();",
    "y: u8",
    "#[default(2)] y: A",
    "key: value,",
    "..DEFAULT",
    "A { a: 1 }",
    "A { b",
    "|a, b|",
    "x.a",
    "x.relu()",
    "macro_rules! a { () => {} }",
    "'a: {}",
    "é",
    "İ",
    "名",
];

impl Change {
    /// The tokens with the change.
    pub(super) fn apply(&self, tokens: TokenStream, seeds: &[TokenStream]) -> TokenStream {
        let length = count(&tokens);
        if length == 0 {
            return self.new_tokens();
        }
        let at = self.at.index(length);
        let delimiters = [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
        let delimiter = delimiters[self.other.index(delimiters.len())];
        let wrap = |token| TokenTree::Group(Group::new(delimiter, TokenStream::from_iter([token])));
        match self.kind {
            Kind::Delete => edit(tokens, at, &mut |_| TokenStream::new()),
            Kind::Repeat => edit(tokens, at, &mut |token| [token.clone(), token].into_iter().collect()),
            Kind::RepeatOften => {
                // Only short pieces: the input grows with every change.
                let times = if length < 1_000 { self.other.index(300) } else { 2 };
                edit(tokens, at, &mut |token| {
                    let times = if count(&token.clone().into()) < 20 { times } else { 2 };
                    std::iter::repeat_n(token, times).collect()
                })
            }
            Kind::SwapWithNext => {
                let mut taken = TokenStream::new();
                let rest = edit(tokens, at, &mut |token| {
                    taken = token.into();
                    TokenStream::new()
                });
                if count(&rest) == 0 {
                    return taken;
                }
                let at = at.min(count(&rest) - 1);
                edit(rest, at, &mut |token| {
                    [token.into(), taken.clone()].into_iter().collect::<TokenStream>()
                })
            }
            Kind::Replace => edit(tokens, at, &mut |_| self.new_tokens()),
            Kind::Insert => {
                edit(tokens, at, &mut |token| [token.into(), self.new_tokens()].into_iter().collect())
            }
            Kind::Wrap => edit(tokens, at, &mut |token| wrap(token).into()),
            Kind::WrapOften => {
                let times = self.other.index(400);
                edit(tokens, at, &mut |token| (0..times).fold(token, |token, _| wrap(token)).into())
            }
            Kind::Unwrap => edit(tokens, at, &mut |token| match token {
                TokenTree::Group(group) => group.stream(),
                other => other.into(),
            }),
            Kind::Splice => {
                let other = seeds[self.other.index(seeds.len())].clone();
                let piece = nth(&other, self.at.index(count(&other).max(1)));
                edit(tokens, at, &mut |token| [token.into(), piece.clone()].into_iter().collect())
            }
            Kind::Truncate => prefix(&tokens, at),
        }
    }

    fn new_tokens(&self) -> TokenStream {
        TOKENS[self.other.index(TOKENS.len())].parse().unwrap_or_default()
    }
}

/// Replaces the token at this position.
fn edit(tokens: TokenStream, at: usize, change: &mut dyn FnMut(TokenTree) -> TokenStream) -> TokenStream {
    fn walk(
        tokens: TokenStream,
        left: &mut usize,
        change: &mut dyn FnMut(TokenTree) -> TokenStream,
    ) -> TokenStream {
        let mut out = TokenStream::new();
        for token in tokens {
            if *left == 0 {
                *left = usize::MAX;
                out.extend(change(token));
                continue;
            }
            *left -= 1;
            out.extend([match token {
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), walk(group.stream(), left, change));
                    inner.set_span(group.span());
                    TokenTree::Group(inner)
                }
                other => other,
            }]);
        }
        out
    }
    walk(tokens, &mut { at }, change)
}

fn nth(tokens: &TokenStream, at: usize) -> TokenStream {
    let mut found = TokenStream::new();
    edit(tokens.clone(), at, &mut |token| {
        found = token.clone().into();
        token.into()
    });
    found
}

/// The first tokens, with open groups closed.
pub(super) fn prefix(tokens: &TokenStream, length: usize) -> TokenStream {
    fn walk(tokens: TokenStream, left: &mut usize) -> TokenStream {
        let mut out = TokenStream::new();
        for token in tokens {
            if *left == 0 {
                break;
            }
            *left -= 1;
            out.extend([match token {
                TokenTree::Group(group) => {
                    TokenTree::Group(Group::new(group.delimiter(), walk(group.stream(), left)))
                }
                other => other,
            }]);
        }
        out
    }
    walk(tokens.clone(), &mut { length })
}
