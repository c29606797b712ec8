//! `F16` and `on_non_finite` are both set.
//~ about: Precision

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
        //~ instead: precision: F16 { loss_scale: Dynamic, max_skips: 3 },
        on_non_finite: Skip { limit: 3 },
        //~ instead:
    }
}

fn main() {}
