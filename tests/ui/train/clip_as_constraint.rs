//! A gradient clipping method is used where a weight constraint is expected.
//~ about: Gradients and weights

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        constrain: GlobalNorm { max: 1.0 },
        //~ instead: clip: GlobalNorm { max: 1.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
