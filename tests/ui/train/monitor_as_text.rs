//! The monitored value is a string.
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
        early_stop: EarlyStop { monitor: "val_loss" },
        //~ instead: early_stop: EarlyStop { monitor: ValLoss },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
