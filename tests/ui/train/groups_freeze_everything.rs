//! The parameter groups freeze all parameters.
//~ about: Gradients and weights

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        groups: [Group { pattern: "**.bias", lr: 0.5 }, Group { pattern: "**", freeze: true }],
        //~ instead: groups: [Group { pattern: "**.bias", lr: 0.5 }, Group { pattern: "**.weight", freeze: true }],
    }
}

fn main() {}
