//! The initial share of a warmup is above 1.
//~ about: Learning rate

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        schedule: [Warmup { steps: 10, from: 1.5 }, Cosine],
        //~ instead: schedule: [Warmup { steps: 10, from: 0.1 }, Cosine],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
