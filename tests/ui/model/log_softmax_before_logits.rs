//! `log_softmax` is applied before a loss that expects logits.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10).log_softmax()
    //~ instead: image.flatten().linear(out = 10)
}

fn main() {}
