//! A smallest variance of 0.
//~ about: Loss and metrics

use trainspec::data::InMemory;
use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Gaussians<1> {
    x.linear(out = 2).reshape(to = [2, 1])
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<4>, Values<1>>::new(vec![0.5; 160], vec![1.0; 40]),
        loss: GaussianNegativeLogLikelihood { min_variance: 0.0 },
        //~ instead: loss: GaussianNegativeLogLikelihood { min_variance: 1e-6 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
