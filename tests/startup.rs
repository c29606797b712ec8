//! Errors that depend on the data or the whole run are reported before the first step.

#![allow(missing_docs, clippy::unwrap_used)]

use trainspec::data::PreparedDataset;
use trainspec::optim::Average;
use trainspec::prelude::*;
use trainspec::trainer::Event;
use trainspec::{Config, Experiment, Setting};

#[model]
fn Normed(x: Features<2>) -> Logits<2> {
    x.linear(out = 4).batch_norm().relu().linear(out = 2)
}

/// `count` samples of two classes, the last eighth for validation.
fn points(count: usize) -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..2 * count).map(|i| (i as f32 * 0.37).sin()).collect();
    let targets = (0..count).map(|i| (i % 2) as u32).collect();
    let cut = count - count / 8;
    let split = Split::Fixed { train: 0..cut, validation: cut..count, test: 0..0 };
    Ok(InMemory::<Features<2>, Class<2>>::new(inputs, targets)?.with_split(split))
}

train! {
    Even { model: Normed, data: points(64), batch: 8, epochs: 2, checkpoint: Checkpoint { every: Steps(1) } }
}

train! {
    Uneven { model: Normed, data: points(65), batch: 8, epochs: 2 }
}

train! {
    Unwatched {
        model: Normed,
        data: points(7),
        batch: 7,
        epochs: 2,
        early_stop: EarlyStop { patience: 1 },
    }
}

train! {
    Deaf { model: Normed, data: points(7), batch: 7, epochs: 2, schedule: [ReduceOnPlateau { patience: 1 }] }
}

train! {
    Scaled {
        model: Normed,
        data: points(64),
        batch: 8,
        accumulate: 2,
        epochs: 8,
        metrics: [Accuracy],
        optimizer: AdamW { lr: 0.01, weight_decay: 0.1 },
        scale_lr: LinearScaling { base_batch: 8 },
        schedule: [
            Constant { epochs: 1 },
            MultiStep { at: &[Epochs(2), Epochs(3)], epochs: 4 },
            ReduceOnPlateau { monitor: ValMetric("accuracy") },
        ],
    }
}

train! {
    Cycle { model: Normed, data: points(64), batch: 8, epochs: 2, schedule: [OneCycle { max: 0.1 }] }
}

/// The compiler does not check the keys of a constant, only those written in braces.
const WIDER: SqrtScaling = SqrtScaling { base_batch: 32 };

train! {
    ScaledCycle {
        model: Normed,
        data: points(64),
        batch: 8,
        epochs: 2,
        scale_lr: WIDER,
        schedule: [OneCycle { max: 0.1 }],
    }
}

fn refusal<M: Model>(training: Experiment<M>) -> String {
    let mut steps = 0;
    let run = training.run_with(&mut |event: &Event<'_>| {
        steps += u32::from(matches!(event, Event::Step(_)));
        Ok(())
    });
    assert_eq!(steps, 0, "a step was taken");
    run.expect_err("the run is refused").to_string()
}

#[test]
fn last_batch_too_small_for_batch_norm_is_rejected() {
    assert_eq!(
        refusal(Uneven::experiment().without_folder()),
        "batch: `batch_norm_1` needs at least 2 samples per batch, but with 57 samples in batches of 8 the last \
         has 1; change `batch`, or add `drop_last: true`"
    );
    assert!(Uneven::experiment().without_folder().set("batch", "19").unwrap().run().is_ok());
}

#[test]
fn checkpoint_without_output_folder_is_rejected() {
    assert!(refusal(Even::experiment().without_folder()).starts_with("checkpoint: there is no run folder"));
}

#[test]
fn early_stop_without_validation_is_rejected() {
    assert!(
        refusal(Unwatched::experiment().without_folder())
            .starts_with("early_stop: there are no validation samples")
    );
}

/// Forty samples that are split at random, from the seed.
fn scattered() -> trainspec::Result<InMemory<Features<2>, Class<2>>> {
    InMemory::new((0..80).map(|i| (i as f32 * 0.73).cos()).collect(), (0..40).map(|i| (i / 7) % 2).collect())
}

train! {
    Scattered { model: Normed, data: scattered(), batch: 8, epochs: 1 }
}

/// With another seed, the model would be tested on its training samples.
#[test]
fn model_is_evaluated_on_split_of_its_run() {
    let run = Scattered::experiment().seed(7).without_folder().run().unwrap();
    assert_eq!(run.model.seed(), Some(7));
    let again = Scattered::experiment().evaluate(&run.model, PreparedDataset::test).unwrap();
    assert_eq!(Some(again), run.outcome.test);
    let other = Scattered::experiment().seed(8).evaluate(&run.model, PreparedDataset::test).unwrap();
    assert_ne!(Some(other), run.outcome.test);
}

#[test]
fn rejected_overrides_are_errors_and_defaults_are_serialized() {
    for (key, value) in [("batch", "0"), ("optimizer.lr", "-1"), ("checkpoint.keep", "0"), ("seed", "x")] {
        assert!(Even::experiment().set(key, value).is_err(), "{key}={value} is accepted");
    }
    let spec = Even::experiment().spec().unwrap();
    assert_eq!(spec["data"], "points(64)");
    assert_eq!(spec["loss"]["type"], "CrossEntropy");
    assert_eq!(spec["optimizer"]["betas"][1], 0.999);
}

#[test]
fn plateau_phase_without_validation_is_rejected() {
    assert!(
        refusal(Deaf::experiment().without_folder())
            .starts_with("schedule.0: there are no validation samples to monitor")
    );
    let Err(error) = Scaled::experiment().set("schedule.2.monitor", "val_recall") else { panic!() };
    assert_eq!(
        error.to_string(),
        "schedule.2.monitor: `recall` is not a metric of the run; expected `accuracy` or `ValLoss`"
    );
}

/// `scale_lr` is applied once, to the learning rate of the whole schedule.
#[test]
fn learning_rate_is_scaled_to_batch() {
    let mut training = Scaled::experiment().set("schedule.1.at", r#"[{"Epochs":1},{"Epochs":3}]"#).unwrap();
    // 56 samples in steps of 16 are 4 steps an epoch, and twice 8 samples double the learning rate.
    let schedule = training.schedule().unwrap();
    let near = |k, expected: f64| (schedule.rate(k) - expected).abs() < 1e-15;
    for (k, expected) in [(0, 0.02), (7, 0.02), (8, 0.002), (15, 0.002), (16, 0.0002), (31, 0.0002)] {
        assert!(near(k, expected), "{k}: {}", schedule.rate(k));
    }
    let run = training.without_folder().set("steps", "21").unwrap().run();
    assert!(run.is_ok(), "{run:?}");
}

/// A rule of the optimizer for `lr` applies to every learning rate of the schedule.
#[test]
fn optimizer_rules_are_checked_at_largest_learning_rate() {
    let training = Scaled::experiment().without_folder().set("schedule.0.factor", "600").unwrap();
    let problem = refusal(training);
    assert!(
        problem.starts_with(
            "schedule: the largest learning rate is 12, but `lr` is 0.01; at that learning rate: "
        ),
        "{problem}"
    );
    assert!(
        problem.ends_with(
            "lr * weight_decay is 1.2; expected less than 1; otherwise a single step shrinks weights to 0 or beyond"
        )
    );
    assert!(
        refusal(Cycle::experiment().without_folder().set("schedule.0.max", "1e3").unwrap()).contains("1000")
    );
    assert!(Cycle::experiment().without_folder().run().is_ok());
}

#[test]
fn learning_rate_scaling_without_effect_is_rejected() {
    assert_eq!(
        refusal(ScaledCycle::experiment().without_folder()),
        "scale_lr: `OneCycle` has its own learning rates, which do not depend on `lr`; scale those and remove `scale_lr`"
    );
}

/// The first layer does not set `init`.
#[model]
fn PartlyInitialized(x: Features<2>) -> Logits<2> {
    x.linear(out = 4).relu().linear(out = 2, init = Orthogonal { gain: 2.0 })
}

train! {
    AllAlike { model: PartlyInitialized, data: points(64), epochs: 1, init: He }
}

train! {
    WithAKey { model: PartlyInitialized, data: points(64), epochs: 1, init: Initializer::Normal { std: 0.5 } }
}

/// Returns the initial parameters of an engine of the run.
fn beginning<M: Model>(mut training: Experiment<M>) -> Vec<Vec<f32>> {
    let graph = training.graph().unwrap();
    let engine = trainspec::engine::open(&graph, training.settings().unwrap()).unwrap();
    let parameters = engine.parameters().unwrap();
    parameters.iter().map(|parameter| parameter.flatten_all().unwrap().to_vec1().unwrap()).collect()
}

#[test]
fn layer_initializer_takes_precedence_over_spec() {
    assert_eq!(AllAlike::experiment().settings().unwrap().init, He);
    assert_eq!(WithAKey::experiment().settings().unwrap().init, Normal { std: 0.5 });
    let [he, normal] = [beginning(AllAlike::experiment()), beginning(WithAKey::experiment())];
    let ours = beginning(AllAlike::experiment().set("init", "Default").unwrap());
    // The deviation of He for two inputs is 1: the same draws, twice as large.
    assert_ne!(he[0], ours[0]);
    assert!(he[0].iter().zip(&normal[0]).all(|(he, normal)| he.to_bits() == (2.0 * normal).to_bits()));
    // Biases, and the layer that sets `init`.
    assert_eq!(he[1..], ours[1..]);
    assert_eq!(normal[1..], ours[1..]);
    let zeros = beginning(AllAlike::experiment().set("init", "Zeros").unwrap());
    assert!(zeros[0].iter().all(|&weight| weight == 0.0));
    assert_eq!(zeros[1..], ours[1..]);
}

train! {
    Bare { model: PartlyInitialized, data: points(64), optimizer: RAdam, clip: AdaptiveGrad, mix: Mixup, ema: Ema, early_stop: EarlyStop }
}

#[test]
fn bare_name_uses_all_defaults() {
    let mut training = Bare::experiment();
    let settings = training.settings().unwrap();
    assert_eq!(settings.optimizer.to_json(), RAdam::DEFAULT.to_json());
    assert_eq!(settings.clip.to_json(), AdaptiveGrad::DEFAULT.to_json());
    assert_eq!(settings.mix.to_json(), Mixup::DEFAULT.to_json());
    assert_eq!(
        (settings.ema, settings.early_stop),
        (Some(Average::Ema(Ema::DEFAULT)), Some(EarlyStop::DEFAULT))
    );
}

/// An override may set an undeclared configuration with some of its keys.
#[test]
fn undeclared_key_uses_defaults_when_set() {
    let mut training = AllAlike::experiment().set("ema", r#"{"half_life":5}"#).unwrap();
    let ema = training.settings().unwrap().ema;
    assert_eq!(ema, Some(Average::Ema(Ema { half_life: 5.0, ..Ema::DEFAULT })));
    let mut training = AllAlike::experiment().set("ema", r#"{"type":"Swa","start":{"Steps":2}}"#).unwrap();
    let swa = Swa { start: Steps(2), ..Swa::DEFAULT };
    assert_eq!(training.settings().unwrap().ema, Some(Average::Swa(swa)));
    let training = training.set("ema.every", r#"{"Steps":3}"#);
    assert_eq!(training.unwrap().settings().unwrap().ema, Some(Average::Swa(Swa { every: Steps(3), ..swa })));
    assert!(AllAlike::experiment().set("ema", r#"{"type":"Swa"}"#).is_err(), "its start is required");
    assert!(AllAlike::experiment().set("on_non_finite", "{}").is_err(), "its limit is required");
}

#[test]
fn initializer_out_of_range_is_rejected() {
    let set = WithAKey::experiment().set("init.Normal.std", "-1").map(|_| ());
    assert_eq!(set.unwrap_err().to_string(), "init.std is -1; expected a number above 0");
}

/// 64 points, of which the last are for validation and have this label.
fn validated_by(label: u32) -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..128).map(|i| (i as f32 * 0.37).sin()).collect();
    let targets = (0..64).map(|i| if i < 56 { i % 2 } else { label }).collect();
    let split = Split::Fixed { train: 0..56, validation: 56..64, test: 0..0 };
    Ok(InMemory::<Features<2>, Class<2>>::new(inputs, targets)?.with_split(split))
}

train! {
    Unlabelled {
        model: PartlyInitialized,
        data: validated_by(255),
        epochs: 2,
        loss: CrossEntropy { ignore_index: Some(255) },
        early_stop: EarlyStop { patience: 1 },
    }
}

train! {
    Weightless { model: PartlyInitialized, data: validated_by(1), epochs: 2, loss: CrossEntropy { weights: &[1.0, 0.0] } }
}

/// The loss of such a split was 0, and so the best possible.
#[test]
fn split_with_all_labels_ignored_is_rejected() {
    let then = "; their loss is not defined; label some, or split the data differently";
    assert_eq!(
        refusal(Unlabelled::experiment().without_folder()),
        format!(
            "data: every target of the 8 validation samples is 255, which the loss ignores, or has the weight 0{then}"
        )
    );
    assert_eq!(
        refusal(Weightless::experiment().without_folder()),
        format!("data: every target of the 8 validation samples has the weight 0 in the loss{then}")
    );
    assert!(Weightless::experiment().without_folder().set("loss.weights", "[0, 1]").unwrap().run().is_ok());
}

/// 40 samples: one has a label, and so do the two for validation.
fn hardly_labelled() -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..84).map(|i| (i as f32 * 0.37).sin()).collect();
    let targets = (0..42).map(|i| if i == 7 || i > 39 { i % 2 } else { 9 }).collect();
    let split = Split::Fixed { train: 0..40, validation: 40..42, test: 0..0 };
    Ok(InMemory::<Features<2>, Class<2>>::new(inputs, targets)?.with_split(split))
}

train! {
    HardlyLabelled {
        model: PartlyInitialized,
        data: hardly_labelled(),
        batch: 4,
        epochs: 1,
        optimizer: Sgd { lr: 0.1, momentum: 0.0 },
        loss: CrossEntropy { ignore_index: Some(9) },
    }
}

/// A step with only ignored labels has no loss, its gradient is 0, and the mean of the epoch is that of the other steps.
#[test]
fn step_with_all_labels_ignored_has_no_loss() {
    let folder = tempfile::tempdir().unwrap();
    let run = HardlyLabelled::experiment().out(folder.path()).run().unwrap();
    let text = std::fs::read_to_string(run.folder.unwrap().join("metrics.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<_> = lines.iter().filter(|line| line["kind"] == "step").collect();
    let (nothing, something): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| step["loss"].is_null());
    assert_eq!((nothing.len(), something.len()), (9, 1));
    assert!(nothing.iter().all(|step| step["gradient_norm"] == 0.0));
    let epoch = lines.iter().find(|line| line["kind"] == "epoch").unwrap();
    assert_eq!(epoch["training"]["loss"], something[0]["loss"]);
    assert!(epoch["validation"]["loss"].as_f64().unwrap() > 0.0);
}

#[model]
fn Shares(x: Features<2>) -> LogProbabilities<2> {
    x.linear(out = 2).log_softmax()
}

/// Twelve samples, of which the last two are for testing and have these targets.
fn ending_with<T>(last: [f32; 2]) -> trainspec::Result<impl Dataset<Input = Features<2>, Target = T>>
where
    T: trainspec::TargetKind + trainspec::Kind<Element = f32>,
{
    let inputs = (0..24).map(|i| (i as f32 * 0.37).sin()).collect();
    let targets = (0..11).flat_map(|_| [0.25, 0.75]).chain(last).collect();
    let split = Split::Fixed { train: 0..8, validation: 8..10, test: 10..12 };
    Ok(InMemory::<Features<2>, T>::new(inputs, targets)?.with_split(split))
}

train! {
    Labelled { model: PartlyInitialized, data: ending_with::<Labels<2>>([1.0, 2.0]), epochs: 1 }
}

train! {
    Distributed { model: Shares, data: ending_with::<Probabilities<2>>([7.0, 3.0]), epochs: 1 }
}

train! {
    Oversized { model: Shares, data: ending_with::<Probabilities<2>>([0.9, 0.9]), epochs: 1 }
}

train! {
    Rounded { model: Shares, data: ending_with::<Probabilities<2>>([0.33, 0.66]), epochs: 1 }
}

/// The squared error of logarithms.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct LogError {}

impl LogError {
    pub const fn check(&self) -> trainspec::CheckResult {
        Ok(())
    }
}

impl Config for LogError {
    const NAME: &'static str = "LogError";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> trainspec::CheckResult = Self::check;
}

impl<const N: usize> trainspec::loss::Loss<Values<N>, Values<N>> for LogError {
    fn sum(
        &self,
        prediction: &candle_core::Tensor,
        target: &candle_core::Tensor,
    ) -> trainspec::Result<trainspec::loss::LossSum> {
        let sum = (prediction - target.log()?)?.sqr()?.sum_all()?;
        Ok(trainspec::loss::LossSum { sum, weight: prediction.dim(0)? as f64 })
    }

    fn accepts(&self, target: &[f32]) -> Result<(), trainspec::loss::BadTarget> {
        trainspec::loss::BadTarget::unless(target, |value| *value > 0.0, "a number above 0")
    }
}

#[model]
fn Plane(x: Features<2>) -> Values<2> {
    x.linear(out = 2)
}

train! {
    OwnLoss { model: Plane, data: ending_with::<Values<2>>([0.5, -1.0]), epochs: 1, loss: LogError {} }
}

/// All of them were in the test split, which is evaluated after training.
#[test]
fn target_outside_loss_domain_is_rejected() {
    let of_test = |problem: &str| format!("data: sample 11 (from 0) of the test part: {problem}");
    assert_eq!(
        refusal(Labelled::experiment().without_folder()),
        of_test("element 1 of the target is 2.0; `BinaryCrossEntropy` expects a probability, from 0 to 1")
    );
    assert_eq!(
        refusal(Distributed::experiment().without_folder()),
        of_test("element 0 of the target is 7.0; `KlDivergence` expects a probability, from 0 to 1")
    );
    assert_eq!(
        refusal(Oversized::experiment().without_folder()),
        of_test(
            "the sum of the target is 1.8000; `KlDivergence` expects probabilities whose sum is 1; divide each by their sum"
        )
    );
    assert!(Rounded::experiment().without_folder().run().is_ok());
    assert_eq!(
        refusal(OwnLoss::experiment().without_folder()),
        of_test("element 1 of the target is -1.0; `LogError` expects a number above 0")
    );
}

/// Small training values, and a large one at the end.
fn far_out() -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..24).map(|i| if i == 23 { 3e38 } else { (i as f32 * 0.37).sin() * 1e-3 }).collect();
    let split = Split::Fixed { train: 0..8, validation: 8..10, test: 10..12 };
    let data = InMemory::<Features<2>, Class<2>>::new(inputs, (0..12).map(|i| i % 2).collect())?;
    Ok(data.with_split(split).with_normalization(Normalization::PerElement))
}

train! {
    FarOut { model: PartlyInitialized, data: far_out(), epochs: 1 }
}

/// The test loss was NaN.
#[test]
fn input_infinite_after_normalization_is_rejected() {
    let said = refusal(FarOut::experiment().without_folder());
    let expected = "data: sample 11 (from 0) of the test part: element 1 of the input is 3e38, which becomes infinite when \
                    normalized by the mean ";
    assert!(said.starts_with(expected), "{said}");
}

/// Keys of other types than the declared ones, which only the start of a run can judge.
#[test]
fn schedule_free_optimizer_rejects_falling_schedule_and_lookahead() {
    let problem = |optimizer: &dyn trainspec::optim::AnyOptimizer, falls: bool| {
        let training = Directions::experiment().with_config(|settings| {
            settings.optimizer = optimizer.boxed();
            if falls {
                settings.schedule = vec![Box::new(Cosine)];
            }
        });
        training.without_folder().run().map(|_| ()).unwrap_err().to_string()
    };
    let free = ScheduleFreeAdamW { lr: 1e-3, ..ScheduleFreeAdamW };
    let falling = problem(&free, true);
    assert!(
        falling.contains("the learning rate of `Cosine` falls, but `ScheduleFreeAdamW` averages"),
        "{falling}"
    );
    let followed = problem(&Lookahead { optimizer: free, k: 5, alpha: 0.5 }, false);
    assert!(
        followed.contains("`ScheduleFreeAdamW` averages the weights itself; use it without `Lookahead`"),
        "{followed}"
    );
}

#[model]
fn Directed(x: Features<2>) -> Logits<2> {
    x.linear(out = 4, weight_norm = true).relu().linear(out = 2)
}

train! {
    Directions { model: Directed, data: points(64), batch: 8, epochs: 1 }
}

/// A weight of zeros has no direction, and would never change.
#[test]
fn normalized_weights_reject_zeros_of_the_run() {
    let training = Directions::experiment().set("init", "\"Zeros\"").unwrap();
    let problem = training.without_folder().run().unwrap_err().to_string();
    assert!(problem.starts_with("init: it is `Zeros`, but with `weight_norm = true`"), "{problem}");
    assert!(problem.contains("linear_1.weight_g"), "{problem}");
    assert!(Directions::experiment().without_folder().run().is_ok());
}
