//! The number of steps is 0.
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
        steps: 0,
        //~ instead: steps: 100,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
