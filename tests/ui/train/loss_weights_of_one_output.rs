//! A model with one output has a weight for its loss.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        loss_weights: [2.0],
        //~ instead:
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
