//! A key for a model that declares none.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>) -> Logits<10> {
    //~ instead: fn Net(x: Image<1, 8, 8>, #[default(0.1)] dropout: f64) -> Logits<10> {
    x.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net { dropout: 0.1 },
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
