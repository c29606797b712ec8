//! A classification model has only one class.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(x: Features<2>) -> Logits<1> {
//~ instead: fn Net(x: Features<2>) -> Logits<2> {
    x.linear(out = 1)
    //~ instead: x.linear(out = 2)
}

fn points() -> trainspec::Result<trainspec::data::InMemory<Features<2>, Class<1>>> {
//~ instead: fn points() -> trainspec::Result<trainspec::data::InMemory<Features<2>, Class<2>>> {
    trainspec::data::InMemory::new(vec![0.0; 8], vec![0; 4])
}

train! {
    Digits {
        model: Net,
        data: points(),
        batch: 8,
    }
}

fn main() {}
