//! The minimum loss scale is above the initial one.
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
        precision: F16 { loss_scale: Dynamic { init: 1024, min: 2048 } },
        //~ instead: precision: F16 { loss_scale: Dynamic { init: 2048, min: 1024 } },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
