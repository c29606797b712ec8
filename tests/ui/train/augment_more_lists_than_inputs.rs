//! There are more lists of rules than inputs.
//~ about: Training samples

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        augment: ([FlipHorizontal], [FlipVertical]),
        //~ instead: augment: [FlipHorizontal, FlipVertical],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
