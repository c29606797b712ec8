//! A margin above the largest cosine.
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
        loss: CosineEmbedding { margin: 1.5 },
        //~ instead: loss: CosineEmbedding { margin: 0.5 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
