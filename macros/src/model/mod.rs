//! `#[model]`: a function becomes a model.

mod ast;
mod expand;
mod lower;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Diagnostics;
use crate::path::Runtime;

/// Parses, lowers and expands; after an error, returns the item's public face and every error.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let runtime = syn::parse2::<Runtime>(arguments).unwrap_or_else(|error| {
        diagnostics.push(error);
        Runtime::default()
    });
    let Some((signature, body)) = parse::function(item, &mut diagnostics) else {
        return diagnostics.into_compile_errors();
    };
    let body = body.map(|body| lower::body(&signature, &body, &mut diagnostics));
    if let (true, Some(body)) = (diagnostics.is_empty(), &body) {
        return expand::model(&runtime, &signature, &body.steps);
    }
    let seen = body.map(|body| body.seen).unwrap_or_default();
    let face = expand::face(&runtime, &signature, &seen);
    let errors = diagnostics.into_compile_errors();
    quote!(#face #errors)
}
