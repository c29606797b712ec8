//! Two invalid keys and a shape mismatch in one model are all reported.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image
        .conv2d(out = 8, kernel = 3, stride = 0)
        //~ instead: .conv2d(out = 8, kernel = 3, stride = 1)
        .leaky_relu(slope = f64::NAN)
        //~ instead: .leaky_relu(slope = 0.01)
        .global_avg_pool()
        .dropout(p = -0.5)
        //~ instead: .dropout(p = 0.5)
        .linear(out = 10)
}

fn main() {}
