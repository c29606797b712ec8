//! The likelihood of normal distributions for a model that returns values.
//~ about: Loss and metrics

use trainspec::data::InMemory;
use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Values<1> {
    x.linear(out = 1)
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<4>, Values<1>>::new(vec![0.5; 160], vec![1.0; 40]),
        loss: GaussianNegativeLogLikelihood,
        //~ instead: loss: MeanSquaredError,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
