//! The signal in the layers of a deep model, and its initial weights.

use trainspec::prelude::*;

use super::{fires, points, silent};

#[model]
fn Three(x: Value) -> Value {
    x.linear(out = 8).relu().linear(out = 8).relu().linear(out = 8).relu()
}

#[model]
fn Ten(x: Features<2>) -> Logits<2> {
    x.three().three().three().linear(out = 2)
}

#[model]
fn Eleven(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).relu().three().three().three().linear(out = 2)
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

train! { TenLayers { model: Ten, data: points(64), batch: 16, epochs: 2 } }

train! { ElevenLayers { model: Eleven, data: points(64), batch: 16, epochs: 2 } }

train! { ThirteenLayers { model: Thirteen, data: points(64), batch: 16, epochs: 2 } }

train! { DeepLayers { model: Deep, data: points(64), batch: 16, epochs: 2, init: He } }

train! { DeepBlocks { model: DeepWithSums, data: points(64), batch: 16, epochs: 2 } }

#[test]
fn deep_layer_with_vanishing_signal_is_reported() {
    // With PyTorch's initialization a ReLU layer keeps a sixth of the variance, the last one a third: 3e-8 after ten, 6e-9 after
    // eleven.
    silent(TenLayers::experiment, &[]);
    fires(ElevenLayers::experiment, &[], Advice::VanishingSignal);
    fires(ThirteenLayers::experiment, &[], Advice::VanishingSignal);
    silent(ThirteenLayers::experiment, &[("init", "He")]);
    silent(ThirteenLayers::experiment, &[("init", "Xavier")]);
    fires(ThirteenLayers::experiment, &[("init", r#"{"Normal":{"std":0.01}}"#)], Advice::VanishingSignal);
    fires(DeepLayers::experiment, &[], Advice::DeepPlainStack);
    silent(DeepBlocks::experiment, &[]);
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
fn equal_initial_weights_are_reported() {
    fires(AllZero::experiment, &[], Advice::SymmetricWeights);
    silent(AllZero::experiment, &[("init", "Xavier")]);
    silent(LastZero::experiment, &[]);
}
