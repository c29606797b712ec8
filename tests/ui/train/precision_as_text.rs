//! The precision is a string.
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
        precision: "bf16",
        //~ instead: precision: Bf16,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
