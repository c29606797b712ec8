//! Shared helpers for the tests of the recurrent layers.

use super::{Cell, Gradients, Sizes, Steps, Weights};
use crate::matmul::WriteMode;
use crate::philox;
use crate::simd::{self, Level};

/// A recurrent layer and its reference.
pub(crate) trait Layer: Cell + Steps {
    /// A step of one sample in f64: from the two parts of the gates' sums, with their biases, and from the state,
    /// of which the first `hidden` elements are the output, to the new state.
    fn step(input: &[f64], recurrent: &[f64], state: &[f64]) -> Vec<f64>;
    /// The elements of the state of one sample, in multiples of `hidden`.
    const STATES: usize;
}

/// The inputs of a layer under test: `x`, the weights, the two biases.
#[derive(Clone)]
pub(crate) struct Values<T> {
    pub(crate) parts: [Vec<T>; 5],
    biased: bool,
}

/// Values from -`bound` to `bound`.
fn numbers(count: usize, key: u32, bound: f64) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (bound * (f64::from(word) / f64::from(1_u32 << 31) - 1.0)) as f32).collect()
}

impl Values<f32> {
    /// Inputs and biases up to 1, weights of which a row sums to at most 1 (input) and 1/2 (state), so that sums
    /// of gates are within 3.5.
    pub(crate) fn new(sizes: &Sizes, biased: bool) -> Self {
        let Sizes { inputs, hidden, .. } = *sizes;
        let biases = if biased { sizes.row() } else { 0 };
        let parts = [
            numbers(sizes.steps() * inputs, 1, 1.0),
            numbers(sizes.row() * inputs, 2, 1.0 / inputs.max(1) as f64),
            numbers(sizes.row() * hidden, 3, 0.5 / hidden.max(1) as f64),
            numbers(biases, 4, 1.0),
            numbers(biases, 5, 1.0),
        ];
        Self { parts, biased }
    }

    fn weights(&self) -> Weights<'_> {
        let [_, input, hidden, first, second] = &self.parts;
        Weights { input, hidden, biases: self.biased.then_some([first, second]) }
    }

    fn widen(&self) -> Values<f64> {
        let parts = self.parts.each_ref().map(|part| part.iter().map(|&value| f64::from(value)).collect());
        Values { parts, biased: self.biased }
    }
}

/// `y`, then the gradients of [`Values`]; `onto` is the previous contents: 1, or NaN if it must not affect the result.
pub(crate) fn run<L: Layer>(layer: &L, values: &Values<f32>, onto: WriteMode) -> [Vec<f32>; 6] {
    let sizes = layer.sizes();
    let (weights, x) = (values.weights(), &values.parts[0]);
    let mut y = vec![f32::NAN; sizes.steps() * sizes.hidden];
    let mut saved = vec![f32::NAN; layer.saved()];
    layer.forward(x, &weights, &mut y, &mut saved);

    let dy = numbers(y.len(), 6, 1.0);
    let there = if onto == WriteMode::Accumulate { 1.0 } else { f32::NAN };
    let mut found = values.parts.each_ref().map(|part| vec![there; part.len()]);
    let [dx, input, hidden, first, second] = &mut found;
    let biases = values.biased.then_some([(first.as_mut_slice(), onto), (second.as_mut_slice(), onto)]);
    let gradients = Gradients { input: (input, onto), hidden: (hidden, onto), biases };
    layer.backward(x, &weights, &y, &mut saved, &dy, Some((dx, onto)), gradients);
    let [dx, input, hidden, first, second] = found;
    [y, dx, input, hidden, first, second]
}

/// The outputs by plain loops in f64.
fn reference<L: Layer>(sizes: &Sizes, values: &Values<f64>) -> Vec<f64> {
    let Sizes { inputs, hidden, .. } = *sizes;
    let [x, input, recurrent, first, second] = &values.parts;
    let affine = |weight: &[f64], bias: &[f64], from: &[f64]| -> Vec<f64> {
        let row = |row: usize| weight[row * from.len()..][..from.len()].iter().zip(from).map(|(w, x)| w * x);
        (0..sizes.row()).map(|at| row(at).sum::<f64>() + bias.get(at).unwrap_or(&0.0)).collect()
    };
    let mut y = Vec::new();
    for sample in 0..sizes.batch {
        let mut state = vec![0.0; L::STATES * hidden];
        for step in 0..sizes.length {
            let x = &x[(sample * sizes.length + step) * inputs..][..inputs];
            state = L::step(&affine(input, first, x), &affine(recurrent, second, &state[..hidden]), &state);
            y.extend_from_slice(&state[..hidden]);
        }
    }
    y
}

/// The kernel against the reference, and its gradients against finite differences of the reference in f64.
///
/// A sum of a gate has at most `inputs + hidden + 4` roundings of values within 3.5 and a gate and a state 8 more;
/// a step inherits the error of the previous one, at most halved by the recurrent weights, or by a gate below
/// 1, and a cell is within `length`, by which the errors of its gate count. So the outputs have at most
/// `length (4 + length)` times these roundings. The gradient of a sum of a gate is within `2 length` for `dy`
/// within 1, has at most twice as many roundings (those of the values in it and its own), and that of a weight
/// sums one for each step of each sample. Of each part, about `most` gradients are checked.
pub(crate) fn check<L: Layer>(layer: &L, biased: bool, most: usize) {
    const STEP: f64 = 1e-5;
    let sizes = layer.sizes();
    let values = Values::new(&sizes, biased);
    let mut wide = values.widen();
    let found = run(layer, &values, WriteMode::Overwrite);

    let length = sizes.length as f64;
    let roundings = 3.5 * (sizes.inputs + sizes.hidden + 4) as f64 + 8.0;
    let unit = length * (4.0 + length) * roundings * f64::from(f32::EPSILON) / 2.0;
    for (index, (&found, expected)) in found[0].iter().zip(reference::<L>(&sizes, &wide)).enumerate() {
        assert!((f64::from(found) - expected).abs() <= unit, "y[{index}] is {found}, not {expected}");
    }

    let dy = numbers(found[0].len(), 6, 1.0);
    let loss = |values: &Values<f64>| -> f64 {
        reference::<L>(&sizes, values).iter().zip(&dy).map(|(y, &dy)| y * f64::from(dy)).sum()
    };
    for part in 0..wide.parts.len() {
        let count = wide.parts[part].len();
        assert_eq!(count, found[part + 1].len());
        // An odd distance, so that all gates and samples are met.
        let sums = if part == 0 { sizes.row() } else { sizes.steps() } as f64;
        let tolerance = 4.0 * length * sums * unit + 1e-8;
        for index in (0..count).step_by((count / most) | 1) {
            let value = wide.parts[part][index];
            wide.parts[part][index] = value + STEP;
            let above = loss(&wide);
            wide.parts[part][index] = value - STEP;
            let slope = (above - loss(&wide)) / (2.0 * STEP);
            wide.parts[part][index] = value;
            let found = f64::from(found[part + 1][index]);
            assert!((found - slope).abs() <= tolerance, "gradient {part}[{index}] is {found}, not {slope}");
        }
    }
}

fn bits(values: &[Vec<f32>]) -> Vec<u32> {
    values.iter().flatten().map(|value| value.to_bits()).collect()
}

/// All results are bit-identical at every level, on any number of threads, with and without `saved`.
pub(crate) fn check_bits<L: Layer>(layer: &L) {
    let sizes = layer.sizes();
    let values = Values::new(&sizes, true);
    let expected = bits(&run(layer, &values, WriteMode::Overwrite));
    for &level in Level::available() {
        let found = simd::at_level(level, || run(layer, &values, WriteMode::Overwrite));
        assert_eq!(bits(&found), expected, "{level:?}");
    }
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let found = pool.install(|| run(layer, &values, WriteMode::Overwrite));
        assert_eq!(bits(&found), expected, "{threads} threads");
    }
    let mut y = vec![f32::NAN; sizes.steps() * sizes.hidden];
    layer.infer(&values.parts[0], &values.weights(), &mut y);
    assert_eq!(bits(&[y.clone()]), expected[..y.len()]);
    for biased in [true, false] {
        let values = Values::new(&sizes, biased);
        let packed = layer.pack(&values.weights());
        let [expected, ..] = run(layer, &values, WriteMode::Overwrite);
        for &level in Level::available() {
            let mut y = vec![f32::NAN; expected.len()];
            simd::at_level(level, || layer.infer_packed(&values.parts[0], &packed, &mut y));
            assert_eq!(bits(&[y]), bits(std::slice::from_ref(&expected)), "packed, {level:?}");
        }
    }
}

/// A sample's result does not depend on the others; `of` makes the layer for one sample.
pub(crate) fn check_samples<L: Layer>(layer: &L, of: impl Fn(usize) -> L) {
    let sizes = layer.sizes();
    let all = Values::new(&sizes, true);
    let together = run(layer, &all, WriteMode::Overwrite);
    let weights = all.weights();
    let packed = layer.pack(&weights);
    let dy_all = numbers(together[0].len(), 6, 1.0);
    for sample in 0..sizes.batch {
        let part = |values: &[f32]| {
            let each = values.len() / sizes.batch;
            values[sample * each..][..each].to_vec()
        };
        let one = of(1);
        let x = part(&all.parts[0]);
        let (mut y, mut dx) = (vec![0.0; part(&together[0]).len()], vec![0.0; x.len()]);
        let mut saved = vec![0.0; one.saved()];
        one.infer_packed(&x, &packed, &mut y);
        assert_eq!(bits(&[y.clone()]), bits(&[part(&together[0])]), "packed, {sample}");
        one.forward(&x, &weights, &mut y, &mut saved);
        let [mut input, mut hidden] = [&all.parts[1], &all.parts[2]].map(|part| vec![0.0; part.len()]);
        let (input, hidden) =
            ((input.as_mut_slice(), WriteMode::Overwrite), (hidden.as_mut_slice(), WriteMode::Overwrite));
        let gradients = Gradients { input, hidden, biases: None };
        one.backward(
            &x,
            &weights,
            &y,
            &mut saved,
            &part(&dy_all),
            Some((&mut dx, WriteMode::Overwrite)),
            gradients,
        );
        assert_eq!(bits(&[y, dx]), bits(&[part(&together[0]), part(&together[1])]), "{sample}");
    }
}

/// Gradients that are added to 1 are 1 more, but for the rounding of the sum and of the parts that are added on
/// their own: 4 of values within twice the result.
pub(crate) fn check_onto<L: Layer>(layer: &L) {
    let values = Values::new(&layer.sizes(), true);
    let [replaced, added] =
        [WriteMode::Overwrite, WriteMode::Accumulate].map(|onto| run(layer, &values, onto));
    for (replaced, added) in replaced.iter().zip(&added).skip(1) {
        for (replaced, added) in replaced.iter().zip(added) {
            let tolerance = 4.0 * f32::EPSILON * (1.0 + replaced.abs());
            assert!((replaced + 1.0 - added).abs() <= tolerance, "{replaced} {added}");
        }
    }
}
