//! A sampler has no key of this name.
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
        sampler: ClassBalanced { classes: 10 },
        //~ instead: sampler: ClassBalanced { target: 0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
