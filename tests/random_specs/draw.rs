//! Random changes of every key, mostly valid and sometimes at or beyond their limits.

#![expect(clippy::unnecessary_wraps, reason = "a table of functions, of which some can fail")]

use serde_json::{Value, json};
use trainspec::data::augment::AnyAugment;
use trainspec::data::sampler::{AnySampler, Shuffled};
use trainspec::optim::{AnyClip, AnyConstraint, AnyOptimizer, Average, NoClip, Unconstrained};
use trainspec::prelude::*;
use trainspec::schedule::{AnyPhase, AnyScaleLr, NoScaling};
use trainspec::spec::{LossScale, Precision, TrainConfig};
use trainspec::{Config, Result};

use super::dice::Dice;

/// The facts that the rules of some keys depend on.
pub(crate) struct About<'a> {
    /// The paths of the model's parameters, without running statistics.
    pub(crate) paths: &'a [String],
    /// The number of training samples.
    pub(crate) samples: usize,
}

type Make = dyn Fn(&[(&str, Value)]) -> Box<dyn AnyOptimizer>;

type Change = fn(&mut TrainConfig, &mut Dice, &About<'_>) -> Result<()>;

/// A change of each key; keys on which others depend come first.
pub(crate) const CHANGES: &[(&str, Change)] = &[
    ("batch", batch),
    ("accumulate", accumulate),
    ("drop_last", drop_last),
    ("length", length),
    ("loss", loss),
    ("metrics", metrics),
    ("seed", seed),
    ("init", init),
    ("init_from", init_from),
    ("optimizer", optimizer),
    ("groups", groups),
    ("scale_lr", scale_lr),
    ("clip", clip),
    ("gradient_noise", gradient_noise),
    ("augment", augment),
    ("sampler", sampler),
    ("mix", mix),
    ("gradient_norms", gradient_norms),
    ("constrain", constrain),
    ("ema", ema),
    ("precision", precision),
    ("on_non_finite", on_non_finite),
    ("early_stop", early_stop),
    ("checkpoint", checkpoint),
    ("allow", allow),
    ("schedule", schedule),
];

/// Returns a configuration as JSON with some of its keys changed; only keys that are present can be changed.
fn changed<C: Config>(of: C, keys: &[(&str, Value)]) -> C {
    let mut json = serde_json::to_value(of).expect("configurations are JSON");
    for (key, value) in keys {
        if let Some(place) = json.get_mut(key) {
            *place = value.clone();
        }
    }
    serde_json::from_value(json).expect("the changes have the types of the keys")
}

fn batch(settings: &mut TrainConfig, dice: &mut Dice, about: &About<'_>) -> Result<()> {
    let sizes = [1, 2, 3, 4, 5, 6, 7, 8, 13, 19, 20, 21, about.samples];
    settings.batch = if dice.once_in(20) { dice.one_of(&[0, usize::MAX]) } else { dice.one_of(&sizes) };
    Ok(())
}

fn accumulate(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    settings.accumulate = if dice.once_in(20) { dice.one_of(&[0, usize::MAX, 9]) } else { 1 + dice.below(4) };
    Ok(())
}

fn drop_last(settings: &mut TrainConfig, _: &mut Dice, _: &About<'_>) -> Result<()> {
    settings.drop_last = true;
    Ok(())
}

fn length(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    (settings.epochs, settings.steps) = match dice.below(20) {
        0 => dice.one_of(&[(Some(0), None), (None, Some(0))]),
        2 => (None, Some(1)),
        3 => (Some(1), Some(1)),
        4..=12 => (Some(1 + dice.below(3) as u64), None),
        _ => (None, Some(1 + dice.below(14) as u64)),
    };
    Ok(())
}

fn loss(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let json = settings.to_json()["loss"].clone();
    let keys: Vec<&String> = json.as_object().into_iter().flatten().map(|(key, _)| key).collect();
    let key = dice.one_of(&keys);
    let classes = 1 + dice.below(3);
    let weights: Vec<f64> = (0..classes).map(|_| dice.one_of(&[0.0, 0.5, 1.0, 3.0])).collect();
    let value = match key.as_str() {
        "label_smoothing" => json!(dice.one_of(&[0.0, 0.3, 0.999, 1.0])),
        "weights" | "pos_weight" => json!(weights),
        "ignore_index" => json!(dice.one_of(&[None, Some(0), Some(9), Some(u32::MAX)])),
        "reduction" => json!(dice.one_of(&["Mean", "Sum"])),
        "delta" | "margin" => json!(dice.one_of(&[1e-3, 0.5, 1.0, 20.0, 0.0])),
        "beta" => json!(dice.one_of(&[0.0, 1e-300, 1e-38, 0.5, 1.0, -1.0])),
        "power" => json!(dice.one_of(&[1, 2, 3])),
        _ => return Ok(()),
    };
    settings.set(&format!("loss.{key}"), &value.to_string())
}

fn metrics(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let json = settings.to_json()["metrics"].clone();
    for (place, metric) in json.as_array().into_iter().flatten().enumerate() {
        let (key, value) = if metric.get("k").is_some() {
            ("k", json!(dice.one_of(&[1, 1, 2, 2, 3, 0])))
        } else if metric.get("average").is_some() {
            ("average", json!(dice.one_of(&["Macro", "Micro", "Weighted", "Binary"])))
        } else {
            continue;
        };
        settings.set(&format!("metrics.{place}.{key}"), &value.to_string())?;
    }
    Ok(())
}

fn seed(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    settings.seed = dice.one_of(&[1, 2, 3, 12345, u64::MAX]);
    Ok(())
}

fn init(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let std = dice.one_of(&[0.5, 0.5, 1e-300, 1e39, 0.0]);
    settings.init = dice.one_of(&[
        Zeros,
        Xavier,
        XavierNormal,
        He,
        HeUniform,
        Lecun,
        Orthogonal { gain: 1.0 },
        Normal { std: 0.02 },
        TruncatedNormal { std: 0.5 },
        Uniform { bound: 0.1 },
        Normal { std: 1e-20 },
        Normal { std },
    ]);
    Ok(())
}

/// Returns a file of which nothing is read, so that it fits every model; sometimes an unreadable one.
fn init_from(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/old/v1/model.safetensors");
    let all = &["**"];
    let file = if dice.once_in(20) { dice.one_of(&["", "nowhere.safetensors", "."]) } else { kept };
    let ignore: &[_] = if dice.once_in(20) { &[] } else { all };
    settings.init_from = Some(InitFrom { file, except: all, ignore, ..InitFrom::DEFAULT });
    Ok(())
}

fn optimizer(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let lr =
        if dice.once_in(30) { dice.one_of(&[0.0, -1.0, 1e39, f64::MAX]) } else { dice.scaled(1e-5, 1e-2) };
    let fraction = |dice: &mut Dice| json!(dice.one_of(&[0.0, 0.5, 0.9, 1.0_f64.next_down()]));
    let penalty = |dice: &mut Dice| {
        let usual = [0.0, 0.0, 0.0, 1e-4, 0.1];
        json!(if dice.once_in(40) { dice.one_of(&[1e4, 1e39, -1.0]) } else { dice.one_of(&usual) })
    };
    let mut keys = vec![
        ("lr", json!(lr)),
        ("l1", penalty(dice)),
        ("l2", penalty(dice)),
        ("weight_decay", penalty(dice)),
        ("decay", json!(dice.one_of(&["Matrices", "All"]))),
    ];
    if dice.once_in(2) {
        let betas: Vec<Value> = (0..2).map(|_| fraction(dice)).collect();
        let momentum = fraction(dice);
        let has_momentum = momentum != json!(0.0);
        keys.extend([
            ("betas", json!(betas)),
            ("momentum", momentum),
            ("dampening", json!(if has_momentum { dice.one_of(&[0.0, 0.0, 0.5]) } else { 0.0 })),
            ("nesterov", json!(has_momentum && dice.once_in(3))),
            ("alpha", fraction(dice)),
            ("rho", fraction(dice)),
            ("eps", json!(dice.one_of(&[1e-8, 1e-6, 1.0, 1e-37]))),
            ("amsgrad", json!(dice.once_in(2))),
            ("centered", json!(dice.once_in(2))),
            ("sparse", json!(dice.once_in(2))),
            ("momentum_decay", json!(dice.one_of(&[0.0, 4e-3, 3.0, 1e38]))),
            ("lr_decay", json!(dice.one_of(&[0.0, 0.1, 1e38]))),
            ("initial_accumulator", json!(dice.one_of(&[0.0, 0.1, 1e38]))),
            ("trust", json!(dice.one_of(&[1e-3, 0.1]))),
        ]);
    }
    let kinds: [&Make; 21] = [
        &|keys| Box::new(changed(Sgd, keys)),
        &|keys| Box::new(changed(Adam, keys)),
        &|keys| Box::new(changed(AdamW, keys)),
        &|keys| Box::new(changed(NAdam, keys)),
        &|keys| Box::new(changed(RAdam, keys)),
        &|keys| Box::new(changed(Adamax, keys)),
        &|keys| Box::new(changed(RmsProp, keys)),
        &|keys| Box::new(changed(AdaGrad, keys)),
        &|keys| Box::new(changed(AdaDelta, keys)),
        &|keys| Box::new(changed(Lion, keys)),
        &|keys| Box::new(changed(SignSgd, keys)),
        &|keys| Box::new(changed(Lamb, keys)),
        &|keys| Box::new(changed(Lars, keys)),
        &|keys| Box::new(changed(SparseAdam, keys)),
        &|keys| {
            let keys: Vec<_> = keys.iter().filter(|(key, _)| *key != "eps").cloned().collect();
            Box::new(changed(Adafactor, &keys))
        },
        &|keys| Box::new(changed(Muon, keys)),
        &|keys| Box::new(changed(Prodigy, keys)),
        &|keys| Box::new(Sam { optimizer: changed(Sgd, keys), rho: 0.05 }),
        &|keys| Box::new(Lookahead { optimizer: changed(AdamW, keys), k: 2, alpha: 0.5 }),
        &|keys| Box::new(changed(ScheduleFreeSgd, keys)),
        &|keys| Box::new(changed(ScheduleFreeAdamW, keys)),
    ];
    settings.optimizer = kinds[dice.below(kinds.len())](&keys);
    Ok(())
}

fn groups(settings: &mut TrainConfig, dice: &mut Dice, about: &About<'_>) -> Result<()> {
    let group = |dice: &mut Dice| {
        let path = dice.one_of(about.paths);
        let (module, name) = path.rsplit_once('.').unwrap_or(("", &path));
        let pattern = match dice.below(8) {
            0 => path,
            1 | 2 => format!("{module}.*"),
            3 => format!("**.{name}"),
            4 => format!("**.{}*", &name[..1]),
            5 => format!("{module}.{name}"),
            6 if dice.once_in(4) => "no.such.path".to_owned(),
            _ => "**".to_owned(),
        };
        let pattern: &'static str = pattern.leak();
        let group = Group { pattern, ..Group::DEFAULT };
        match dice.below(7) {
            6 => Group { from: dice.one_of(&[Steps(1), Steps(2), Epochs(1), Epochs(u64::MAX)]), ..group },
            0 | 1 => Group { freeze: true, ..group },
            2 => Group { lr: dice.scaled(0.01, 10.0), ..group },
            3 => Group { weight_decay: dice.one_of(&[0.0, 0.1, 2.0]), ..group },
            4 => Group { l1: 0.01, l2: dice.one_of(&[0.0, 0.1, 1e6]), ..group },
            _ => Group { lr: 2.0, weight_decay: 0.01, ..group },
        }
    };
    settings.groups = (0..=dice.below(3)).map(|_| group(dice)).collect();
    Ok(())
}

fn scale_lr(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let base_batch = if dice.once_in(10) { 0 } else { 1 + dice.below(64) as u64 };
    settings.scale_lr = match dice.below(3) {
        0 => Box::new(NoScaling) as Box<dyn AnyScaleLr>,
        1 => Box::new(LinearScaling { base_batch }),
        _ => Box::new(SqrtScaling { base_batch }),
    };
    Ok(())
}

fn bound(dice: &mut Dice) -> f64 {
    if dice.once_in(8) { dice.one_of(&[0.0, 1e-300, 1e39, f64::MAX]) } else { dice.scaled(1e-3, 10.0) }
}

fn clip(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let max = bound(dice);
    settings.clip = match dice.below(5) {
        0 => Box::new(NoClip) as Box<dyn AnyClip>,
        1 => Box::new(GlobalNorm { max }),
        2 => Box::new(PerParameter { max }),
        3 => Box::new(ClipValue { max }),
        _ => Box::new(AdaptiveGrad { factor: max, eps: 1e-3, last_layer: dice.once_in(2) }),
    };
    Ok(())
}

fn gradient_noise(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let eta = if dice.once_in(8) { dice.one_of(&[-1.0, f64::MAX]) } else { dice.one_of(&[0.0, 1e-4, 0.1]) };
    settings.gradient_noise = Some(GradientNoise { eta, gamma: dice.one_of(&[0.0, 0.55, f64::MAX]) });
    Ok(())
}

fn augment(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let mut rule = || -> Box<dyn AnyAugment> {
        // Most inputs are not images.
        match dice.below(18) {
            0 => Box::new(FlipHorizontal),
            1 => Box::new(RandomCrop { padding: 2 }),
            2 => Box::new(Rotate { degrees: 30.0 }),
            3 => Box::new(RandAugment),
            4 => Box::new(Cutout { size: dice.one_of(&[1, 6, 7]) }),
            5 => Box::new(ColorJitter { contrast: 0.3, ..ColorJitter::DEFAULT }),
            _ => Box::new(GaussianNoise { std: dice.one_of(&[0.0, 0.1, 0.1, 0.1, 2.0]) }),
        }
    };
    settings.augment = vec![rule(), rule()];
    Ok(())
}

fn sampler(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    settings.sampler = match dice.below(3) {
        0 => Box::new(Shuffled) as Box<dyn AnySampler>,
        1 => Box::new(Weighted),
        _ => Box::new(ClassBalanced { target: usize::from(dice.once_in(8)) }),
    };
    Ok(())
}

fn mix(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let alpha = dice.one_of(&[0.2, 0.2, 1.0, 1.0, 10.0, 10.0, 1e-300, f64::MAX, 0.0]);
    settings.mix = if dice.once_in(3) {
        Box::new(CutMix { alpha, p: dice.one_of(&[0.0, 0.5, 1.0]) })
    } else {
        Box::new(Mixup { alpha })
    };
    Ok(())
}

fn gradient_norms(settings: &mut TrainConfig, _: &mut Dice, _: &About<'_>) -> Result<()> {
    settings.gradient_norms = true;
    Ok(())
}

fn constrain(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let max = bound(dice);
    settings.constrain = match dice.below(3) {
        0 => Box::new(Unconstrained) as Box<dyn AnyConstraint>,
        _ => Box::new(MaxNorm { max }),
    };
    Ok(())
}

fn ema(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let half_life = dice.one_of(&[0.0, 3.0, 1e-300, f64::MAX]);
    let decay = if half_life > 0.0 {
        Ema.decay
    } else {
        dice.one_of(&[0.0, 0.5, 0.999, 0.999, 1.0_f64.next_down(), 1.0])
    };
    settings.ema = Some(if dice.once_in(3) {
        let start = dice.one_of(&[Steps(1), Steps(3), Epochs(1), Epochs(2), Steps(0), Epochs(u64::MAX)]);
        Average::Swa(Swa { start, every: dice.one_of(&[Steps(1), Steps(2), Epochs(1), Epochs(u64::MAX)]) })
    } else {
        Average::Ema(Ema { decay, half_life, warmup: dice.once_in(2) })
    });
    Ok(())
}

fn precision(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let of = LossScale::DEFAULT;
    let loss_scale = match dice.below(6) {
        0 => Static(dice.one_of(&[1, 128, 1024, 0])),
        1 => Dynamic { init: 1 << 31, ..of },
        2 => Dynamic { init: 64, interval: 1, growth: 1e300, ..of },
        3 => Dynamic { init: 16, interval: 2, min: 16, ..of },
        4 => Dynamic { init: 1024, backoff: 1e-300, ..of },
        _ => of,
    };
    settings.precision = match dice.below(3) {
        0 => Precision::F32,
        1 => Precision::Bf16,
        _ => Precision::F16(F16 { loss_scale, max_skips: dice.one_of(&[20, 30, 40, 50, u64::MAX, 0]) }),
    };
    Ok(())
}

fn on_non_finite(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    settings.on_non_finite = Some(Skip { limit: dice.one_of(&[1, 5, 5, 5, 0]) });
    Ok(())
}

/// Returns a metric of the run, or of another run.
fn monitor(settings: &TrainConfig, dice: &mut Dice) -> trainspec::spec::Monitor {
    let metrics: Vec<_> = settings.metrics.iter().map(|metric| metric.label()).collect();
    match dice.below(10) {
        0 => ValMetric("perplexity"),
        1..=6 if !metrics.is_empty() => ValMetric(dice.one_of(&metrics)),
        _ => ValLoss,
    }
}

fn early_stop(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    settings.early_stop = Some(EarlyStop {
        monitor: monitor(settings, dice),
        patience: dice.one_of(&[1, 1, 2, 2, 5, 5, u64::MAX, 0]),
        min_delta: dice.one_of(&[0.0, 0.01, f64::MAX]),
        restore_best: dice.once_in(2),
    });
    Ok(())
}

fn checkpoint(settings: &mut TrainConfig, dice: &mut Dice, _: &About<'_>) -> Result<()> {
    let every =
        dice.one_of(&[Steps(1), Steps(2), Steps(5), Epochs(1), Epochs(2), Steps(u64::MAX), Epochs(u64::MAX)]);
    let keep = dice.one_of(&[1, 2, 2, 3, 3, 100, usize::MAX, 0]);
    settings.checkpoint = Some(Checkpoint { every, keep });
    Ok(())
}

fn allow(settings: &mut TrainConfig, _: &mut Dice, _: &About<'_>) -> Result<()> {
    settings.allow = [Advice::NoWeightDecay, Advice::L2WithAdam].into();
    Ok(())
}

/// Returns phases that mostly fill the run.
fn schedule(settings: &mut TrainConfig, dice: &mut Dice, about: &About<'_>) -> Result<()> {
    let used = if settings.drop_last {
        about.samples - about.samples % settings.batch.max(1)
    } else {
        about.samples
    };
    let epoch = used.div_ceil(settings.batch.max(1)).div_ceil(settings.accumulate.max(1)) as u64;
    let mut left = settings.steps.unwrap_or(settings.epochs.unwrap_or(1).saturating_mul(epoch));
    let rate = Some(settings.base_rate()).filter(|rate| rate.is_finite()).unwrap_or(1.0);
    let mut phases = Vec::new();
    for place in 0..=dice.below(3) {
        let is_last = place == 2 || left <= 1 || dice.once_in(2);
        let (mut steps, mut epochs) = (1 + dice.below(left.clamp(1, 8) as usize) as u64, 0);
        if is_last {
            steps = if dice.once_in(4) { left } else { 0 };
        } else if dice.once_in(4) {
            (steps, epochs) = (0, 1);
        }
        if dice.once_in(40) {
            (steps, epochs) = dice.one_of(&[(u64::MAX, 0), (0, u64::MAX), (1, 1)]);
        }
        let own = if is_last && steps == 0 && epochs == 0 {
            left
        } else {
            steps.saturating_add(epochs.saturating_mul(epoch))
        };
        phases.push(phase(settings, dice, (steps, epochs, own, rate)));
        left = left.saturating_sub(own);
        if is_last && !dice.once_in(20) {
            break;
        }
    }
    settings.schedule = phases;
    Ok(())
}

fn phase(
    settings: &TrainConfig,
    dice: &mut Dice,
    (steps, epochs, own, rate): (u64, u64, u64, f64),
) -> Box<dyn AnyPhase> {
    let floor = dice.one_of(&[0.0, rate * 0.01, rate * 0.01, 1e3]);
    let factor = dice.one_of(&[0.1, 0.5, 0.9, 1.0, 1.5]);
    let every = dice.one_of(&[Steps(1), Steps(2), Epochs(1), Steps(u64::MAX), Epochs(u64::MAX)]);
    let length = json!({ "steps": steps, "epochs": epochs });
    let length = [("steps", length["steps"].clone()), ("epochs", length["epochs"].clone())];
    match dice.below(12) {
        0 => Box::new(changed(Constant { factor, ..Constant }, &length)),
        1 | 2 if steps + epochs > 0 => {
            Box::new(Warmup { steps, epochs, from: dice.one_of(&[0.0, 0.5, 1.0]) })
        }
        3 => Box::new(changed(Linear { to: floor.min(rate), ..Linear::DEFAULT }, &length)),
        4 => {
            let end = dice.one_of(&[CosineEnd::Reach, CosineEnd::Torch]);
            Box::new(changed(Cosine { floor, end, ..Cosine }, &length))
        }
        5 => {
            let multiply = dice.one_of(&[1, 2, u64::MAX]);
            let restarts = CosineRestarts { period: every, multiply, floor, ..CosineRestarts::DEFAULT };
            Box::new(changed(restarts, &length))
        }
        6 => {
            let power = dice.one_of(&[1.0, 0.5, 3.0, 1e-300, f64::MAX]);
            Box::new(changed(Polynomial { power, to: floor.min(rate), ..Polynomial }, &length))
        }
        7 => {
            let warmup = Steps(1 + dice.below(own.clamp(1, 6) as usize) as u64);
            Box::new(changed(InverseSqrt { warmup, ..InverseSqrt::DEFAULT }, &length))
        }
        8 => Box::new(changed(Step { every, factor, ..Step::DEFAULT }, &length)),
        9 => {
            let at: &'static [_] = if dice.once_in(4) { &[Epochs(1)] } else { &[Steps(1), Steps(3)] };
            Box::new(changed(MultiStep { at, factor, ..MultiStep::DEFAULT }, &length))
        }
        10 => {
            let cycle =
                OneCycle { max: rate * 3.0, rise: dice.one_of(&[0.3, 0.5, 0.9]), ..OneCycle::DEFAULT };
            let anneal = dice.one_of(&[Anneal::Cosine, Anneal::Linear]);
            Box::new(changed(OneCycle { anneal, three_phase: dice.once_in(3), ..cycle }, &length))
        }
        11 => {
            let plateau = ReduceOnPlateau {
                monitor: monitor(settings, dice),
                patience: dice.below(3) as u64,
                ..ReduceOnPlateau
            };
            Box::new(changed(plateau, &length))
        }
        _ => Box::new(changed(Exponential { factor, every, ..Exponential::DEFAULT }, &length)),
    }
}
