//! The checkpoint interval is 0.
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
        checkpoint: Checkpoint { every: Steps(0) },
        //~ instead: checkpoint: Checkpoint { every: Steps(500) },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
