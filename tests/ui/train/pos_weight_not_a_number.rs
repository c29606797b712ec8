//! A positive class weight is NaN.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(x: Features<2>) -> Logits<1> {
    x.linear(out = 1)
}

train! {
    pub Run {
        model: Net,
        data: InMemory::<Features<2>, Labels<1>>::new(vec![0.0, 1.0], vec![1.0]),
        loss: BinaryCrossEntropy { pos_weight: &[f64::NAN] },
        //~ instead: loss: BinaryCrossEntropy { pos_weight: &[2.0] },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
