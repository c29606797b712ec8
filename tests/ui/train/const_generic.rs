//! A shape mismatch occurs only for one const generic argument of a model.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net<const DEPTH: usize>(image: Image<1, 8, 8>) -> Logits<10> {
    let mut x = image;
    for _ in 0..DEPTH {
        x = x.conv2d(out = 4, kernel = 3);
    }
    x.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net<4>,
        //~ instead: model: Net<3>,
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
