//! The bound of a weight constraint is 0.
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
        constrain: MaxNorm { max: 0.0 },
        //~ instead: constrain: MaxNorm { max: 3.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
