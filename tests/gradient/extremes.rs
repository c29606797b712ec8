//! Values and gradients of the reference implementations at the limits of f32's range, compared with closed forms.
//!
//! Seen to fail: candle's own `silu`, whose gradient is 0 from 3e7 on; the square of `gelu`'s argument, which is infinite from
//! 2e19 on, with the gradient NaN; the mask of `Hinge` that multiplied an infinite difference by 0.

use candle_core::{Device, Tensor, Var};
use trainspec::engine::{forward, initial};
use trainspec::graph::{Graph, Module};
use trainspec::layer::{
    Approximate, BatchNorm, Gelu, GroupNorm, Gru, LayerNorm, LogSoftmax, Lstm, Mode, RmsNorm, Sigmoid, Silu,
    Softmax, Tanh,
};
use trainspec::loss::{BinaryCrossEntropy, CrossEntropy, Hinge, Loss};
use trainspec::rng::StepIndex;
use trainspec::{Class, Config, Logits, Shape};

/// Returns the outputs of a layer in f32, and the gradient of their sum weighted by `weights`, which default to one.
fn run(layer: &impl Module, x: &[f32], axes: &[usize], weights: Option<&[f32]>, mode: Mode) -> [Vec<f32>; 2] {
    let graph = Graph::of(layer, &[Shape::of(&axes[1..])]).unwrap();
    let x = Var::from_slice(x, axes, &Device::Cpu).unwrap();
    let parameters = initial(&graph, 1, &Device::Cpu).unwrap();
    let (outputs, _) = forward(&graph, &parameters, &[x.as_tensor().clone()], mode).unwrap();
    let y = outputs[0].clone();
    let sum = match weights {
        Some(weights) => (&y * Tensor::from_slice(weights, y.shape(), &Device::Cpu).unwrap()).unwrap(),
        None => y.clone(),
    };
    let gradients = sum.sum_all().unwrap().backward().unwrap();
    let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1().unwrap();
    [numbers(&y), numbers(gradients.get(x.as_tensor()).unwrap())]
}

#[track_caller]
fn close(what: &str, found: f32, expected: f64) {
    let error = (f64::from(found) - expected).abs();
    assert!(error <= 1e-6 * expected.abs().max(1e-30), "{what}: {found}, not {expected}");
}

const SIZES: [f32; 8] = [200.0, 1e4, 3e7, 1e13, 1e19, 1e20, 1e30, f32::MAX];

#[test]
fn activation_gradients_at_range_limits() {
    let near_ramp = |layer: &dyn Fn(&[f32]) -> [Vec<f32>; 2]| {
        for size in SIZES {
            let [y, slope] = layer(&[size, -size]);
            let what = format!("at {size}");
            close(&what, y[0], f64::from(size));
            close(&what, y[1], 0.0);
            close(&what, slope[0], 1.0);
            close(&what, slope[1], 0.0);
        }
    };
    let at = Mode::Evaluate;
    near_ramp(&|x| run(&Silu {}, x, &[1, 2], None, at));
    near_ramp(&|x| run(&Gelu::DEFAULT, x, &[1, 2], None, at));
    near_ramp(&|x| run(&Gelu { approximate: Approximate::Tanh }, x, &[1, 2], None, at));
    for size in SIZES {
        let x = [size, -size];
        let [y, slope] = run(&Sigmoid {}, &x, &[1, 2], None, at);
        assert_eq!((y, slope), (vec![1.0, 0.0], vec![0.0, 0.0]), "sigmoid at {size}");
        let [y, slope] = run(&Tanh {}, &x, &[1, 2], None, at);
        assert_eq!((y, slope), (vec![1.0, -1.0], vec![0.0, 0.0]), "tanh at {size}");
    }
}

/// The slope of SiLU where both of its terms matter: `s (1 + x (1 - s))` with `s = 1 / (1 + exp(-x))`.
#[test]
fn silu_gradient_matches_formula() {
    let points: Vec<f32> = (-80..=80).map(|x| x as f32 / 4.0).collect();
    let [y, slope] = run(&Silu {}, &points, &[1, points.len()], None, Mode::Evaluate);
    for ((x, y), slope) in points.iter().zip(y).zip(slope) {
        let x = f64::from(*x);
        let s = 1.0 / (1.0 + (-x).exp());
        assert!((f64::from(y) - x * s).abs() < 1e-6 * (1.0 + x.abs()), "{x}: {y}");
        assert!((f64::from(slope) - s * (1.0 + x * (1.0 - s))).abs() < 1e-6, "{x}: {slope}");
    }
}

#[test]
fn softmax_gradient_at_range_limits() {
    for size in [200.0, 3e7, 1e20, 1e38_f32] {
        let (x, weights) = ([size, 0.0, -size], [1.0, 2.0, 3.0]);
        let [y, slope] = run(&Softmax {}, &x, &[1, 3], Some(&weights), Mode::Evaluate);
        assert_eq!((y, slope), (vec![1.0, 0.0, 0.0], vec![0.0; 3]), "softmax at {size}");
        let [y, slope] = run(&LogSoftmax {}, &x, &[1, 3], Some(&weights), Mode::Evaluate);
        assert_eq!(y, [0.0, -size, -2.0 * size], "log softmax at {size}");
        // g - softmax * sum(g)
        assert_eq!(slope, [-5.0, 2.0, 3.0], "log softmax at {size}");
    }
}

/// Saturated gates: every output is within 1, and no gradient is NaN.
#[test]
fn recurrent_layers_at_range_limits_stay_finite() {
    for size in [1e4, 1e20, 1e36_f32] {
        let x = [size, -size, 0.5 * size, size, 0.0, -size];
        for [y, slope] in [
            run(&Lstm { out: 4, ..Lstm::DEFAULT }, &x, &[1, 3, 2], None, Mode::Evaluate),
            run(&Gru { out: 4, ..Gru::DEFAULT }, &x, &[1, 3, 2], None, Mode::Evaluate),
        ] {
            assert!(y.iter().all(|y| y.abs() <= 1.0), "{size}: {y:?}");
            assert!(slope.iter().all(|slope| slope.is_finite()), "{size}: {slope:?}");
        }
    }
}

/// The squares of values above 1.9e19 are infinite, and the inverse of infinity is 0: seen to fail when every output was
/// the bias.
#[test]
fn normalization_of_infinite_squares_is_non_finite() {
    for size in [3e19, 1e30, f32::MAX] {
        let x = [size, -size, 0.5 * size, 0.0, 1.0, 2.0, 3.0, 4.0];
        let train = Mode::Train { seed: 1, at: StepIndex::default() };
        for (name, [y, _]) in [
            ("layer norm", run(&LayerNorm::DEFAULT, &x, &[2, 4], None, train)),
            ("rms norm", run(&RmsNorm::DEFAULT, &x, &[2, 4], None, train)),
            (
                "group norm",
                run(&GroupNorm { groups: 1, ..GroupNorm::DEFAULT }, &x, &[2, 1, 2, 2], None, train),
            ),
        ] {
            assert!(y[..4].iter().all(|y| y.is_nan()), "{name} at {size}: {y:?}");
            assert!(y[4..].iter().all(|y| y.is_finite()), "{name} at {size}: {y:?}");
        }
        // Each channel separately.
        let [y, _] = run(&BatchNorm::DEFAULT, &[size, 1.0, -size, 2.0], &[2, 2], None, train);
        assert!(y[0].is_nan() && y[2].is_nan() && y[1].is_finite() && y[3].is_finite(), "{size}: {y:?}");
    }
}

/// Returns the sum of a loss and its gradient.
fn loss<T: trainspec::TargetKind>(
    loss: &impl Loss<Logits<2>, T>,
    logits: [f32; 2],
    target: &Tensor,
) -> (f32, Vec<f32>) {
    let logits = Var::from_slice(&logits, (1, 2), &Device::Cpu).unwrap();
    let sum = loss.sum(logits.as_tensor(), target).unwrap().sum;
    let gradients = sum.backward().unwrap();
    let gradient = gradients.get(logits.as_tensor()).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    (sum.to_scalar().unwrap(), gradient)
}

#[test]
fn loss_gradients_at_range_limits() {
    let class = Tensor::new(&[0_u32], &Device::Cpu).unwrap();
    for size in [1e4, 1e20, 1e38_f32] {
        assert_eq!(loss::<Class<2>>(&CrossEntropy, [size, -size], &class), (0.0, vec![0.0, 0.0]));
        assert_eq!(loss::<Class<2>>(&CrossEntropy, [-size, size], &class), (2.0 * size, vec![-1.0, 1.0]));
        let labels = Tensor::new(&[[1.0_f32, 0.0]], &Device::Cpu).unwrap();
        let (sum, gradient) = loss::<trainspec::Labels<2>>(&BinaryCrossEntropy, [size, -size], &labels);
        assert_eq!((sum, gradient), (0.0, vec![0.0, 0.0]));
        let (sum, gradient) = loss::<trainspec::Labels<2>>(&BinaryCrossEntropy, [-size, size], &labels);
        assert_eq!((sum, gradient), (size, vec![-0.5, 0.5]));
    }
    // The difference is below the least positive value.
    for power in [1, 2] {
        let hinge = Hinge { power, ..Hinge };
        assert_eq!(loss::<Class<2>>(&hinge, [3e38, -3e38], &class), (0.0, vec![0.0, 0.0]));
    }
}
