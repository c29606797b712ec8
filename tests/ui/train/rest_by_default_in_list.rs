//! The default of a type is used in a list element.
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
        schedule: [Warmup { steps: 10, ..Warmup::default() }, Cosine],
        //~ instead: schedule: [Warmup { steps: 10 }, Cosine],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
