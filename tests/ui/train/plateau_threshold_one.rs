//! The threshold of `ReduceOnPlateau` is 1.
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
        schedule: [ReduceOnPlateau { threshold: 1.0 }],
        //~ instead: schedule: [ReduceOnPlateau { threshold: 1e-4 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
