//! The procedural macros of trainspec. Use them through the `trainspec` crate, which documents them with
//! the types that they work on.
//!
//! Both are pipelines of the same stages: `parse` (tokens to syntax), `lower` (syntax to steps), `expand`
//! (steps to Rust), and after an error the item's public `face`. They know only syntax: no layer names, no
//! keys, no numeric rules. rustc reports type errors, on the user's own tokens.
#![forbid(unsafe_code)]

mod depth;
mod diagnostics;
mod docs;
mod literal;
mod model;
mod names;
mod path;
mod syntax;
mod train;

use proc_macro::TokenStream;

// Documented where it is re-exported, next to the types that the documentation links to.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn model(arguments: TokenStream, item: TokenStream) -> TokenStream {
    model::expand(arguments.into(), item.into()).into()
}

#[allow(missing_docs)]
#[proc_macro]
pub fn train(input: TokenStream) -> TokenStream {
    train::expand(input.into()).into()
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
