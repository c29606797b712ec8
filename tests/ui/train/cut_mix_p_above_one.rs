//! The probability of CutMix is above 1.
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
        mix: CutMix { p: 1.5 },
        //~ instead: mix: CutMix { p: 0.5 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
