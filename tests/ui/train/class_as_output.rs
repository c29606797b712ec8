//! The return type of a model is `Class`, a target type.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Class<3> {
//~ instead: fn Net(x: Features<4>) -> Logits<3> {
    x.linear(out = 3)
}

train! {
    pub Run {
        model: Net,
        data: Csv::open("iris.csv").read::<Features<4>, Class<3>>(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
