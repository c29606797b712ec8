//! A Rust type is used where a precision is expected.
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
        precision: f32,
        //~ instead: precision: F32,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
