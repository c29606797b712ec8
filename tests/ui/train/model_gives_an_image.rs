//! A model returns an image, which no loss accepts.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Image<1, 8, 8> {
//~ instead: fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.relu()
    //~ instead: image.relu().flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
