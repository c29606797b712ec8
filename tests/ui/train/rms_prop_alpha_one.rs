//! The `alpha` of RMSprop is 1.
//~ about: Optimizer

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        optimizer: RmsProp { alpha: 1.0 },
        //~ instead: optimizer: RmsProp { alpha: 0.99 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
