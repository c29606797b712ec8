//! A metric is used where a schedule phase is expected.
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
        schedule: [Accuracy],
        //~ instead: schedule: [Cosine],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
