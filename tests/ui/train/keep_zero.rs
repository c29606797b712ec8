//! The number of checkpoints to keep is 0.
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
        checkpoint: Checkpoint { keep: 0 },
        //~ instead: checkpoint: Checkpoint { keep: 3 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
