//! A number is used where a sample mixing method is expected.
//~ about: Mixed samples

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        mix: 0.2,
        //~ instead: mix: Mixup { alpha: 0.2 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
