//! Two rules for steps whose gradients are not finite.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        precision: F16 { loss_scale: Dynamic },
        on_non_finite: Skip { limit: 3 },
    }
}

fn main() {}
