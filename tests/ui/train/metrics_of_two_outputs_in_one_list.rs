//! A metric of a model with two outputs is not in a list for one of them.
//~ about: Loss and metrics

use trainspec::data::InMemory;
use trainspec::prelude::*;

type Houses = InMemory<Features<4>, (Class<3>, Values<1>)>;

#[model]
fn Net(x: Features<4>) -> (Logits<3>, Values<1>) {
    let class = x.linear(out = 3);
    let price = x.linear(out = 1);
    (class, price)
}

train! {
    pub Run {
        model: Net,
        data: Houses::new(vec![0.0; 400], (vec![0; 100], vec![0.0; 100])),
        metrics: [Accuracy],
        //~ instead: metrics: ([Accuracy], []),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
