//! Steps to Rust: one emitted item, one file.

mod build;
mod checks;
mod emit;
mod layers;
mod shapes;
mod types;

use proc_macro2::TokenStream;
use quote::quote;

use super::ast::{Signature, Steps};
use crate::path::Runtime;

/// The whole item.
pub(super) fn model(runtime: &Runtime, signature: &Signature, body: &Steps) -> TokenStream {
    let layers = layers::layers(runtime, body);
    let types = types::types(runtime, signature, Some(&layers));
    let traits = types::traits(runtime, signature);
    let checks = checks::checks(runtime, &layers);
    let shapes = shapes::shapes(runtime, signature, body);
    let build = build::module(runtime, signature, body);
    let allowances = Runtime::allowances();
    quote! {
        #types
        #allowances
        const _: () = {
            #checks
            #shapes
            #traits
            #build
        };
    }
}

/// The item's public face, for use after an error: everything that other code may name, and no rules.
pub(super) fn face(runtime: &Runtime, signature: &Signature) -> TokenStream {
    let types = types::types(runtime, signature, None);
    let traits = types::traits(runtime, signature);
    let shapes = shapes::face(runtime, signature);
    let build = build::face(runtime, signature);
    let allowances = Runtime::allowances();
    quote! {
        #types
        #allowances
        const _: () = {
            #shapes
            #traits
            #build
        };
    }
}
