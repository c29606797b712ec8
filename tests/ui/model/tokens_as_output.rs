//! The return type of a model is `Tokens`, a target type.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> Tokens<65, 16> {
//~ instead: fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 32).linear(out = 65)
}

fn main() {}
