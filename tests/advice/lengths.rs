//! Batches, patience and averages against the length of a run.

use trainspec::prelude::*;

use super::{Sane, Wide, fires, points, silent};

train! {
    Huge { model: Wide, data: points(12_000), batch: 4096, accumulate: 2, epochs: 2 }
}

train! {
    HugeAndScaled {
        model: Wide,
        data: points(12_000),
        batch: 4096,
        accumulate: 2,
        epochs: 4,
        optimizer: Sgd { lr: 0.1, weight_decay: 1e-4 },
        scale_lr: LinearScaling { base_batch: 256 },
        schedule: [Warmup { steps: 2 }, Constant],
    }
}

#[test]
fn batches_of_very_many_samples() {
    silent(Huge::training, &[("batch", "4095")]);
    fires(Huge::training, &[], Advice::LargeBatchWithoutWarmup);
    // The rate of 3.2 is that of the scaling.
    silent(HugeAndScaled::training, &[]);
    fires(HugeAndScaled::training, &[("batch", "4500")], Advice::LargeScaledRate);
    // No more samples than there are.
    silent(Sane::training, &[("batch", "100000")]);
}

train! {
    Patient { model: Wide, data: points(64), batch: 8, epochs: 8, early_stop: EarlyStop { patience: 6 } }
}

train! {
    PatientTwice {
        model: Wide,
        data: points(64),
        batch: 8,
        epochs: 20,
        early_stop: EarlyStop { patience: 6 },
        schedule: [ReduceOnPlateau { patience: 4 }],
    }
}

train! {
    Averaged { model: Wide, data: points(64), batch: 8, epochs: 8, ema: Ema { decay: 0.9 } }
}

#[test]
fn lengths_against_the_length_of_the_run() {
    silent(Patient::training, &[]);
    fires(Patient::training, &[("early_stop.patience", "7")], Advice::LongPatience);
    silent(PatientTwice::training, &[]);
    fires(PatientTwice::training, &[("early_stop.patience", "5")], Advice::StopBeforePlateau);
    silent(Averaged::training, &[]);
    // 48 steps: 0.95^48 is 0.085, 0.96^48 is 0.14.
    silent(Averaged::training, &[("ema.decay", "0.95")]);
    fires(Averaged::training, &[("ema.decay", "0.96")], Advice::LongAverage);
    silent(Averaged::training, &[("ema.decay", "0.96"), ("ema.warmup", "true")]);
    // The default, 0.999, in 300 steps: three quarters of it are the first weights.
    fires(Averaged::training, &[("ema.decay", "0.999"), ("epochs", "50")], Advice::LongAverage);
}
