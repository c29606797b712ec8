//! `softmax` is applied in a `let` before a loss that expects logits.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    let probabilities = image.flatten().linear(out = 10).softmax();
    //~ instead: let probabilities = image.flatten().linear(out = 10);
    probabilities
}

fn main() {}
