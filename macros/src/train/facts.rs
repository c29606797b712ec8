//! Collects the static facts of values, for rules across keys: the runtime's `Facts`.
//!
//! A literal reports facts by its `check`, and an element of a list also by its type. Any other value has none.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use super::ast::Element;
use crate::literal::{completed, is_struct};
use crate::syntax::peeled;

/// The name of the whole spec where the facts of its values are read.
pub(super) fn whole() -> Ident {
    Ident::new("__spec", Span::call_site())
}

/// A key with one value.
pub(super) fn one(key: &Ident, value: &Expr, completed: &TokenStream) -> TokenStream {
    let key = key.unraw().to_string();
    if let Expr::Tuple(tuple) = peeled(value) {
        // One for each part: no facts of one that is not a literal.
        let facts = tuple.elems.iter().map(|part| {
            if is_literal(part) {
                of_literal(part, &completed_part(part))
            } else {
                quote!(__t::Facts::NOTHING)
            }
        });
        return quote!((#key, &[#(#facts),*]));
    }
    let facts = is_literal(value).then(|| of_literal(value, completed));
    quote!((#key, &[#facts]))
}

/// The facts of a literal.
fn of_literal(value: &Expr, completed: &TokenStream) -> TokenStream {
    quote_spanned! {word(value)=> {
        let __value = #completed;
        __t::named(&__value, __t::with_facts(__t::check_returned(__value.check())).known())
    }}
}

/// A part of a tuple, completed; its own checks are emitted with the whole value.
fn completed_part(part: &Expr) -> TokenStream {
    completed(part, &mut Vec::new())
}

/// A key with a list.
pub(super) fn list(key: &Ident, values: &[Element], completed: &[TokenStream]) -> TokenStream {
    let key = key.unraw().to_string();
    let whole = whole();
    let facts = values.iter().zip(completed).map(|(element, completed)| {
        let Element { attributes, value, .. } = element;
        if is_literal(value) {
            let completed = completed_part(value);
            let placed = element.placed(&quote_spanned!(word(value)=> __value));
            return quote_spanned! {word(value)=> #(#attributes)* {
                let __value = #completed;
                __t::by_type(#whole, __t::with_facts(__t::check_returned(__value.check())).known(), |__kinds| {
                    (&&&__t::Probe::of(__kinds, &#placed)).__look()
                })
            }};
        }
        quote_spanned! {word(value)=>
            #(#attributes)* __t::by_type(#whole, __t::Facts::NOTHING, |__kinds| {
                (&&&__t::Probe::of(__kinds, &#completed)).__look()
            })
        }
    });
    quote!((#key, &[#(#facts),*]))
}

/// The user's token for a value: the name of a literal's type.
pub(super) fn word(value: &Expr) -> Span {
    match value {
        Expr::Struct(literal) => {
            literal.path.segments.last().map_or_else(|| value.span(), |last| last.ident.span())
        }
        other => other.span(),
    }
}

fn is_literal(value: &Expr) -> bool {
    matches!(value, Expr::Struct(literal) if is_struct(literal))
}
