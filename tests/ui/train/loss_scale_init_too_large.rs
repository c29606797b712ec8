//! The initial loss scale is too large.
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
        precision: F16 { loss_scale: Dynamic { init: 4_000_000_000 } },
        //~ instead: precision: F16 { loss_scale: Dynamic { init: 65_536 } },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
