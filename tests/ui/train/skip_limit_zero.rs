//! The limit of skipped steps is 0.
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
        on_non_finite: Skip { limit: 0 },
        //~ instead: on_non_finite: Skip { limit: 20 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
