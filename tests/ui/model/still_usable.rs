//! An unused value in a model causes one error, and other models can still use the model.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
pub fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten();
    //~ instead:
    image.flatten().linear(out = 10)
}

#[model]
pub fn Outer(image: Image<1, 8, 8>) -> Logits<10> {
    image.net()
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    let _ = Net::graph()?;
    Run::main()
}
