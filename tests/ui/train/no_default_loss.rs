//! The loss is missing, and the model and the data have no default loss.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Values<1> {
//~ instead: fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 1)
    //~ instead: image.flatten().linear(out = 10)
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
