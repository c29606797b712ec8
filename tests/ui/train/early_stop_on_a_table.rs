//! Early stopping monitors a table instead of a single value.
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
        metrics: [Accuracy, ConfusionMatrix],
        early_stop: EarlyStop { monitor: ValMetric("confusion_matrix") },
        //~ instead: early_stop: EarlyStop { monitor: ValMetric("accuracy") },
    }
}

fn main() {}
