//! ResNet-20 for images of 32 by 32 pixels (He et al. 2016).

use trainspec::prelude::*;

use crate::data::classified;

/// Two convolutions with a residual connection.
#[model]
pub(crate) fn Block(x: Value, out: usize, #[default(1)] stride: usize) -> Value {
    let first =
        x.conv2d(out = out, kernel = 3, stride = stride, padding = 1, bias = false).batch_norm().relu();
    let second = first.conv2d(out = out, kernel = 3, padding = 1, bias = false).batch_norm();
    let around = if stride > 1 {
        x.conv2d(out = out, kernel = 1, stride = stride, bias = false).batch_norm()
    } else {
        x
    };
    (second + around).relu()
}

#[model]
pub(crate) fn ResNet20(image: Image<3, 32, 32>) -> Logits<10> {
    let mut x = image.conv2d(out = 16, kernel = 3, padding = 1, bias = false).batch_norm().relu();
    for _ in 0..3 {
        x = x.block(out = 16);
    }
    x = x.block(out = 32, stride = 2).block(out = 32).block(out = 32);
    x = x.block(out = 64, stride = 2).block(out = 64).block(out = 64);
    x.global_avg_pool().linear(out = 10)
}

train! {
    /// ResNet-20.
    pub(crate) W3 {
        model: ResNet20,
        data: classified::<Image<3, 32, 32>, 10>(64),
        batch: 64,
        steps: 1_000_000_000,
        optimizer: Sgd { lr: 0.1, momentum: 0.9, nesterov: true, l2: 5e-4, decay: Decay::All },
    }
}
