//! Combinations of layers.

use trainspec::prelude::*;

use super::{NormsFirst, fires, points, silent};

/// Random images of 6 by 6, of two classes.
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

/// The bias reaches the sum without passing the norm.
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
fn conflicting_layers_are_reported() {
    fires(DropsImages::experiment, &[], Advice::ConvolutionDropout);
    silent(DropsLate::experiment, &[]);
    fires(WithBias::experiment, &[], Advice::BatchNormBias);
    silent(WithConst::experiment, &[]);
    silent(WithoutBias::experiment, &[]);
    silent(WithUsedBias::experiment, &[]);
    fires(WithoutBias::experiment, &[("batch", "7")], Advice::SmallBatchNorm);
    fires(Clipped::experiment, &[], Advice::ReluOutput);
}

/// Sequences of eight tokens, each different, that count upward.
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
fn unstable_sequence_training_is_reported() {
    fires(Cold::experiment, &[], Advice::AttentionWithoutWarmup);
    silent(Warm::experiment, &[]);
    silent(Rectifying::experiment, &[]);
    fires(Unbounded::experiment, &[], Advice::RecurrentWithoutClip);
    silent(Bounded::experiment, &[]);
}

#[model]
fn Straight(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).dropout(p = 0.1).linear(out = 2)
}

/// A bottleneck, which is intentional.
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

/// The output of the first norm bypasses the second one.
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

train! { InParts { model: Separable, data: images(), batch: 16, epochs: 2 } }

train! { StraightOverImages { model: StraightImages, data: images(), batch: 16, epochs: 2 } }

#[test]
fn consecutive_layers_without_activation_are_reported() {
    fires(TwoStraight::experiment, &[], Advice::LinearTwice);
    fires(StraightOverImages::experiment, &[], Advice::LinearTwice);
    silent(ThroughAWaist::experiment, &[]);
    silent(InParts::experiment, &[]);
    fires(TwoBends::experiment, &[], Advice::ActivationTwice);
    fires(TwoNorms::experiment, &[], Advice::NormTwice);
    silent(TwoNormsAndASum::experiment, &[]);
    fires(DropsFirst::experiment, &[], Advice::DropoutBeforeBatchNorm);
    silent(NormsFirst::experiment, &[]);
}

#[test]
fn accumulated_small_batch_norm_is_reported() {
    silent(NormsFirst::experiment, &[("accumulate", "3")]);
    silent(NormsFirst::experiment, &[("batch", "12")]);
    fires(NormsFirst::experiment, &[("batch", "12"), ("accumulate", "3")], Advice::AccumulatedBatchNorm);
    fires(NormsFirst::experiment, &[("batch", "6"), ("accumulate", "3")], Advice::SmallBatchNorm);
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
fn attention_to_future_tokens_is_reported() {
    fires(Reading::experiment, &[], Advice::LooksAhead);
    silent(ForetellingTexts::experiment, &[]);
    // Targets that are not next tokens: the sequences of `counting`.
    silent(Rectifying::experiment, &[]);
}

#[model]
fn Ends(x: Value) -> Value {
    x.softmax()
}

/// The compiler does not inspect the sub-models of a model.
#[model]
fn EndsInside(x: Features<2>) -> Logits<4> {
    x.linear(out = 4).ends()
}

#[test]
fn softmax_in_last_sub_model_is_reported() {
    assert_eq!(
        EndsInside::graph().map(|_| ()).unwrap_err().to_string(),
        "`softmax` is the last layer, but `Logits` are the values before it, which their losses expect; remove \
         `softmax`"
    );
}
