//! Tokens cannot be augmented.
//~ about: Training samples

use trainspec::prelude::*;

#[model]
fn Net(text: Tokens<9, 4>) -> Logits<2> {
    text.embedding(out = 3).flatten().linear(out = 2)
}

fn texts() -> trainspec::Result<InMemory<Tokens<9, 4>, Class<2>>> {
    InMemory::new(vec![0; 40], vec![0; 10])
}

train! {
    pub Run {
        model: Net,
        data: texts(),
        augment: GaussianNoise { std: 0.1 },
        //~ instead:
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
