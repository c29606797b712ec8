//! The model is another training program.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Digits {
        model: Net,
        data: Digits8x8::embedded(),
    }
}

train! {
    pub Longer {
        model: Digits,
        //~ instead: model: Net,
        data: Digits8x8::embedded(),
        epochs: 100,
    }
}

fn main() -> trainspec::Result<()> {
    Longer::main()
}
