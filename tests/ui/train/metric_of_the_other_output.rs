//! A metric is in the list of the other output.
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
        metrics: ([Accuracy, R2], []),
        //~ instead: metrics: ([Accuracy], [R2]),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
