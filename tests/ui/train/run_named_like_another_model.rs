//! A run has the name of a model that it does not train.
//~ about: The block and its keys

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

#[model]
fn Deep(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 32).relu().linear(out = 10)
}

train! {
    pub Deep {
    //~ instead: pub Run {
        model: Net,
        data: Digits8x8::embedded(),
    }
}

fn main() {}
