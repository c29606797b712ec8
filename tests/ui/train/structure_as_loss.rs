//! A key is set to a struct that is not a configuration.
//~ about: Loss and metrics

use trainspec::prelude::*;

struct Mine {}

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        loss: Mine {},
        //~ instead: loss: CrossEntropy,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
