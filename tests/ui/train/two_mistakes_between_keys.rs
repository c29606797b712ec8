//! A metric that is not computed and a warmup that is too long are both reported.
//~ about: Stopping and saving

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        steps: 100,
        metrics: [TopK { k: 3 }],
        //~ instead: metrics: [Accuracy, TopK { k: 3 }],
        early_stop: EarlyStop { monitor: ValMetric("accuracy") },
        schedule: [Warmup { steps: 200 }, Cosine],
        //~ instead: schedule: [Warmup { steps: 20 }, Cosine],
    }
}

fn main() {}
