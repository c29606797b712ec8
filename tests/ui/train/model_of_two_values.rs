//! A model with two inputs is used in `train!`.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(a: Image<1, 8, 8>, b: Image<1, 8, 8>) -> Logits<10> {
//~ instead: fn Net(a: Image<1, 8, 8>) -> Logits<10> {
    (a + b).flatten().linear(out = 10)
    //~ instead: a.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
