//! Advice: each rule fires where it should, and not on a sane run beside it. And what is refused before the first step.

#![allow(missing_docs, clippy::unwrap_used)]

use trainspec::Check;
use trainspec::data::Dataset;
use trainspec::prelude::*;
use trainspec::train::Event;

/// `count` different points of two classes, a quarter of each at the end to validate.
fn points(count: usize) -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..2 * count).map(|i| (i as f32 * 0.37).sin()).collect();
    let targets = (0..count).map(|i| (i % 2) as u32).collect();
    let cut = count - count / 4;
    let split = Split::Fixed { train: 0..cut, validation: cut..count, test: 0..0 };
    Ok(InMemory::<Features<2>, Class<2>>::new(inputs, targets)?.with_split(split))
}

/// The names of the advice to a run with some keys changed.
fn advice<M: Model>(mut training: Training<M>, changes: &[(&str, &str)]) -> Vec<Advice> {
    for (key, value) in changes {
        training = training.set(key, value).unwrap();
    }
    let check: Check = training.without_folder().check().unwrap();
    check.advice.iter().map(|finding| finding.advice).collect()
}

/// That a change draws one advice, and that allowing it silences it.
fn fires<M: Model>(training: fn() -> Training<M>, changes: &[(&str, &str)], expected: Advice) {
    assert_eq!(advice(training(), changes), [expected], "{changes:?}");
    let names = format!("[\"{expected:?}\"]");
    let allowed = [changes, &[("allow", &names)]].concat();
    assert_eq!(advice(training(), &allowed), []);
}

fn silent<M: Model>(training: fn() -> Training<M>, changes: &[(&str, &str)]) {
    assert_eq!(advice(training(), changes), [], "{changes:?}");
}

#[model]
fn Wide(x: Features<2>) -> Logits<2> {
    x.linear(out = 128).relu().linear(out = 128).relu().linear(out = 2)
}

train! {
    Sane { model: Wide, data: points(64), batch: 8, epochs: 8, optimizer: AdamW {} }
}

#[test]
fn weights_that_grow_as_they_like() {
    silent(Sane::training, &[]);
    let free = ("optimizer.weight_decay", "0");
    fires(Sane::training, &[free], Advice::NoWeightDecay);
    silent(Sane::training, &[free, ("loss.label_smoothing", "0.1")]);
    silent(Sane::training, &[free, ("optimizer.l1", "1e-4")]);
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
fn an_l2_that_is_divided_by_the_second_moment() {
    fires(Penalized::training, &[], Advice::L2WithAdam);
    fires(PenalizedGroup::training, &[], Advice::L2WithAdam);
    silent(PenalizedSgd::training, &[]);
}

#[test]
fn rates_above_what_is_usual() {
    fires(Sane::training, &[("optimizer.lr", "0.011")], Advice::HighRate);
    silent(Sane::training, &[("optimizer.lr", "0.01")]);
    fires(PenalizedSgd::training, &[("optimizer.lr", "2")], Advice::HighRate);
    silent(PenalizedSgd::training, &[("optimizer.lr", "0.5")]);
    fires(Sane::training, &[("schedule.0.factor", "20")], Advice::HighRate);
}

/// Random numbers in images of 6 by 6, of two classes.
fn images() -> trainspec::Result<InMemory<Image<1, 6, 6>, Class<2>>> {
    InMemory::new((0..36 * 60).map(|i| (i as f32 * 0.73).cos()).collect(), (0..60).map(|i| i % 2).collect())
}

#[model]
fn Dropped(image: Image<1, 6, 6>) -> Logits<2> {
    image.conv2d(out = 4, kernel = 3).relu().dropout(p = 0.5).flatten().linear(out = 2)
}

#[model]
fn DroppedLate(image: Image<1, 6, 6>) -> Logits<2> {
    image.conv2d(out = 4, kernel = 3).relu().dropout(p = 0.2).flatten().dropout(p = 0.5).linear(out = 2)
}

#[model]
fn Biased(image: Image<1, 6, 6>) -> Logits<2> {
    image.conv2d(out = 4, kernel = 3).batch_norm().relu().flatten().linear(out = 2)
}

#[model]
fn Unbiased(image: Image<1, 6, 6>) -> Logits<2> {
    image.conv2d(out = 4, kernel = 3, bias = false).batch_norm().relu().flatten().linear(out = 2)
}

/// The bias reaches the sum past the norm.
#[model]
fn BiasedWithUse(x: Features<2>) -> Logits<2> {
    let y = x.linear(out = 8);
    (y + y.batch_norm()).relu().linear(out = 2)
}

#[model]
fn Rectified(x: Features<2>) -> Logits<2> {
    x.linear(out = 2).relu()
}

train! {
    DropsImages { model: Dropped, data: images(), batch: 8, epochs: 2 }
}
train! {
    DropsLate { model: DroppedLate, data: images(), batch: 8, epochs: 2 }
}
train! {
    WithBias { model: Biased, data: images(), batch: 8, epochs: 2 }
}
train! {
    WithoutBias { model: Unbiased, data: images(), batch: 8, epochs: 2 }
}
train! {
    WithUsedBias { model: BiasedWithUse, data: points(64), batch: 8, epochs: 2 }
}
train! {
    Clipped { model: Rectified, data: points(64), batch: 8, epochs: 2 }
}
train! {
    WithConst { model: Biased, data: images(), batch: 8, epochs: 2, allow: [Advice::BatchNormBias] }
}

#[test]
fn layers_that_do_not_go_together() {
    fires(DropsImages::training, &[], Advice::ConvolutionDropout);
    silent(DropsLate::training, &[]);
    fires(WithBias::training, &[], Advice::BatchNormBias);
    silent(WithConst::training, &[]);
    silent(WithoutBias::training, &[]);
    silent(WithUsedBias::training, &[]);
    fires(WithoutBias::training, &[("batch", "7")], Advice::SmallBatchNorm);
    fires(Clipped::training, &[], Advice::ReluOutput);
}

/// Sequences of eight tokens, each different, that count upwards.
fn counting() -> trainspec::Result<InMemory<Tokens<16, 8>, Tokens<16, 8>>> {
    let tokens =
        |first: u32| (0..16).flat_map(move |row| (0..8).map(move |i| (row * (i / 2 + 1) + first + i) % 16));
    InMemory::new(tokens(0).collect(), tokens(1).collect())
}

#[model]
fn Attentive(tokens: Tokens<16, 8>) -> TokenLogits<16> {
    let x = tokens.embedding(out = 8);
    (x + x.layer_norm().self_attention(heads = 2)).linear(out = 16)
}

#[model]
fn Recurrent(tokens: Tokens<16, 8>) -> TokenLogits<16> {
    tokens.embedding(out = 8).lstm(out = 8).linear(out = 16)
}

train! {
    Cold { model: Attentive, data: counting(), batch: 8, steps: 10 }
}
train! {
    Warm { model: Attentive, data: counting(), batch: 8, steps: 10, schedule: [Warmup { steps: 5 }, Cosine] }
}
train! {
    Rectifying { model: Attentive, data: counting(), batch: 8, steps: 10, optimizer: RAdam {} }
}
train! {
    Unbounded { model: Recurrent, data: counting(), batch: 8, steps: 10 }
}
train! {
    Bounded { model: Recurrent, data: counting(), batch: 8, steps: 10, clip: GlobalNorm { max: 1.0 } }
}

#[test]
fn sequences() {
    fires(Cold::training, &[], Advice::AttentionWithoutWarmup);
    silent(Warm::training, &[]);
    silent(Rectifying::training, &[]);
    fires(Unbounded::training, &[], Advice::RecurrentWithoutClip);
    silent(Bounded::training, &[]);
}

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
    silent(Huge::training, &[]);
    fires(Huge::training, &[("batch", "4500")], Advice::LargeBatchWithoutWarmup);
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
}

/// Sixty points: the first feature as `first` says, the second one anything; of class 1 those that `is_one` names.
fn made(
    first: fn(usize) -> f32,
    is_one: fn(usize) -> bool,
    normalization: Normalization,
) -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..60).flat_map(|i| [first(i), (i as f32 * 0.37).sin()]).collect();
    let targets = (0..60).map(|i| u32::from(is_one(i))).collect();
    let split = Split::Fixed { train: 0..40, validation: 40..50, test: 50..60 };
    Ok(InMemory::<Features<2>, Class<2>>::new(inputs, targets)?
        .with_split(split)
        .with_normalization(normalization))
}

#[model]
fn Small(x: Features<2>) -> Logits<2> {
    x.linear(out = 4).relu().linear(out = 2)
}
#[model]
fn NormedFirst(x: Features<2>) -> Logits<2> {
    x.batch_norm().linear(out = 4).relu().linear(out = 2)
}

fn half(i: usize) -> bool {
    i.is_multiple_of(2)
}
fn raw(i: usize) -> f32 {
    i as f32 * 20.0
}

train! {
    Raw { model: Small, data: made(raw, half, Normalization::None), batch: 8 }
}
train! {
    Scaled { model: Small, data: made(raw, half, Normalization::PerElement), batch: 8 }
}
train! {
    ScaledByTheModel { model: NormedFirst, data: made(raw, half, Normalization::None), batch: 8 }
}
train! {
    Flat { model: Small, data: made(|_| 0.25, half, Normalization::None), batch: 8 }
}
train! {
    Rare { model: Small, data: made(|i| i as f32 / 60.0, |i| i % 11 == 0, Normalization::None), batch: 8 }
}
train! {
    RareAndWeighted {
        model: Small,
        data: made(|i| i as f32 / 60.0, |i| i % 20 == 0, Normalization::None),
        batch: 8,
        loss: CrossEntropy { weights: &[1.0, 9.0] },
    }
}
train! {
    Absent {
        model: Small,
        data: made(|i| i as f32 / 60.0, |_| false, Normalization::None),
        batch: 8,
        loss: CrossEntropy { weights: &[1.0, 9.0] },
    }
}

/// Points of which the one at 45 is that at 5.
fn copied() -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..60).flat_map(|i| {
        let i = if i == 45 { 5 } else { i };
        [(i as f32 * 0.37).sin(), (i as f32 * 0.73).cos()]
    });
    let split = Split::Fixed { train: 0..40, validation: 40..50, test: 50..60 };
    let targets = (0..60).map(|i| i % 2).collect();
    Ok(InMemory::<Features<2>, Class<2>>::new(inputs.collect(), targets)?.with_split(split))
}

train! {
    Copied { model: Small, data: copied(), batch: 8 }
}

#[test]
fn data_that_hide_something() {
    fires(Raw::training, &[], Advice::UnscaledInputs);
    silent(Scaled::training, &[]);
    silent(ScaledByTheModel::training, &[]);
    fires(Flat::training, &[], Advice::ConstantFeatures);
    // 4 of 40 are one ninth of the others; 2 of 40 one nineteenth.
    silent(Rare::training, &[]);
    silent(RareAndWeighted::training, &[]);
    fires(RareAndWeighted::training, &[("loss.weights", "[]")], Advice::ClassImbalance);
    fires(Absent::training, &[], Advice::ClassImbalance);
    fires(Copied::training, &[], Advice::SharedSamples);
}

/// What an observer is told, once and before the run begins.
#[test]
fn a_run_begins_with_its_advice() {
    let mut told = Vec::new();
    let run = Raw::training().epochs(1).without_folder().run_with(&mut |event: &Event<'_>| {
        match event {
            Event::Advice(advice) => {
                told.extend(advice.iter().map(|finding| format!("{:?}", finding.advice)));
            }
            Event::Begin(_) => told.push("begin".to_owned()),
            _ => {}
        }
        Ok(())
    });
    assert!(run.is_ok());
    assert_eq!(told, ["UnscaledInputs", "begin"]);
}

#[test]
fn advice_says_what_was_found() {
    let found = |check: Check| check.advice[0].found.clone();
    assert_eq!(
        found(Raw::training().check().unwrap()),
        "1 of 2 numbers of an input; number 0 (from 0) has a mean of 390.0 and a deviation of 230.9"
    );
    assert_eq!(found(Absent::training().check().unwrap()), "0 training samples of class 1, 40 of class 0");
    assert_eq!(
        found(Copied::training().check().unwrap()),
        "1 of 20 samples to validate and test have an input of the training part"
    );
}

#[test]
fn no_advice_of_that_name() {
    let error = Sane::training().set("allow", "[\"NoWeightDecy\"]").map(|_| ()).unwrap_err().to_string();
    assert!(
        error.starts_with("allow: unknown variant `NoWeightDecy`, expected one of `NoWeightDecay`"),
        "{error}"
    );
}

#[model]
fn Enormous(x: Features<2>) -> Logits<2> {
    x.linear(out = 1_000_000).relu().linear(out = 1_000_000).relu().linear(out = 2)
}

train! {
    TooLarge { model: Enormous, data: points(64), batch: 8, epochs: 1 }
}

#[test]
fn a_machine_that_is_too_small() {
    // Four numbers of 4 bytes for each of 10^12 weights.
    for error in [
        TooLarge::training().without_folder().check().map(|_| ()).unwrap_err(),
        TooLarge::training().without_folder().run().map(|_| ()).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.starts_with("training needs 14.6 TiB of memory, of which "), "{error}");
        assert!(error.contains("but the system has "), "{error}");
    }
}

#[test]
fn a_step_of_more_micro_batches_than_there_are() {
    let check = |accumulate: &str| {
        let training = Sane::training().set("accumulate", accumulate).unwrap();
        training.without_folder().check().map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(check("6"), Ok(()));
    assert_eq!(
        check("7").unwrap_err(),
        "accumulate: a step has 7 micro-batches, but 48 samples in batches of 8 are 6: no step would be whole; use at \
         most 6, or a smaller `batch`"
    );
}

#[model]
fn Ends(x: Value) -> Value {
    x.softmax()
}

/// The compiler does not look into the models that a model calls.
#[model]
fn EndsInside(x: Features<2>) -> Logits<4> {
    x.linear(out = 4).ends()
}

#[test]
fn a_softmax_inside_the_last_model() {
    assert_eq!(
        EndsInside::graph().map(|_| ()).unwrap_err().to_string(),
        "`softmax` is the last layer, but `Logits` are what comes before it, and their losses expect them so; remove \
         `softmax`"
    );
}
