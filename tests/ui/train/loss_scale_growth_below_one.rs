//! The growth factor of a dynamic loss scale is below 1.
//~ about: Precision

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        precision: F16 { loss_scale: Dynamic { growth: 0.5 } },
        //~ instead: precision: F16 { loss_scale: Dynamic { growth: 2.0 } },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
