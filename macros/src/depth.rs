//! Limits the nesting depth of tokens before syn parses them: its parser and ours recurse, and a stack overflow
//! crashes the compiler.

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use syn::Error;

/// The stack budget in kilobytes: with the macros' own use, well below the 8 MiB of the compiler and editors.
const LIMIT: usize = 3_000;

// The stack use of one nesting level in an unoptimized macro, in kilobytes: measured, rounded up.
/// The contents of brackets.
const GROUP: usize = 14;
/// The contents of angle brackets.
const ANGLE: usize = 36;
/// A keyword that more can follow, as in `return return x`.
const KEYWORD: usize = 14;
/// An operator before or between operands, as in `- - x`.
const OPERATOR: usize = 6;
/// A further call, index or field of the same value: parsed in a loop, but stored as a tree.
const POSTFIX: usize = 3;

const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "dyn", "else", "extern", "fn", "for", "if", "impl", "in",
    "let", "loop", "match", "move", "mut", "ref", "return", "static", "unsafe", "where", "while", "yield",
];

/// Checks that a parser can read these tokens without overflowing the stack.
///
/// # Errors
/// On the first token that is nested too deeply.
pub(crate) fn check(tokens: &TokenStream) -> Result<(), Error> {
    walk(tokens, 0).map_err(|span| {
        Error::new(
            span,
            "this is nested too deeply to be read; move parts of it into a `let` in a model, or a `const` outside the macro",
        )
    })
}

/// Sums the cost of each token: the groups around it, and the operators before it in its own expression.
fn walk(tokens: &TokenStream, around: usize) -> Result<(), Span> {
    let mut cost = around;
    // The cost up to each open angle bracket, and whether a closure's parameters are open.
    let (mut angles, mut in_parameters) = (Vec::new(), false);
    let (mut arrow, mut word) = (false, false);
    let mut tokens = tokens.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let (was_arrow, was_word) = (std::mem::take(&mut arrow), std::mem::take(&mut word));
        match &token {
            TokenTree::Literal(_) => {}
            TokenTree::Ident(ident) => {
                word = true;
                if KEYWORDS.iter().any(|keyword| ident == keyword) {
                    cost += KEYWORD;
                }
            }
            TokenTree::Group(group) => {
                walk(&group.stream(), cost + GROUP)?;
                // The dot of `.layer()` is already counted.
                if !was_word {
                    cost += POSTFIX;
                }
                let ends =
                    group.delimiter() == Delimiter::Brace && tokens.peek().is_none_or(begins_statement);
                if ends {
                    (cost, in_parameters) = (around, false);
                    angles.clear();
                }
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ';' => {
                    (cost, in_parameters) = (around, false);
                    angles.clear();
                }
                ',' if angles.is_empty() && !in_parameters => cost = around,
                // Any number of attributes can follow each other, such as the lines of a doc comment.
                '#' => {
                    if let Some(TokenTree::Group(group)) =
                        tokens.next_if(|next| matches!(next, TokenTree::Group(_)))
                    {
                        walk(&group.stream(), cost + GROUP)?;
                    }
                }
                '<' => {
                    angles.push(cost);
                    cost += ANGLE;
                }
                '>' if !was_arrow => {
                    if let Some(before) = angles.pop() {
                        cost = before + POSTFIX;
                    }
                }
                ':' | ',' => {}
                '.' | '?' => cost += POSTFIX,
                other => {
                    // In a type, `&` uses more stack.
                    cost += if other == '&' { 2 * OPERATOR } else { OPERATOR };
                    in_parameters ^= other == '|';
                    arrow = matches!(other, '-' | '=') && punct.spacing() == Spacing::Joint;
                }
            },
        }
        if cost > LIMIT {
            return Err(token.span());
        }
    }
    Ok(())
}

/// Whether a token after `}` cannot continue the same expression.
fn begins_statement(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(word) => word != "else" && word != "as",
        TokenTree::Punct(punct) => punct.as_char() == '#',
        TokenTree::Group(_) | TokenTree::Literal(_) => true,
    }
}
