//! The name of a monitored metric is misspelled.
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
        metrics: [Accuracy, TopK { k: 3 }],
        early_stop: EarlyStop { monitor: ValMetric("acuracy"), patience: 3 },
        //~ instead: early_stop: EarlyStop { monitor: ValMetric("accuracy"), patience: 3 },
    }
}

fn main() {}
