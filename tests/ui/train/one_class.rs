//! With one class there is nothing to tell apart.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<2>) -> Logits<1> {
    x.linear(out = 1)
}

fn points() -> trainspec::Result<trainspec::data::InMemory<Features<2>, Class<1>>> {
    trainspec::data::InMemory::new(vec![0.0; 8], vec![0; 4])
}

train! {
    Digits {
        model: Net,
        data: points(),
        batch: 8,
    }
}

fn main() {}
