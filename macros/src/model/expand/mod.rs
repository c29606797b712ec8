//! Steps to Rust: one file for each emitted item.

mod build;
mod checks;
mod emit;
mod layers;
mod shapes;
mod types;

use proc_macro2::TokenStream;
use quote::quote;

use super::ast::{Seen, Signature, Steps};
use crate::path::Runtime;

/// The whole item.
pub(super) fn model(runtime: &Runtime, signature: &Signature, body: &Steps) -> TokenStream {
    let layers = layers::layers(body);
    let types = types::types(runtime, signature, &layers);
    let checks = checks::checks(&layers);
    let shapes = shapes::shapes(signature, body);
    let traits = types::traits(signature);
    let build = build::module(signature, body);
    let block = runtime.block(&quote!(#checks #shapes #traits #build));
    // The table of layers contains the user's tokens as strings. It comes last: an editor that completes a word locates it by the
    // amount of text before it, with and without the typed letters.
    quote!(#block #types)
}

/// The item's public face, for use after an error: everything that other code may name, and the checks of the layers that
/// could be parsed.
pub(super) fn face(runtime: &Runtime, signature: &Signature, seen: &[Seen]) -> TokenStream {
    let checks = checks::seen(seen);
    let types = types::types(runtime, signature, &[]);
    let shapes = shapes::face(signature);
    let traits = types::traits(signature);
    let build = build::face(signature);
    let block = runtime.block(&quote!(#checks #shapes #traits #build));
    quote!(#types #block)
}
