//! The minimum improvement for early stopping is negative.
//~ about: Stopping and saving

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        early_stop: EarlyStop { min_delta: -0.1 },
        //~ instead: early_stop: EarlyStop { min_delta: 0.1 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
