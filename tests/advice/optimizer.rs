//! Keys of the optimizer, its learning rate and its penalties.

use trainspec::Config;
use trainspec::optim::Optimizer;
use trainspec::prelude::*;

use super::{Sane, Wide, fires, points, silent};

#[test]
fn missing_weight_decay_is_reported() {
    silent(Sane::experiment, &[]);
    let free = ("optimizer.weight_decay", "0");
    fires(Sane::experiment, &[free], Advice::NoWeightDecay);
    silent(Sane::experiment, &[free, ("loss.label_smoothing", "0.1")]);
    silent(Sane::experiment, &[free, ("optimizer.l1", "1e-4")]);
}

train! {
    Penalized { model: Wide, data: points(64), batch: 8, epochs: 8, optimizer: Adam { l2: 1e-4 } }
}

train! {
    PenalizedSgd { model: Wide, data: points(64), batch: 8, epochs: 8, optimizer: Sgd { l2: 1e-4 } }
}

train! {
    PenalizedGroup {
        model: Wide,
        data: points(64),
        batch: 8,
        epochs: 8,
        optimizer: Adam { weight_decay: 0.01 },
        groups: [Group { pattern: "linear_1.weight", l2: 1e-4 }],
    }
}

#[test]
fn l2_with_adam_is_reported() {
    fires(Penalized::experiment, &[], Advice::L2WithAdam);
    fires(PenalizedGroup::experiment, &[], Advice::L2WithAdam);
    silent(PenalizedSgd::experiment, &[]);
}

#[test]
fn high_learning_rate_is_reported() {
    fires(Sane::experiment, &[("optimizer.lr", "0.011")], Advice::HighRate);
    silent(Sane::experiment, &[("optimizer.lr", "0.01")]);
    fires(PenalizedSgd::experiment, &[("optimizer.lr", "2")], Advice::HighRate);
    silent(PenalizedSgd::experiment, &[("optimizer.lr", "0.5")]);
    fires(Sane::experiment, &[("schedule.0.factor", "20")], Advice::HighRate);
}

train! { Signs { model: Wide, data: points(64), batch: 8, epochs: 8, optimizer: SignSgd { weight_decay: 0.1 }, clip: GlobalNorm { max: 1.0 } } }

train! { DecaysAll { model: Wide, data: points(64), batch: 8, epochs: 8, optimizer: AdamW { decay: Decay::All } } }

#[test]
fn ineffective_optimizer_keys_are_reported() {
    fires(Signs::experiment, &[], Advice::ClipWithoutEffect);
    // The mean of clipped gradients differs, and so does a sum with other gradients.
    silent(Signs::experiment, &[("optimizer.momentum", "0.9")]);
    silent(Signs::experiment, &[("optimizer.l1", "1e-3")]);
    fires(DecaysAll::experiment, &[], Advice::DecayEverywhere);
    silent(DecaysAll::experiment, &[("optimizer.decay", "Matrices")]);
}

#[test]
fn low_learning_rate_is_reported() {
    fires(Sane::experiment, &[("optimizer.lr", "9e-7")], Advice::LowRate);
    silent(Sane::experiment, &[("optimizer.lr", "1e-6")]);
    fires(PenalizedSgd::experiment, &[("optimizer.lr", "1e-7")], Advice::LowRate);
}

/// The bounds in the documentation of `train!`.
#[test]
fn learning_rate_bounds_match_documentation() {
    let of = |rates: Option<trainspec::optim::UsualRates>| rates.map(|rates| (rates.lowest, rates.highest));
    macro_rules! usual {
        ($($optimizer:ty: $rates:expr,)*) => {
            $(assert_eq!(of(<$optimizer>::DEFAULT.usual_rates()), $rates, stringify!($optimizer));)*
        };
    }
    usual! {
        Sgd: Some((1e-6, 1.0)),
        Adam: Some((1e-6, 1e-2)),
        AdamW: Some((1e-6, 1e-2)),
        SparseAdam: Some((1e-6, 1e-2)),
        NAdam: Some((2e-6, 2e-2)),
        Adamax: Some((2e-6, 2e-2)),
        RAdam: Some((1e-6, 1e-1)),
        RmsProp: Some((1e-6, 1e-1)),
        AdaGrad: Some((1e-5, 1.0)),
        AdaDelta: Some((1e-3, 1.0)),
        Lion: Some((1e-7, 1e-3)),
        SignSgd: Some((1e-7, 1e-3)),
        Lamb: Some((1e-6, 4e-2)),
        Lars: None,
    }
}
