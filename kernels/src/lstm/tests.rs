use proptest::prelude::*;

use super::Lstm;
use crate::matmul::WriteMode;
use crate::recurrent::{Cell, Steps, Weights, testing};

impl testing::Layer for Lstm {
    const STATES: usize = 2;

    fn step(input: &[f64], recurrent: &[f64], state: &[f64]) -> Vec<f64> {
        let hidden = state.len() / 2;
        let sum = |gate: usize, unit: usize| input[gate * hidden + unit] + recurrent[gate * hidden + unit];
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let cell = |unit: usize| {
            sigmoid(sum(1, unit)) * state[hidden + unit] + sigmoid(sum(0, unit)) * sum(2, unit).tanh()
        };
        let output = |unit: usize| sigmoid(sum(3, unit)) * cell(unit).tanh();
        (0..hidden).map(output).chain((0..hidden).map(cell)).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn matches_reference(
        batch in 1..4_usize,
        length in 1..6_usize,
        inputs in 1..8_usize,
        hidden in 1..20_usize,
        biased: bool,
    ) {
        testing::check(&Lstm { batch, length, inputs, hidden }, biased, 40);
    }
}

const SEVERAL_BLOCKS: Lstm = Lstm { batch: 35, length: 3, inputs: 5, hidden: 19 };

#[test]
fn matches_reference_over_several_blocks() {
    testing::check(&SEVERAL_BLOCKS, true, 30);
}

#[test]
fn results_do_not_depend_on_simd_level_threads_or_other_samples() {
    testing::check_bits(&SEVERAL_BLOCKS);
    testing::check_samples(&SEVERAL_BLOCKS, |batch| Lstm { batch, ..SEVERAL_BLOCKS });
}

#[test]
fn gradients_accumulate() {
    testing::check_onto(&SEVERAL_BLOCKS);
}

#[test]
fn empty_input_is_accepted() {
    for (batch, length, inputs, hidden) in [(0, 2, 3, 4), (2, 0, 3, 4), (2, 3, 0, 4), (2, 3, 4, 0)] {
        let layer = Lstm { batch, length, inputs, hidden };
        let values = testing::Values::new(&layer.sizes(), true);
        let [_, _, input, hidden, first, second] = testing::run(&layer, &values, WriteMode::Overwrite);
        let numbers = [input, hidden, first, second].concat();
        assert!(numbers.iter().all(|value| value.is_finite()));
        assert!(batch * length > 0 || numbers.iter().all(|&value| value == 0.0));
    }
}

#[test]
#[should_panic(expected = "x is [batch, length, inputs]")]
fn lengths_are_checked() {
    let weights = Weights { input: &[0.0; 4], hidden: &[0.0; 4], biases: None };
    Lstm { batch: 1, length: 1, inputs: 1, hidden: 1 }.infer(&[], &weights, &mut [0.0]);
}
