//! The number of epochs is an expression that evaluates to 0.
//~ about: Batches and length

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        epochs: 2 - 2,
        //~ instead: epochs: 2 + 2,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
