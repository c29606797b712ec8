//! Values, compared with closed forms and plain loops.

use candle_core::{Device, Tensor, Var};
use trainspec::engine::{forward, initial};
use trainspec::graph::{Graph, Module};
use trainspec::layer::{
    Approximate, AvgPool2d, BatchNorm, Concat, Conv2d, Dropout, Embedding, Gelu, GroupNorm, Gru, LayerNorm,
    LeakyRelu, Linear, Lstm, MaxPool2d, PositionEmbedding, Relu, Reshape, RmsNorm, SelfAttention, Sigmoid,
    Silu, Softmax, StochasticDepth,
};
use trainspec::layer::{Mode, Statistic};
use trainspec::rng::StepIndex;
use trainspec::{Config, Shape};

use super::difference::{TRAIN, normal};

pub(crate) fn tensor(numbers: &[f64], axes: &[usize]) -> Tensor {
    Tensor::from_slice(numbers, axes, &Device::Cpu).unwrap()
}

pub(crate) fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Runs one layer on one input, whose first axis is the batch.
fn run(layer: &impl Module, parameters: &[Tensor], x: &Tensor, mode: Mode) -> (Vec<f64>, Vec<Statistic>) {
    let graph = Graph::of(layer, &[Shape::of(&x.dims()[1..])]).unwrap();
    let (mut outputs, statistics) = forward(&graph, parameters, std::slice::from_ref(x), mode).unwrap();
    let y = outputs.remove(0);
    (numbers(&y), statistics)
}

pub(crate) fn evaluate(layer: &impl Module, parameters: &[Tensor], x: &Tensor) -> Vec<f64> {
    run(layer, parameters, x, Mode::Evaluate).0
}

/// Returns the gradient of the sum of a layer's output.
fn slope(layer: &impl Module, x: &[f64], axes: &[usize]) -> Vec<f64> {
    let x = Var::from_tensor(&tensor(x, axes)).unwrap();
    let graph = Graph::of(layer, &[Shape::of(&axes[1..])]).unwrap();
    let (outputs, _) = forward(&graph, &[], &[x.as_tensor().clone()], Mode::Evaluate).unwrap();
    let gradients = outputs[0].sum_all().unwrap().backward().unwrap();
    numbers(gradients.get(x.as_tensor()).unwrap())
}

/// Sums of a few dozen f64 products in another order differ by about 1e-15, and `exp`, `tanh` and `erf` of different
/// libraries by a unit in the last place.
pub(crate) fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-13 * expected.abs().max(1.0), "{found} is not {expected}");
    }
}

#[test]
fn relu_gradient_at_zero_is_zero() {
    assert_eq!(slope(&Relu {}, &[-1.0, 0.0, -0.0, 2.0], &[1, 4]), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(slope(&LeakyRelu { slope: 0.25 }, &[-1.0, 0.0, 2.0], &[1, 3]), [0.25, 0.25, 1.0]);
}

#[test]
fn relu_propagates_nan() {
    let y = evaluate(&Relu {}, &[], &tensor(&[f64::NEG_INFINITY, f64::INFINITY, f64::NAN], &[1, 3]));
    assert_eq!(y[..2], [0.0, f64::INFINITY]);
    assert!(y[2].is_nan());
}

/// From tables of the normal distribution and of the exponential.
#[test]
fn activations_match_tables_at_one_and_at_large_inputs() {
    let x = tensor(&[1.0, -1.0, 0.0, 1000.0, -1000.0], &[1, 5]);
    let normal = 0.841_344_746_068_542_9;
    close(&evaluate(&Gelu::DEFAULT, &[], &x), &[normal, normal - 1.0, 0.0, 1000.0, 0.0]);
    let tanh = 0.841_191_990_608_276_8;
    let approximate = Gelu { approximate: Approximate::Tanh };
    close(&evaluate(&approximate, &[], &x), &[tanh, tanh - 1.0, 0.0, 1000.0, 0.0]);
    let logistic = 0.731_058_578_630_004_9;
    close(&evaluate(&Silu {}, &[], &x), &[logistic, logistic - 1.0, 0.0, 1000.0, 0.0]);
    close(&evaluate(&Sigmoid {}, &[], &x), &[logistic, 1.0 - logistic, 0.5, 1.0, 0.0]);
    close(&evaluate(&LeakyRelu::DEFAULT, &[], &x), &[1.0, -0.01, 0.0, 1000.0, -10.0]);
}

#[test]
fn softmax_does_not_overflow() {
    let x = tensor(&[1000.0, 1000.0 + 3.0_f64.ln(), 0.0, -2.0, -2.0, f64::NEG_INFINITY], &[2, 3]);
    close(&evaluate(&Softmax {}, &[], &x), &[0.25, 0.75, 0.0, 0.5, 0.5, 0.0]);
}

#[test]
fn linear_and_reshape_match_definition() {
    let layer = Linear { out: 2, ..Linear::DEFAULT };
    let parameters = [tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]), tensor(&[10.0, 20.0], &[2])];
    let x = tensor(&[1.0, 0.0, -1.0, 2.0, 1.0, 0.0], &[1, 2, 3]);
    assert_eq!(evaluate(&layer, &parameters, &x), [8.0, 18.0, 14.0, 33.0]);
    assert_eq!(evaluate(&Reshape { to: [3, 2] }, &[], &x), numbers(&x));
}

#[test]
fn concat_keeps_argument_order_in_each_sample() {
    let graph = Graph::of(&Concat { axis: 0 }, &[Shape::of(&[1]), Shape::of(&[2])]).unwrap();
    let inputs = [tensor(&[1.0, 2.0], &[2, 1]), tensor(&[3.0, 4.0, 5.0, 6.0], &[2, 2])];
    let (outputs, _) = forward(&graph, &[], &inputs, Mode::Evaluate).unwrap();
    let y = outputs[0].clone();
    assert_eq!(numbers(&y), [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
}

/// Computes the value of each window by plain loops: `fold` over its pixels and their indices.
fn windows(
    (rows, columns): (usize, usize),
    (kernel, stride, padding, dilation): (usize, usize, usize, usize),
    (height, width): (usize, usize),
    mut visit: impl FnMut(usize, (usize, usize), Option<(usize, usize)>),
) {
    let inside = |place: usize, offset: usize, length: usize| {
        (place * stride + offset * dilation).checked_sub(padding).filter(|&at| at < length)
    };
    for i in 0..rows {
        for j in 0..columns {
            for u in 0..kernel {
                for v in 0..kernel {
                    let pixel = inside(i, u, height).zip(inside(j, v, width));
                    visit(i * columns + j, (u, v), pixel);
                }
            }
        }
    }
}

#[test]
fn convolutions_match_plain_loops() {
    let base = Conv2d { out: 6, kernel: 3, ..Conv2d::DEFAULT };
    for (layer, [channels, height, width]) in [
        (base, [3, 5, 4]),
        (Conv2d { kernel: 1, ..base }, [2, 3, 3]),
        (Conv2d { kernel: 2, padding: 2, ..base }, [1, 3, 5]),
        (Conv2d { stride: 2, padding: 1, ..base }, [3, 6, 5]),
        (Conv2d { dilation: 2, stride: 3, padding: 2, ..base }, [2, 7, 6]),
        (Conv2d { groups: 3, padding: 1, ..base }, [6, 4, 3]),
        (Conv2d { groups: 2, stride: 2, ..base }, [2, 5, 8]),
    ] {
        let Conv2d { out, kernel, stride, padding, dilation, groups, .. } = layer;
        let shape = layer.output(Shape::of(&[channels, height, width])).unwrap();
        let (rows, columns) = (shape.axis(1), shape.axis(2));
        let each = channels / groups;
        let x = normal("x", 2 * channels * height * width);
        let weight = normal("w", out * each * kernel * kernel);
        let bias = normal("b", out);
        let mut expected = Vec::new();
        for image in x.chunks(channels * height * width) {
            for o in 0..out {
                let mut y = vec![bias[o]; rows * columns];
                for c in 0..each {
                    let channel = o / (out / groups) * each + c;
                    let window = (kernel, stride, padding, dilation);
                    windows((rows, columns), window, (height, width), |place, (u, v), pixel| {
                        if let Some((row, column)) = pixel {
                            y[place] += weight[((o * each + c) * kernel + u) * kernel + v]
                                * image[(channel * height + row) * width + column];
                        }
                    });
                }
                expected.extend(y);
            }
        }
        let parameters = [tensor(&weight, &[out, each, kernel, kernel]), tensor(&bias, &[out])];
        let x = tensor(&x, &[2, channels, height, width]);
        close(&evaluate(&layer, &parameters, &x), &expected);
    }
}

#[test]
fn pools_match_plain_loops() {
    for ((kernel, stride, padding), [height, width]) in [
        ((2, 2, 0), [4, 6]),
        ((2, 2, 0), [5, 3]),
        ((3, 2, 1), [5, 4]),
        ((2, 1, 1), [1, 3]),
        ((2, 3, 0), [7, 5]),
        ((5, 5, 2), [1, 1]),
    ] {
        let x = normal("x", 6 * height * width);
        let max = MaxPool2d { kernel, stride, padding };
        let avg = AvgPool2d { kernel, stride, padding };
        let shape = max.output(Shape::of(&[3, height, width])).unwrap();
        assert_eq!(avg.output(Shape::of(&[3, height, width])), Ok(shape));
        let places = (shape.axis(1), shape.axis(2));
        let (mut largest, mut mean) = (Vec::new(), Vec::new());
        for plane in x.chunks(height * width) {
            let mut top = vec![f64::NEG_INFINITY; places.0 * places.1];
            let mut sum = vec![0.0; places.0 * places.1];
            windows(places, (kernel, stride, padding, 1), (height, width), |place, _, pixel| {
                if let Some((row, column)) = pixel {
                    top[place] = top[place].max(plane[row * width + column]);
                    sum[place] += plane[row * width + column] / (kernel * kernel) as f64;
                }
            });
            largest.extend(top);
            mean.extend(sum);
        }
        let x = tensor(&x, &[2, 3, height, width]);
        assert_eq!(evaluate(&max, &[], &x), largest);
        close(&evaluate(&avg, &[], &x), &mean);
    }
}

#[test]
fn max_pool_tie_sends_gradient_to_first() {
    let layer = MaxPool2d { kernel: 2, ..MaxPool2d::DEFAULT };
    assert_eq!(slope(&layer, &[1.0; 4], &[1, 1, 2, 2]), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(slope(&layer, &[0.0, 1.0, 1.0, 1.0], &[1, 1, 2, 2]), [0.0, 1.0, 0.0, 0.0]);
    // Four windows that overlap: the middle pixel is the largest of all.
    let layer = MaxPool2d { kernel: 2, stride: 1, padding: 0 };
    let x = [0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0];
    assert_eq!(slope(&layer, &x, &[1, 1, 3, 3]), [0.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0]);
    // Padding is below every value, and never the maximum.
    let layer = MaxPool2d { kernel: 2, stride: 2, padding: 1 };
    let x = [f64::NEG_INFINITY; 4];
    assert_eq!(slope(&layer, &x, &[1, 1, 2, 2]), [1.0; 4]);
    assert_eq!(
        evaluate(&layer, &[], &tensor(&[-1.0, -2.0, -3.0, -4.0], &[1, 1, 2, 2])),
        [-1.0, -2.0, -3.0, -4.0]
    );
}

#[test]
fn pool_propagates_nan() {
    let layer = MaxPool2d { kernel: 2, ..MaxPool2d::DEFAULT };
    for place in 0..4 {
        let mut x = [1.0, 2.0, 3.0, 4.0];
        x[place] = f64::NAN;
        assert!(evaluate(&layer, &[], &tensor(&x, &[1, 1, 2, 2]))[0].is_nan());
    }
}

/// Channel 0 has the values 1, 2, 3, 6 in training: mean 3, biased variance 14 / 4, unbiased 14 / 3.
#[test]
fn batch_norm_evaluates_with_running_statistics() {
    let layer = BatchNorm { eps: 0.5, update: 0.25 };
    let parameters = [
        tensor(&[2.0, 1.0], &[2]),
        tensor(&[0.5, 0.0], &[2]),
        tensor(&[7.0, 0.0], &[2]),
        tensor(&[10.0, 1.0], &[2]),
    ];
    let x = tensor(&[1.0, 2.0, 5.0, 5.0, 3.0, 6.0, 5.0, 5.0], &[2, 2, 2]);
    let (y, statistics) = run(&layer, &parameters, &x, TRAIN);
    // sqrt(3.5 + 0.5) = 2
    close(&y, &[-1.5, -0.5, 0.0, 0.0, 0.5, 3.5, 0.0, 0.0]);
    let [mean, variance] = statistics.as_slice() else { panic!("two statistics") };
    assert_eq!((mean.index, variance.index), (2, 3));
    close(&numbers(&mean.value), &[0.75 * 7.0 + 0.25 * 3.0, 0.25 * 5.0]);
    close(&numbers(&variance.value), &[0.75 * 10.0 + 0.25 * 14.0 / 3.0, 0.75]);
    assert_eq!(mean.value.dims(), [2]);

    let (y, statistics) = run(&layer, &parameters, &x, Mode::Evaluate);
    assert!(statistics.is_empty());
    let channel = |x: f64| 2.0 * (x - 7.0) / 10.5_f64.sqrt() + 0.5;
    let other = 5.0 / 1.5_f64.sqrt();
    close(&y, &[channel(1.0), channel(2.0), other, other, channel(3.0), channel(6.0), other, other]);
}

#[test]
fn batch_norm_needs_two_values_per_channel_only_in_training() {
    let graph = Graph::of(&BatchNorm::DEFAULT, &[Shape::of(&[3])]).unwrap();
    let parameters = initial(&graph, 1, &Device::Cpu).unwrap();
    let x = Tensor::new(&[[1.0_f32, 2.0, 3.0]], &Device::Cpu).unwrap();
    let error = forward(&graph, &parameters, std::slice::from_ref(&x), TRAIN).unwrap_err().to_string();
    assert!(error.contains("1 value(s) per channel"), "{error}");
    assert!(forward(&graph, &parameters, &[x], Mode::Evaluate).is_ok());
}

/// Of the vector 1, 2, 3, 6: mean 3, biased variance 14 / 4.
#[test]
fn layer_norm_uses_biased_variance_per_vector() {
    let layer = LayerNorm { eps: 0.5, ..LayerNorm::DEFAULT };
    let parameters = [tensor(&[1.0, 2.0, 3.0, 4.0], &[4]), tensor(&[0.0, 0.0, 0.0, 10.0], &[4])];
    let x = tensor(&[1.0, 2.0, 3.0, 6.0, 1.0, 1.0, 1.0, 1.0], &[1, 2, 4]);
    close(&evaluate(&layer, &parameters, &x), &[-1.0, -1.0, 0.0, 16.0, 0.0, 0.0, 0.0, 10.0]);
}

/// Of the vector 1, 5, 5, 7: mean square 25, and with eps 11 the root is 6.
#[test]
fn rms_norm_does_not_subtract_mean() {
    let layer = RmsNorm { eps: 11.0 };
    let x = tensor(&[1.0, 5.0, 5.0, 7.0, 0.0, 0.0, 0.0, 0.0], &[1, 2, 4]);
    let weight = [tensor(&[6.0, 12.0, -6.0, 6.0], &[4])];
    close(&evaluate(&layer, &weight, &x), &[1.0, 10.0, -5.0, 7.0, 0.0, 0.0, 0.0, 0.0]);
}

/// Channels 0 and 1 of the first image hold 1, 2, 3, 6: mean 3, biased variance 14 / 4. Channels 2 and 3 are
/// constant. The second image has the same times 2, and a variance four times as large.
#[test]
fn group_norm_uses_biased_variance_per_group_and_image() {
    let layer = GroupNorm { groups: 2, eps: 0.5 };
    let parameters = [tensor(&[1.0, 2.0, 3.0, 4.0], &[4]), tensor(&[0.0, 10.0, 0.0, -1.0], &[4])];
    let x = [1.0, 2.0, 3.0, 6.0, 7.0, 7.0, 7.0, 7.0];
    let x: Vec<f64> = x.into_iter().chain(x.map(|x| 2.0 * x)).collect();
    let root = 14.5_f64.sqrt();
    let second = [-4.0 / root, -2.0 / root, 10.0, 10.0 + 12.0 / root];
    let expected = [&[-1.0, -0.5, 10.0, 13.0, 0.0, 0.0, -1.0, -1.0], &second[..], &[0.0, 0.0, -1.0, -1.0]];
    close(&evaluate(&layer, &parameters, &tensor(&x, &[2, 4, 1, 2])), &expected.concat());
}

/// The mean of n masks has deviation `sqrt(p / (1 - p) / n)`; five deviations are exceeded once in 2 million seeds.
#[test]
fn dropout_keeps_mean_and_depends_only_on_seed_step_and_path() {
    const COUNT: usize = 40_000;
    let (layer, ones) = (Dropout { p: 0.2 }, tensor(&vec![1.0; COUNT], &[1, COUNT]));
    let drop = |seed, step, micro_batch| {
        let at = StepIndex { step, micro_batch };
        run(&layer, &[], &ones, Mode::Train { seed, at }).0
    };
    let first = drop(1, 2, 0);
    let mean = first.iter().sum::<f64>() / COUNT as f64;
    assert!((mean - 1.0).abs() < 5.0 * (0.25 / COUNT as f64).sqrt());
    // The mask is computed in f32, whatever type it is applied to.
    assert!(first.iter().all(|y| [0.0, f64::from(1.25_f32)].contains(y)));
    assert_eq!(first, drop(1, 2, 0));
    for other in [drop(2, 2, 0), drop(1, 3, 0), drop(1, 2, 1)] {
        assert_ne!(first, other);
    }
    assert_eq!(evaluate(&layer, &[], &ones), vec![1.0; COUNT]);
}

/// An entire sample is kept or dropped; the mean of n masks as in the previous test.
#[test]
fn stochastic_depth_drops_entire_samples() {
    const SAMPLES: usize = 10_000;
    let (layer, ones) = (StochasticDepth { p: 0.2 }, tensor(&vec![1.0; 3 * SAMPLES], &[SAMPLES, 3, 1]));
    let drop =
        |step| run(&layer, &[], &ones, Mode::Train { seed: 1, at: StepIndex { step, micro_batch: 0 } }).0;
    let first = drop(0);
    assert!(first.chunks(3).all(|sample| sample == [0.0; 3] || sample == [f64::from(1.25_f32); 3]));
    let mean = first.iter().sum::<f64>() / first.len() as f64;
    assert!((mean - 1.0).abs() < 5.0 * (0.25 / SAMPLES as f64).sqrt());
    assert_eq!(first, drop(0));
    assert_ne!(first, drop(1));
    assert_eq!(evaluate(&layer, &[], &ones), vec![1.0; 3 * SAMPLES]);
    let none = StochasticDepth { p: 0.0 };
    assert_eq!(run(&none, &[], &ones, TRAIN).0, vec![1.0; 3 * SAMPLES]);
}

#[test]
fn embedding_looks_up_rows() {
    let weight = tensor(&[0.0, 1.0, 10.0, 11.0, 20.0, 21.0], &[3, 2]);
    let graph = Graph::of(&Embedding { out: 2, ..Embedding::DEFAULT }, &[Shape::tokens(3, 2)]).unwrap();
    let tokens = Tensor::new(&[[2_u32, 0], [1, 1]], &Device::Cpu).unwrap();
    let (outputs, _) =
        forward(&graph, std::slice::from_ref(&weight), std::slice::from_ref(&tokens), Mode::Evaluate)
            .unwrap();
    let y = outputs[0].clone();
    assert_eq!(y.dims(), [2, 2, 2]);
    assert_eq!(numbers(&y), [20.0, 21.0, 0.0, 1.0, 10.0, 11.0, 10.0, 11.0]);

    let graph =
        Graph::of(&PositionEmbedding { out: 3, ..PositionEmbedding::DEFAULT }, &[Shape::tokens(3, 2)])
            .unwrap();
    let weight = weight.reshape((2, 3)).unwrap();
    let (outputs, _) = forward(&graph, &[weight], &[tokens], Mode::Evaluate).unwrap();
    let y = outputs[0].clone();
    assert_eq!(y.dims(), [2, 2, 3]);
    assert_eq!(numbers(&y), [0.0, 1.0, 10.0, 11.0, 20.0, 21.0, 0.0, 1.0, 10.0, 11.0, 20.0, 21.0]);
}

/// Attention by plain loops over positions and heads, in the notation of the paper.
fn attend(layer: &SelfAttention, parameters: &[Vec<f64>], x: &[f64], length: usize) -> Vec<f64> {
    let features = x.len() / length;
    let each = features / layer.heads;
    let map = |weight: &[f64], bias: &[f64], x: &[f64]| -> Vec<f64> {
        let row = |(row, bias): (&[f64], &f64)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + bias;
        weight.chunks(features).zip(bias).map(row).collect()
    };
    let projected: Vec<_> = x.chunks(features).map(|x| map(&parameters[0], &parameters[1], x)).collect();
    let mut output = Vec::new();
    for t in 0..length {
        let mut heads = vec![0.0; features];
        for head in 0..layer.heads {
            let part = |place: usize, which: usize| {
                &projected[place][which * features + head * each..which * features + (head + 1) * each]
            };
            let seen = if layer.causal { t + 1 } else { length };
            let weights: Vec<f64> = (0..seen)
                .map(|s| {
                    let product: f64 = part(t, 0).iter().zip(part(s, 1)).map(|(q, k)| q * k).sum();
                    (product / (each as f64).sqrt()).exp()
                })
                .collect();
            for (s, weight) in weights.iter().enumerate() {
                for (j, value) in part(s, 2).iter().enumerate() {
                    heads[head * each + j] += weight / weights.iter().sum::<f64>() * value;
                }
            }
        }
        output.extend(map(&parameters[2], &parameters[3], &heads));
    }
    output
}

#[test]
fn attention_matches_plain_loops() {
    let layer = SelfAttention { heads: 2, ..SelfAttention::DEFAULT };
    for layer in [layer, SelfAttention { causal: true, heads: 3, ..layer }] {
        let (length, features) = (5, 6);
        let parameters = [3 * features * features, 3 * features, features * features, features]
            .map(|count| normal(&format!("{count}"), count));
        let x = normal("x", length * features);
        let tensors = [
            tensor(&parameters[0], &[3 * features, features]),
            tensor(&parameters[1], &[3 * features]),
            tensor(&parameters[2], &[features, features]),
            tensor(&parameters[3], &[features]),
        ];
        let y = evaluate(&layer, &tensors, &tensor(&x, &[1, length, features]));
        close(&y, &attend(&layer, &parameters, &x, length));
    }
}

#[test]
fn causal_attention_ignores_later_positions() {
    let layer = SelfAttention { heads: 2, causal: true, ..SelfAttention::DEFAULT };
    let graph = Graph::of(&layer, &[Shape::of(&[4, 4])]).unwrap();
    let parameters = initial(&graph, 3, &Device::Cpu).unwrap();
    let run = |x: &[f32], graph: &Graph| -> Vec<f32> {
        let x = Tensor::from_slice(x, (1, 4, 4), &Device::Cpu).unwrap();
        let (outputs, _) = forward(graph, &parameters, &[x], Mode::Evaluate).unwrap();
        let y = outputs[0].clone();
        y.flatten_all().unwrap().to_vec1().unwrap()
    };
    let x: Vec<f32> = normal("x", 16).into_iter().map(|x| x as f32).collect();
    let mut later = x.clone();
    later[8..].fill(9.0);
    let (y, changed) = (run(&x, &graph), run(&later, &graph));
    assert_eq!(y[..8], changed[..8]);
    assert_ne!(y[8..], changed[8..]);
    let open = Graph::of(&SelfAttention { causal: false, ..layer }, &[Shape::of(&[4, 4])]).unwrap();
    assert_ne!(run(&x, &open)[..8], run(&later, &open)[..8]);
}

/// The largest of n uniform draws within a bound is above 0.9 of it except with probability `0.9^n`.
#[test]
fn initial_parameters_are_within_bounds() {
    let begin = |layer: &dyn Fn() -> Graph| -> Vec<Vec<f32>> {
        let parameters = initial(&layer(), 5, &Device::Cpu).unwrap();
        parameters.iter().map(|p| p.flatten_all().unwrap().to_vec1().unwrap()).collect()
    };
    let uniform = |numbers: &[f32], bound: f64| {
        let largest = numbers.iter().fold(0.0_f64, |largest, &x| largest.max(f64::from(x).abs()));
        assert!(largest <= bound * (1.0 + 1e-7) && largest > 0.9 * bound, "{largest} for {bound}");
    };
    let linear =
        begin(&|| Graph::of(&Linear { out: 200, ..Linear::DEFAULT }, &[Shape::of(&[3, 25])]).unwrap());
    uniform(&linear[0], 0.2);
    uniform(&linear[1], 0.2);
    let conv = Conv2d { out: 200, kernel: 3, groups: 4, ..Conv2d::DEFAULT };
    let conv = begin(&|| Graph::of(&conv, &[Shape::of(&[16, 3, 3])]).unwrap());
    uniform(&conv[0], 1.0 / 6.0);
    uniform(&conv[1], 1.0 / 6.0);
    let attention = SelfAttention { heads: 1, ..SelfAttention::DEFAULT };
    let attention = begin(&|| Graph::of(&attention, &[Shape::of(&[2, 24])]).unwrap());
    uniform(&attention[0], 0.25);
    uniform(&attention[2], 1.0 / 24_f64.sqrt());
    assert!(attention[1].iter().chain(&attention[3]).all(|&b| b == 0.0));
    let recurrent = [
        begin(&|| Graph::of(&Lstm { out: 25, ..Lstm::DEFAULT }, &[Shape::of(&[3, 9])]).unwrap()),
        begin(&|| Graph::of(&Gru { out: 25, ..Gru::DEFAULT }, &[Shape::of(&[3, 9])]).unwrap()),
    ];
    for parameter in recurrent.iter().flatten() {
        uniform(parameter, 0.2);
    }
    let norm = begin(&|| Graph::of(&BatchNorm::DEFAULT, &[Shape::of(&[2])]).unwrap());
    assert_eq!(norm, [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [1.0, 1.0]]);
    let embedding = begin(&|| {
        Graph::of(&Embedding { out: 100, ..Embedding::DEFAULT }, &[Shape::tokens(100, 2)]).unwrap()
    });
    let variance = embedding[0].iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 1e4;
    // The variance of n normal draws has deviation sqrt(2 / n).
    assert!((variance - 1.0).abs() < 5.0 * (2e-4_f64).sqrt());
}
