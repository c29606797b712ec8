//! The margin of a hinge loss is 0.
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
        loss: Hinge { margin: 0.0 },
        //~ instead: loss: Hinge { margin: 1.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
