//! The key `data` is misspelled.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        dat: Digits8x8::embedded(),
        //~ instead: data: Digits8x8::embedded(),
        batch: 64,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
