//! The loss is a string.
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
        loss: "cross_entropy",
        //~ instead: loss: CrossEntropy,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
