//! Advice: each rule fires where it should, and not on a sane run beside it. And what is refused before the first step.

#![allow(missing_docs, clippy::unwrap_used)]

use trainspec::data::Dataset;
use trainspec::prelude::*;
use trainspec::train::{Event, RateSearch};
use trainspec::{Check, Config};

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
    // The default, 0.999, in 300 steps: three quarters of it are the first weights.
    fires(Averaged::training, &[("ema.decay", "0.999"), ("epochs", "50")], Advice::LongAverage);
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
fn Straight(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).dropout(p = 0.1).linear(out = 2)
}
/// Through a waist, which has a meaning of its own.
#[model]
fn Waist(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).relu().linear(out = 1).linear(out = 2)
}
#[model]
fn BentTwice(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).gelu().relu().linear(out = 2)
}
#[model]
fn NormedTwice(x: Features<2>) -> Logits<2> {
    x.linear(out = 8, bias = false).batch_norm().layer_norm().relu().linear(out = 2)
}
/// The first norm's output goes past the second one.
#[model]
fn NormedForASum(x: Features<2>) -> Logits<2> {
    let y = x.linear(out = 8, bias = false).batch_norm();
    (y + y.layer_norm()).relu().linear(out = 2)
}
#[model]
fn DroppedBeforeNorm(x: Features<2>) -> Logits<2> {
    x.linear(out = 8)
        .relu()
        .dropout(p = 0.2)
        .linear(out = 8, bias = false)
        .batch_norm()
        .relu()
        .linear(out = 2)
}
#[model]
fn DroppedBehindNorm(x: Features<2>) -> Logits<2> {
    x.linear(out = 8, bias = false).batch_norm().relu().dropout(p = 0.2).linear(out = 2)
}
/// One channel at a time, then all: the parts of a separable convolution.
#[model]
fn Separable(image: Image<1, 6, 6>) -> Logits<2> {
    image
        .conv2d(out = 4, kernel = 3)
        .relu()
        .conv2d(out = 4, kernel = 3, groups = 4)
        .conv2d(out = 8, kernel = 1)
        .relu()
        .flatten()
        .linear(out = 2)
}
#[model]
fn StraightImages(image: Image<1, 6, 6>) -> Logits<2> {
    image.conv2d(out = 4, kernel = 3).flatten().linear(out = 2)
}

train! { TwoStraight { model: Straight, data: points(64), batch: 16, epochs: 2 } }
train! { ThroughAWaist { model: Waist, data: points(64), batch: 16, epochs: 2 } }
train! { TwoBends { model: BentTwice, data: points(64), batch: 16, epochs: 2 } }
train! { TwoNorms { model: NormedTwice, data: points(64), batch: 16, epochs: 2 } }
train! { TwoNormsAndASum { model: NormedForASum, data: points(64), batch: 16, epochs: 2 } }
train! { DropsFirst { model: DroppedBeforeNorm, data: points(64), batch: 16, epochs: 2 } }
train! { NormsFirst { model: DroppedBehindNorm, data: points(64), batch: 16, epochs: 2 } }
train! { InParts { model: Separable, data: images(), batch: 16, epochs: 2 } }
train! { StraightOverImages { model: StraightImages, data: images(), batch: 16, epochs: 2 } }

#[test]
fn layers_behind_each_other() {
    fires(TwoStraight::training, &[], Advice::LinearTwice);
    fires(StraightOverImages::training, &[], Advice::LinearTwice);
    silent(ThroughAWaist::training, &[]);
    silent(InParts::training, &[]);
    fires(TwoBends::training, &[], Advice::ActivationTwice);
    fires(TwoNorms::training, &[], Advice::NormTwice);
    silent(TwoNormsAndASum::training, &[]);
    fires(DropsFirst::training, &[], Advice::DropoutBeforeBatchNorm);
    silent(NormsFirst::training, &[]);
}

#[test]
fn batch_norm_in_steps_of_several_micro_batches() {
    silent(NormsFirst::training, &[("accumulate", "3")]);
    silent(NormsFirst::training, &[("batch", "12")]);
    fires(NormsFirst::training, &[("batch", "12"), ("accumulate", "3")], Advice::AccumulatedBatchNorm);
    fires(NormsFirst::training, &[("batch", "6"), ("accumulate", "3")], Advice::SmallBatchNorm);
}

#[model]
fn Eleven(x: Features<2>) -> Logits<2> {
    x.linear(out = 8)
        .relu()
        .linear(out = 8)
        .relu()
        .linear(out = 8)
        .relu()
        .linear(out = 8)
        .relu()
        .linear(out = 8)
        .relu()
        .linear(out = 8)
        .relu()
        .linear(out = 8)
        .relu()
        .linear(out = 8)
        .relu()
        .linear(out = 8)
        .relu()
        .linear(out = 8)
        .relu()
        .linear(out = 2)
}
#[model]
fn Three(x: Value) -> Value {
    x.linear(out = 8).relu().linear(out = 8).relu().linear(out = 8).relu()
}
#[model]
fn Thirteen(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).relu().three().three().three().three().linear(out = 2)
}
#[model]
fn Deep(x: Features<2>) -> Logits<2> {
    x.three().three().three().three().three().three().three().linear(out = 2)
}
#[model]
fn ThreeAndASum(x: Value) -> Value {
    x + x.three()
}
#[model]
fn DeepWithSums(x: Features<2>) -> Logits<2> {
    x.linear(out = 8)
        .three_and_a_sum()
        .three_and_a_sum()
        .three_and_a_sum()
        .three_and_a_sum()
        .three_and_a_sum()
        .three_and_a_sum()
        .three_and_a_sum()
        .linear(out = 2)
}

train! { ElevenLayers { model: Eleven, data: points(64), batch: 16, epochs: 2 } }
train! { ThirteenLayers { model: Thirteen, data: points(64), batch: 16, epochs: 2 } }
train! { DeepLayers { model: Deep, data: points(64), batch: 16, epochs: 2, init: He } }
train! { DeepBlocks { model: DeepWithSums, data: points(64), batch: 16, epochs: 2 } }

#[test]
fn what_reaches_a_deep_layer() {
    // A rectified layer that begins as PyTorch's leaves a sixth of a variance: after 11 of them 3e-9, after 13 8e-11.
    silent(ElevenLayers::training, &[]);
    fires(ThirteenLayers::training, &[], Advice::VanishingSignal);
    silent(ThirteenLayers::training, &[("init", "He")]);
    silent(ThirteenLayers::training, &[("init", "Xavier")]);
    fires(ThirteenLayers::training, &[("init", r#"{"Normal":{"std":0.01}}"#)], Advice::VanishingSignal);
    fires(DeepLayers::training, &[], Advice::DeepPlainStack);
    silent(DeepBlocks::training, &[]);
}

#[model]
fn Zeroed(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).relu().linear(out = 8).relu().linear(out = 2)
}
#[model]
fn ZeroedLast(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).relu().linear(out = 8).relu().linear(out = 2, init = Zeros)
}
train! { AllZero { model: Zeroed, data: points(64), batch: 16, epochs: 2, init: Zeros } }
train! { LastZero { model: ZeroedLast, data: points(64), batch: 16, epochs: 2 } }

#[test]
fn weights_that_begin_alike() {
    fires(AllZero::training, &[], Advice::SymmetricWeights);
    silent(AllZero::training, &[("init", "Xavier")]);
    silent(LastZero::training, &[]);
}

train! { Signs { model: Wide, data: points(64), batch: 8, epochs: 8, optimizer: SignSgd { weight_decay: 0.1 }, clip: GlobalNorm { max: 1.0 } } }
train! { DecaysAll { model: Wide, data: points(64), batch: 8, epochs: 8, optimizer: AdamW { decay: Decay::All } } }

#[test]
fn keys_that_the_optimizer_makes_void() {
    fires(Signs::training, &[], Advice::ClipWithoutEffect);
    // The mean of clipped gradients is another, and so is a sum with something else.
    silent(Signs::training, &[("optimizer.momentum", "0.9")]);
    silent(Signs::training, &[("optimizer.l1", "1e-3")]);
    fires(DecaysAll::training, &[], Advice::DecayEverywhere);
    silent(DecaysAll::training, &[("optimizer.decay", "Matrices")]);
}

#[test]
fn rates_below_what_is_usual() {
    fires(Sane::training, &[("optimizer.lr", "9e-7")], Advice::LowRate);
    silent(Sane::training, &[("optimizer.lr", "1e-6")]);
    fires(PenalizedSgd::training, &[("optimizer.lr", "1e-7")], Advice::LowRate);
}

/// Texts in which each target is the next token.
fn texts() -> trainspec::Result<InMemory<Tokens<16, 8>, Tokens<16, 8>>> {
    let tokens = |first: u32| (0..16).flat_map(move |row| (0..8).map(move |i| (row + 3 * (i + first)) % 16));
    InMemory::new(tokens(0).collect(), tokens(1).collect())
}

#[model]
fn Foretelling(tokens: Tokens<16, 8>) -> TokenLogits<16> {
    let x = tokens.embedding(out = 8);
    (x + x.layer_norm().self_attention(heads = 2, causal = true)).linear(out = 16)
}

train! { Reading { model: Attentive, data: texts(), batch: 8, steps: 10, optimizer: RAdam {} } }
train! { ForetellingTexts { model: Foretelling, data: texts(), batch: 8, steps: 10, optimizer: RAdam {} } }

#[test]
fn attention_to_what_is_to_be_foretold() {
    fires(Reading::training, &[], Advice::LooksAhead);
    silent(ForetellingTexts::training, &[]);
    // Targets that are no next tokens: the sequences of `counting`.
    silent(Rectifying::training, &[]);
}

/// Coloured slopes, of two classes, in either order.
fn slopes(is_last: bool) -> trainspec::Result<InMemory<Image<3, 6, 6>, Class<2>>> {
    let colour = |image: usize, channel: usize, place: usize| {
        (image as f32).sin() + (channel * 5 % 3) as f32 + (place % 6 + place / 6) as f32 * 0.05
    };
    let inputs = (0..60).flat_map(|image| {
        (0..108).map(
            move |i| {
                if is_last { colour(image, i % 3, i / 3) } else { colour(image, i / 36, i % 36) }
            },
        )
    });
    InMemory::new(inputs.collect(), (0..60).map(|i| i % 2).collect())
}

#[model]
fn Coloured(image: Image<3, 6, 6>) -> Logits<2> {
    image.conv2d(out = 4, kernel = 3).relu().flatten().linear(out = 2)
}

train! { ChannelsFirst { model: Coloured, data: slopes(false), batch: 16, epochs: 2 } }
train! { ChannelsBehind { model: Coloured, data: slopes(true), batch: 16, epochs: 2 } }

#[test]
fn channels_in_the_wrong_place() {
    fires(ChannelsBehind::training, &[], Advice::ChannelsLast);
    silent(ChannelsFirst::training, &[]);
}

/// Sixty samples with these targets.
fn values(
    target: fn(usize) -> f32,
) -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Values<1>>> {
    let inputs = (0..120).map(|i| (i as f32 * 0.37).sin()).collect();
    InMemory::<Features<2>, Values<1>>::new(inputs, (0..60).map(target).collect())
}

#[model]
fn Curve(x: Features<2>) -> Values<1> {
    x.linear(out = 8).tanh().linear(out = 1)
}
#[model]
fn Sides(x: Features<2>) -> Logits<1> {
    x.linear(out = 8).tanh().linear(out = 1)
}
#[model]
fn Loud(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).tanh().linear(out = 2, init = Normal { std: 20.0 })
}

/// Labels of 0 and 1 for a loss of logits.
fn labels() -> trainspec::Result<InMemory<Features<2>, Labels<1>>> {
    InMemory::new(
        (0..120).map(|i| (i as f32 * 0.37).sin()).collect(),
        (0..60).map(|i| (i % 2) as f32).collect(),
    )
}

train! { Near { model: Curve, data: values(|i| (i as f32).cos()), batch: 16, epochs: 2 } }
train! { Far { model: Curve, data: values(|i| 300.0 + (i as f32).cos()), batch: 16, epochs: 2 } }
train! { Sorted { model: Curve, data: values(|i| (i % 2) as f32), batch: 16, epochs: 2 } }
train! { Labelled { model: Sides, data: labels(), batch: 16, epochs: 2 } }
train! { Shouting { model: Loud, data: points(64), batch: 16, epochs: 2 } }

#[test]
fn targets_and_the_first_loss() {
    silent(Near::training, &[]);
    fires(Far::training, &[], Advice::HighFirstLoss);
    fires(Shouting::training, &[], Advice::HighFirstLoss);
    fires(Sorted::training, &[], Advice::ClassesAsValues);
    silent(Labelled::training, &[]);
    silent(Sane::training, &[("optimizer.weight_decay", "0.1")]);
}

#[model]
fn WithABatchNorm(x: Features<2>) -> Values<1> {
    x.linear(out = 8, bias = false).batch_norm().tanh().linear(out = 1)
}
train! { FarUnderBatchNorm { model: WithABatchNorm, data: values(|i| 300.0 + (i as f32).cos()), batch: 16, epochs: 2 } }

/// What a run ends with is the same whether its model was looked at or not.
#[test]
fn a_look_leaves_no_trace() {
    let ends = || {
        let run = FarUnderBatchNorm::training().without_folder().run().unwrap();
        let numbers = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let ends: Vec<_> = run.model.parameters().map(|(_, tensor)| numbers(tensor)).collect();
        (run.outcome, ends)
    };
    let by_hand = || {
        let mut training = FarUnderBatchNorm::training();
        let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
        let settings = training.settings().unwrap();
        let mut engine = trainspec::engine::open(&graph, settings).unwrap();
        let outcome =
            trainspec::train::run(&mut *engine, &graph, settings, &data, &mut |_: &Event<'_>| Ok(()));
        let ends = engine.parameters().unwrap();
        let numbers = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        (outcome.unwrap(), ends.iter().map(numbers).collect::<Vec<_>>())
    };
    assert_eq!(ends(), by_hand());
    fires(FarUnderBatchNorm::training, &[], Advice::HighFirstLoss);
}

/// Parts of the tests' own: a layer that takes the mean of the batch away, and two parts that say what they are.
pub mod own {

    use candle_core::Tensor;
    use serde::{Deserialize, Serialize};
    use trainspec::layer::{Layer, Nature, OutputRule};
    use trainspec::optim::{Optimizer, StepSize, UpdateStep, UsualRates};
    use trainspec::{Config, Pass, Shape, Verdict};

    #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    pub struct Centered {}
    pub use Centered as centered;

    impl Centered {
        pub const fn check(&self) -> Verdict {
            Ok(())
        }
        pub const fn output(&self, input: Shape) -> Verdict<Shape> {
            Ok(input)
        }
    }
    impl Config for Centered {
        const NAME: &'static str = "centered";
        const DEFAULT: Self = Self {};
        const CHECK: fn(&Self) -> Verdict = Self::check;
    }
    impl Layer for Centered {
        const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
        fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> trainspec::Result<Tensor> {
            Ok(inputs[0].broadcast_sub(&inputs[0].mean_keepdim(0)?)?)
        }
    }

    /// `|x|`, which says what it is.
    #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    pub struct Absolute {}
    pub use Absolute as absolute;

    impl Absolute {
        pub const fn check(&self) -> Verdict {
            Ok(())
        }
        pub const fn output(&self, input: Shape) -> Verdict<Shape> {
            Ok(input)
        }
    }
    impl Config for Absolute {
        const NAME: &'static str = "absolute";
        const DEFAULT: Self = Self {};
        const CHECK: fn(&Self) -> Verdict = Self::check;
    }
    impl Layer for Absolute {
        const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
        fn nature(&self) -> Nature {
            Nature::Activation
        }
        fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> trainspec::Result<Tensor> {
            Ok(inputs[0].abs()?)
        }
    }

    /// An optimizer that says which rates are usual.
    #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    pub struct Plain {
        pub lr: f64,
    }
    impl Plain {
        pub const fn check(&self) -> Verdict {
            Ok(())
        }
    }
    impl Config for Plain {
        const NAME: &'static str = "Plain";
        const DEFAULT: Self = Self { lr: 0.1 };
        const CHECK: fn(&Self) -> Verdict = Self::check;
    }
    impl Optimizer for Plain {
        type State = [f32; 0];
        const STATE: &'static [&'static str] = &[];
        fn lr(&self) -> f64 {
            self.lr
        }
        fn step_size(&self) -> StepSize {
            StepSize::Sign
        }
        fn usual_rates(&self) -> Option<UsualRates> {
            Some(UsualRates { lowest: 0.01, highest: 0.5, source: "these tests" })
        }
        fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut [f32; 0]) -> f32 {
            let lr = step.lr as f32;
            move |w, g, []| if g == 0.0 { w } else { w - lr * g.signum() }
        }
    }
}
use own::{Plain, absolute, centered};

#[model]
fn Mixing(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).centered().relu().linear(out = 2)
}
#[model]
fn BentByOurs(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).absolute().relu().linear(out = 2)
}
#[model]
fn StraightButForOurs(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).absolute().linear(out = 2)
}
train! { Mixed { model: Mixing, data: points(64), batch: 16, epochs: 2 } }
train! { OursTwice { model: BentByOurs, data: points(64), batch: 16, epochs: 2 } }
train! { OursOnce { model: StraightButForOurs, data: points(64), batch: 16, epochs: 2 } }
train! { ByOurs { model: Small, data: points(64), batch: 16, epochs: 2, optimizer: Plain {} } }
train! { ByOursAndClipped { model: Small, data: points(64), batch: 16, epochs: 2, optimizer: Plain {}, clip: ClipValue { max: 1.0 } } }

#[test]
fn samples_that_see_each_other() {
    fires(Mixed::training, &[], Advice::SamplesMix);
    // In training they may.
    silent(NormsFirst::training, &[]);
}

#[test]
fn a_users_own_parts_are_judged_by_what_they_are() {
    fires(OursTwice::training, &[], Advice::ActivationTwice);
    silent(OursOnce::training, &[]);
    silent(ByOurs::training, &[]);
    fires(ByOurs::training, &[("optimizer.lr", "1")], Advice::HighRate);
    fires(ByOurs::training, &[("optimizer.lr", "0.001")], Advice::LowRate);
    fires(ByOursAndClipped::training, &[], Advice::ClipWithoutEffect);
}

/// Each name has one row in the table of the page of `train!`.
#[test]
fn every_advice_is_in_the_page() {
    let page = include_str!("../runtime/src/docs/train.md");
    let names = include_str!("../runtime/src/advice/table.rs");
    let names: Vec<_> =
        names.lines().filter_map(|line| line.trim().strip_prefix("advice: Advice::")).collect();
    assert!(names.len() > 30);
    for name in names {
        let row = format!("| `{}` |", name.trim_end_matches(','));
        assert_eq!(page.matches(&row).count(), 1, "{row}");
    }
}

#[model]
fn Enormous(x: Features<2>) -> Logits<2> {
    x.linear(out = 1_000_000).relu().linear(out = 1_000_000).relu().linear(out = 2)
}

train! {
    TooLarge { model: Enormous, data: points(64), batch: 8, epochs: 1 }
}

/// More checkpoints than any disk holds: each of at least 4 numbers, after each of as many steps.
#[test]
fn a_disk_that_is_too_small() {
    let out = std::env::temp_dir();
    let many = |training: Training<Wide>| {
        let saved = r#"{"every":{"Steps":1},"keep":1000000000000000}"#;
        training.set("steps", "1000000000000000").unwrap().set("checkpoint", saved).unwrap().out(&out)
    };
    for error in [
        many(Sane::training()).check().map(|_| ()).unwrap_err(),
        many(Sane::training()).run().map(|_| ()).unwrap_err(),
    ] {
        let error = error.to_string();
        let words = " there for 1000000000000000 checkpoints and the model, but ";
        assert!(error.contains("the run needs ") && error.contains(words), "{error}");
    }
    assert!(!out.join("sane").exists());
}

#[test]
fn a_search_for_a_rate_needs_the_memory_too() {
    let error = TooLarge::training().find_rate(RateSearch::DEFAULT).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("training needs 21.8 TiB of memory"), "{error}");
}

#[test]
fn a_machine_that_is_too_small() {
    // Four numbers of 4 bytes for each of 10^12 weights, and two copies to save them.
    for error in [
        TooLarge::training().without_folder().check().map(|_| ()).unwrap_err(),
        TooLarge::training().without_folder().run().map(|_| ()).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.starts_with("training needs 21.8 TiB of memory, of which "), "{error}");
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
