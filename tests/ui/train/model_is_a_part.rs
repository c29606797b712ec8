//! A model without a fixed input shape is used in `train!`.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(image: Value) -> Value {
//~ instead: fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
