//! The `eps` of a batch normalization is negative.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.batch_norm(eps = -1e-5).flatten().linear(out = 10)
    //~ instead: image.batch_norm(eps = 1e-5).flatten().linear(out = 10)
}

fn main() {}
