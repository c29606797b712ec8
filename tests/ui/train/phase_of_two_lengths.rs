//! A phase has a length in steps and another in epochs.
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
        schedule: [Warmup { steps: 100, epochs: 1 }, Cosine],
        //~ instead: schedule: [Warmup { steps: 100 }, Cosine],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
