//! A phase of warmup, stable and decay without a decay.
//~ about: Learning rate

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>) -> Logits<10> {
    x.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        epochs: 20,
        schedule: Wsd { warmup: Steps(100) },
        //~ instead: schedule: Wsd { warmup: Steps(100), decay: Epochs(4) },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
