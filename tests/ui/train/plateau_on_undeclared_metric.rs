//! A phase monitors a metric that the run does not compute.
//~ about: Learning rate

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        metrics: [Accuracy],
        //~ instead: metrics: [Accuracy, F1],
        schedule: [Warmup { steps: 50 }, ReduceOnPlateau { monitor: ValMetric("f1_macro") }],
    }
}

fn main() {}
