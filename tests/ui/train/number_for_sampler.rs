//! A number is used where a sampler is expected.
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
        sampler: 2,
        //~ instead: sampler: ClassBalanced,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
