//! The const generic argument of a model is missing.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Deep<const DEPTH: usize>(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10 * DEPTH)
}

train! {
    pub Run {
        model: Deep,
        //~ instead: model: Deep<1>,
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
