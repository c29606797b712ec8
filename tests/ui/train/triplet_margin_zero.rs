//! A triplet loss without a margin.
//~ about: Loss and metrics

use trainspec::data::InMemory;
use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Embeddings<3, 2> {
    x.linear(out = 6).reshape(to = [3, 2])
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<4>, Class<2>>::new(vec![0.5; 160], vec![0; 40]),
        loss: Triplet { margin: 0.0 },
        //~ instead: loss: Triplet { margin: 0.2 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
