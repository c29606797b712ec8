//! The model has two outputs, the data have one target.
//~ about: Model and data

use trainspec::data::InMemory;
use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> (Logits<3>, Values<1>) {
//~ instead: fn Net(x: Features<4>) -> Logits<3> {
    let class = x.linear(out = 3);
    let price = x.linear(out = 1);
    //~ instead:
    (class, price)
    //~ instead: class
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<4>, Class<3>>::new(vec![0.0; 400], vec![0; 100]),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
