//! The patience of early stopping is 0.
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
        early_stop: EarlyStop { patience: 0 },
        //~ instead: early_stop: EarlyStop { patience: 5 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
