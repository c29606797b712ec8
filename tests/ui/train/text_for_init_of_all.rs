//! The initializer of the run is a string.
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
        init: "xavier",
        //~ instead: init: Xavier,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
