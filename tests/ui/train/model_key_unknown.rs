//! A key of the model is misspelt.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>, #[default(0.1)] dropout: f64) -> Logits<10> {
    x.flatten().dropout(p = dropout).linear(out = 10)
}

train! {
    pub Run {
        model: Net { droput: 0.2 },
        //~ instead: model: Net { dropout: 0.2 },
        data: Digits8x8::embedded(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
