//! No loss for a model that returns embeddings.
//~ about: Loss and metrics

use trainspec::data::InMemory;
use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Embeddings<2, 3> {
    x.linear(out = 6).reshape(to = [2, 3])
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<4>, Class<2>>::new(vec![0.5; 160], vec![1; 40]),
        epochs: 2,
        //~ instead: epochs: 2, loss: CosineEmbedding,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
