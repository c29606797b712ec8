//! The `alpha` of CutMix is negative.
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
        mix: CutMix { alpha: -1.0 },
        //~ instead: mix: CutMix { alpha: 1.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
