//! A small convolutional network for MNIST-sized images.

use trainspec::prelude::*;

use crate::data::classified;

#[model]
pub(crate) fn ConvNet(image: Image<1, 28, 28>) -> Logits<10> {
    image
        .conv2d(out = 32, kernel = 3, padding = 1)
        .batch_norm()
        .relu()
        .max_pool2d(kernel = 2)
        .conv2d(out = 64, kernel = 3, padding = 1)
        .batch_norm()
        .relu()
        .max_pool2d(kernel = 2)
        .flatten()
        .linear(out = 128)
        .relu()
        .dropout(p = 0.5)
        .linear(out = 10)
}

train! {
    /// A small convolutional network.
    pub(crate) W2 {
        model: ConvNet,
        data: classified::<Image<1, 28, 28>, 10>(64),
        batch: 64,
        steps: 1_000_000_000,
        optimizer: Sgd { lr: 0.01, momentum: 0.9 },
    }
}
