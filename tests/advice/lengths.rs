//! Batches, patience and averages compared with the length of a run.

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
fn very_large_batch_is_reported() {
    silent(Huge::experiment, &[("batch", "4095")]);
    fires(Huge::experiment, &[], Advice::LargeBatchWithoutWarmup);
    // The learning rate of 3.2 results from the scaling.
    silent(HugeAndScaled::experiment, &[]);
    fires(HugeAndScaled::experiment, &[("batch", "4500")], Advice::LargeScaledRate);
    // Not more samples than the data set has.
    silent(Sane::experiment, &[("batch", "100000")]);
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
fn intervals_longer_than_run_are_reported() {
    silent(Patient::experiment, &[]);
    fires(Patient::experiment, &[("early_stop.patience", "7")], Advice::LongPatience);
    silent(PatientTwice::experiment, &[]);
    fires(PatientTwice::experiment, &[("early_stop.patience", "5")], Advice::StopBeforePlateau);
    silent(Averaged::experiment, &[]);
    // 48 steps: 0.95^48 is 0.085, 0.96^48 is 0.14.
    silent(Averaged::experiment, &[("ema.decay", "0.95")]);
    fires(Averaged::experiment, &[("ema.decay", "0.96")], Advice::LongAverage);
    silent(Averaged::experiment, &[("ema.decay", "0.96"), ("ema.warmup", "true")]);
    // The default, 0.999, in 300 steps: three quarters of the average are the first weights.
    fires(Averaged::experiment, &[("ema.decay", "0.999"), ("epochs", "50")], Advice::LongAverage);
}

train! {
    Saved { model: Wide, data: points(64), batch: 8, epochs: 8, checkpoint: Checkpoint { every: Epochs(1) } }
}

/// 48 samples in batches of 8 for 8 epochs are 48 steps, 6 an epoch.
#[test]
fn checkpoint_interval_longer_than_run_is_reported() {
    let out = tempfile::tempdir().unwrap();
    let advice = |changes: &[(&str, &str)]| -> Vec<_> {
        let training = changes.iter().fold(Saved::experiment().out(out.path()), |training, (key, value)| {
            training.set(key, value).unwrap()
        });
        training.check().unwrap().advice
    };
    for every in [r#"{ "Epochs": 1 }"#, r#"{ "Epochs": 8 }"#, r#"{ "Steps": 48 }"#] {
        assert!(advice(&[("checkpoint.every", every)]).is_empty(), "{every}");
    }
    for every in [r#"{ "Epochs": 9 }"#, r#"{ "Steps": 49 }"#, r#"{ "Steps": 100000 }"#] {
        let found = advice(&[("checkpoint.every", every)]);
        let names: Vec<_> = found.iter().map(|finding| finding.advice).collect();
        assert_eq!(names, [Advice::LongCheckpointInterval], "{every}");
        let allowed = ("allow", r#"["LongCheckpointInterval"]"#);
        assert!(advice(&[("checkpoint.every", every), allowed]).is_empty());
    }
    let found = advice(&[("checkpoint.every", r#"{ "Steps": 100000 }"#)]);
    assert_eq!(found[0].found, "`checkpoint` is due every 100,000 steps, but the run has 48");
}
