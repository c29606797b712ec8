//! Reads doc comments, for messages and for help.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The first line of a documentation comment.
pub(crate) fn first_line(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    })
}

/// The first line as part of a sentence: `the number of heads`.
pub(crate) fn meaning(attributes: &[Attribute]) -> Option<String> {
    let line = first_line(attributes)?;
    let mut letters = line.trim_end_matches('.').chars();
    let first = letters.next()?;
    Some(first.to_lowercase().chain(letters).collect())
}
