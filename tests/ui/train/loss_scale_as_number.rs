//! The loss scale is neither `Static` nor `Dynamic`.
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
        precision: F16 { loss_scale: 1024 },
        //~ instead: precision: F16 { loss_scale: Static(1024) },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
