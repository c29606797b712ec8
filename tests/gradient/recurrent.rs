//! Recurrent layers: a hand-calculated case, and the dependence on positions. PyTorch's values are in
//! `golden/layers`.

use candle_core::{DType, Device, Tensor};
use trainspec::engine::{forward, initial};
use trainspec::graph::{Graph, Module};
use trainspec::layer::{Gru, Lstm, Mode};
use trainspec::{Config, Shape};

use super::difference::normal;
use super::values::{close, evaluate, numbers, tensor};

/// `sigmoid(ln 3) = 3/4`, `sigmoid(-ln 3) = 1/4`, `sigmoid(0) = 1/2` and `tanh(ln 3 / 2) = 1/2`. The input 1
/// opens the gates equally at both positions: the memory is 3/4 * 1/2 = 3/8, then 1/4 * 3/8 + 3/8 = 15/32. Only
/// the output gate uses the hidden vector, and only at the second position.
#[test]
fn lstm_two_steps_match_hand_calculation() {
    let ln3 = 3.0_f64.ln();
    let parameters = [
        tensor(&[ln3, -ln3, 0.0, 0.0], &[4, 1]),
        tensor(&[0.0, 0.0, 0.0, 2.0], &[4, 1]),
        tensor(&[0.0, 0.0, ln3, 0.0], &[4]),
        tensor(&[0.0, 0.0, -ln3 / 2.0, 0.0], &[4]),
    ];
    let first = 0.5 * (3.0_f64 / 8.0).tanh();
    let second = (15.0_f64 / 32.0).tanh() / (1.0 + (-2.0 * first).exp());
    let layer = Lstm { out: 1, ..Lstm::DEFAULT };
    close(&evaluate(&layer, &parameters, &tensor(&[1.0, 1.0], &[1, 2, 1])), &[first, second]);
}

/// The reset gate is 3/4 and the update gate 1/4. The hidden bias is 2/3 ln 3, of which the reset gate
/// keeps ln 3 / 2: so the new vector is 1/2, and the hidden one 3/4 * 1/2 + 1/4 * h.
#[test]
fn gru_two_steps_match_hand_calculation() {
    let ln3 = 3.0_f64.ln();
    let parameters = [
        tensor(&[ln3, -ln3, 0.0], &[3, 1]),
        tensor(&[0.0; 3], &[3, 1]),
        tensor(&[0.0; 3], &[3]),
        tensor(&[0.0, 0.0, ln3 * 2.0 / 3.0], &[3]),
    ];
    let layer = Gru { out: 1, ..Gru::DEFAULT };
    let y = evaluate(&layer, &parameters, &tensor(&[1.0, 1.0], &[1, 2, 1]));
    close(&y, &[3.0 / 8.0, 15.0 / 32.0]);
}

/// In f32 every value stays in f32. A sum of some ten products of values up to 3 and its
/// `exp` are accurate to a few dozen roundings of 2^-24.
#[test]
fn lstm_and_gru_stay_in_f32() {
    let x = tensor(&normal("x", 24), &[2, 4, 3]);
    for graph in [
        Graph::of(&Lstm { out: 2, ..Lstm::DEFAULT }, &[Shape::of(&[4, 3])]).unwrap(),
        Graph::of(&Gru { out: 2, ..Gru::DEFAULT }, &[Shape::of(&[4, 3])]).unwrap(),
    ] {
        let parameters = initial(&graph, 3, &Device::Cpu).unwrap();
        let run = |dtype: DType| {
            let cast = |tensor: &Tensor| tensor.to_dtype(dtype).unwrap();
            let parameters: Vec<Tensor> = parameters.iter().map(cast).collect();
            let (outputs, _) = forward(&graph, &parameters, &[cast(&x)], Mode::Evaluate).unwrap();
            let y = &outputs[0];
            assert_eq!(y.dtype(), dtype);
            numbers(&y.to_dtype(DType::F64).unwrap())
        };
        for (single, double) in run(DType::F32).into_iter().zip(run(DType::F64)) {
            assert!((single - double).abs() < 100.0 * 2.0_f64.powi(-24), "{single} is not {double}");
        }
    }
}

/// Later positions do not change earlier outputs, and samples do not affect each other.
fn sees_only_what_was(layer: &impl Module) {
    let x: Vec<f64> = normal("x", 2 * 4 * 3);
    let mut later = x.clone();
    later[6..12].fill(9.0);
    let graph = Graph::of(layer, &[Shape::of(&[4, 3])]).unwrap();
    let double = |parameter: &Tensor| parameter.to_dtype(DType::F64).unwrap();
    let parameters: Vec<_> = initial(&graph, 3, &Device::Cpu).unwrap().iter().map(double).collect();
    let run = |x: &[f64]| evaluate(layer, &parameters, &tensor(x, &[2, 4, 3]));
    let (y, changed) = (run(&x), run(&later));
    assert_eq!(y[..4], changed[..4]);
    assert_ne!(y[4..8], changed[4..8]);
    assert_eq!(y[8..], changed[8..]);
}

#[test]
fn recurrent_output_does_not_depend_on_later_positions() {
    sees_only_what_was(&Lstm { out: 2, ..Lstm::DEFAULT });
    sees_only_what_was(&Gru { out: 2, ..Gru::DEFAULT });
}
