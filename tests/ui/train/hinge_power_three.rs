//! The power of a hinge loss is neither 1 nor 2.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        loss: Hinge { power: 3 },
        //~ instead: loss: Hinge { power: 2 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
