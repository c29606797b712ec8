//! Two bad keys and a wrong shape in one model: all three are reported.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image
        .conv2d(out = 8, kernel = 3, stride = 0)
        .leaky_relu(slope = f64::NAN)
        .global_avg_pool()
        .dropout(p = -0.5)
        .linear(out = 10)
}

fn main() {}
