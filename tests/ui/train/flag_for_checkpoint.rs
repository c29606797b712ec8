//! `true` is used where a checkpoint configuration is expected.
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
        checkpoint: true,
        //~ instead: checkpoint: Checkpoint {},
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
