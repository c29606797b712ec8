//! Optimizers with state of other sizes, estimates over all parameters, averages and second passes: a run that is stopped after any step and
//! resumed leaves the same files.
//!
//! Meant to detect: an estimate of Prodigy that is kept in memory only, weights of the steps of a schedule-free average that start anew, statistics
//! of an average that are stored with it.

use super::every_step::from_every_step;
use super::*;

macro_rules! runs {
    ($($name:ident: $optimizer:expr, $($key:ident: $value:expr),*;)*) => {
        $(train! {
            $name {
                model: Net,
                data: SmallImages,
                metrics: [Accuracy],
                batch: 4,
                accumulate: 2,
                epochs: 3,
                seed: 5,
                optimizer: $optimizer,
                clip: GlobalNorm { max: 1.0 },
                early_stop: EarlyStop { patience: 3 },
                checkpoint: Checkpoint { every: Steps(1), keep: 100 },
                $($key: $value,)*
            }
        })*
    };
}

runs! {
    Factored: Adafactor { lr: 0.05 }, schedule: [Warmup { steps: 3 }, Cosine];
    Orthogonal: Muon { lr: 0.02, rest: AdamW { lr: 0.01 } }, gradient_norms: true;
    Estimated: Prodigy { d0: 1e-4 }, schedule: [Cosine];
    Free: ScheduleFreeAdamW { lr: 0.02 }, schedule: [Warmup { steps: 5 }, Constant];
    FreeDescent: ScheduleFreeSgd { lr: 0.5, weight_decay: 1e-3 }, gradient_norms: true;
    Sharp: Sam { optimizer: Lookahead { optimizer: Sgd { lr: 0.1, momentum: 0.9 }, k: 3 }, rho: 0.1 }, ema: Ema { decay: 0.9 };
    Averaged2: Sgd { lr: 0.2, momentum: 0.9 }, ema: Swa { start: Steps(5), every: Steps(2) };
    Gradual: AdamW { lr: 0.02 }, groups: [Group { pattern: "conv2d_1.**", from: Steps(5) }];
}

#[test]
fn optimizers_over_entire_parameters_resume_identically() {
    let (files, _) = from_every_step(Factored::experiment);
    assert_eq!(lines(&files, "step"), 12);
    from_every_step(Orthogonal::experiment);
    from_every_step(Estimated::experiment);
}

#[test]
fn averages_of_optimizers_resume_identically() {
    for training in [Free::experiment, FreeDescent::experiment] {
        let (files, _) = from_every_step(training);
        assert!(files.contains_key(&format!("{}/ema.safetensors", checkpoint(3))));
    }
    let (files, _) = from_every_step(Averaged2::experiment);
    let has_average = |step| files.contains_key(&format!("{}/ema.safetensors", checkpoint(step)));
    assert_eq!([4, 5, 6].map(has_average), [false, true, true]);
}

#[test]
fn second_passes_and_held_parameters_resume_identically() {
    from_every_step(Sharp::experiment);
    from_every_step(Gradual::experiment);
}

/// A checkpoint is verified by a re-run from another one.
#[test]
fn runs_with_averages_are_verified_from_their_checkpoints() {
    for training in [Free::experiment, Averaged2::experiment] {
        let out = scratch();
        let folder = training().out(out.path()).run().unwrap().folder.unwrap();
        for from in [None, Some(6)] {
            let verified = training().verify(&folder, from).unwrap();
            assert!(verified.first.is_none(), "{:?}", verified.first);
        }
    }
}
