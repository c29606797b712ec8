//! `flatten` is missing before a `linear` layer.
//! `linear` maps each vector along the last axis separately, so a model with it can return a sequence or an image.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.conv2d(out = 8, kernel = 3).relu().linear(out = 10)
    //~ instead: image.conv2d(out = 8, kernel = 3).relu().flatten().linear(out = 10)
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
