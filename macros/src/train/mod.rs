//! `train!`: a block of keys becomes a training program.

mod ast;
mod expand;
mod facts;
mod parse;
mod rows;
mod value;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Diagnostics;

/// Parses and expands; after an error, returns the item's public face and every error.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let Some(train) = parse::train(input, &mut diagnostics) else {
        return diagnostics.into_compile_errors();
    };
    if diagnostics.is_empty() {
        return expand::train(&train);
    }
    let face = expand::face(&train);
    let errors = diagnostics.into_compile_errors();
    quote!(#face #errors)
}
