//! The minimum learning rate of `ReduceOnPlateau` is negative.
//~ about: Learning rate

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        schedule: [ReduceOnPlateau { min: -1e-6 }],
        //~ instead: schedule: [ReduceOnPlateau { min: 1e-6 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
