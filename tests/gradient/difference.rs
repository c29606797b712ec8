//! Central differences in f64, compared with candle's autodiff.

use candle_core::{DType, Device, Tensor, Var};
use trainspec::Shape;
use trainspec::engine::forward;
use trainspec::graph::Graph;
use trainspec::layer::Mode;
use trainspec::layer::Role;
use trainspec::rng::{Purpose, StepIndex, Stream};

/// The error of a central difference `(L(x + h) - L(x - h)) / 2h` is `h^2 / 6 |L'''|` from the formula and
/// about `eps |L| / h` from rounding; with `eps = 2.2e-16` their sum is least near `h = cbrt(eps)`, at which
/// they are `6e-12 |L'''|` and `4e-11 |L|`.
const STEP: f64 = 6e-6;

/// The sums here have at most a few hundred terms of size 1 and third derivatives of that order, so the
/// difference is right to some 1e-9; relative to the largest gradient, if that is above 1.
const TOLERANCE: f64 = 1e-8;

/// Samples in a batch: neither one nor a power of two.
const BATCH: usize = 3;

/// The points at which a layer is differentiated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Points {
    /// Anywhere: the layer is smooth.
    Anywhere,
    /// All values of an input differ from each other and from 0 by far more than [`STEP`], so that no
    /// difference crosses a kink.
    OffKinks,
    /// All values are above 1: the layer has a pole or ends at 0.
    AboveOne,
}

/// Both modes: dropout has one mask in all passes of a check.
pub(crate) const TRAIN: Mode = Mode::Train { seed: 7, at: StepIndex { step: 3, micro_batch: 1 } };

/// A varied value: a parameter or an input.
struct Leaf {
    name: String,
    axes: Vec<usize>,
    numbers: Vec<f64>,
    varied: bool,
    whole: bool,
}

impl Leaf {
    fn tensor(&self) -> Tensor {
        let tensor = Tensor::from_slice(&self.numbers, self.axes.as_slice(), &Device::Cpu).unwrap();
        if self.whole { tensor.to_dtype(DType::U32).unwrap() } else { tensor }
    }

    fn random(name: String, axes: Vec<usize>, varied: bool) -> Self {
        let count = axes.iter().product();
        let numbers = normal(&name, count);
        Self { name, axes, numbers, varied, whole: false }
    }
}

/// Returns normally distributed values that depend only on `name`.
pub(crate) fn normal(name: &str, count: usize) -> Vec<f64> {
    let stream = Stream::new(11, Purpose::Init, name);
    stream.normal(StepIndex::default(), count).into_iter().map(f64::from).collect()
}

fn input(index: usize, shape: Shape, points: Points) -> Leaf {
    let name = format!("input {index}");
    let mut axes = vec![BATCH];
    axes.extend(shape.axes());
    let count = axes.iter().product();
    let stream = Stream::new(5, Purpose::Split, &name);
    if let Some(vocabulary) = shape.vocabulary() {
        let tokens = stream.words(StepIndex::default(), count);
        let numbers = tokens.into_iter().map(|word| f64::from(word % vocabulary as u32)).collect();
        return Leaf { name, axes, numbers, varied: false, whole: true };
    }
    let mut leaf = Leaf::random(name, axes, true);
    if let Points::AboveOne = points {
        leaf.numbers.iter_mut().for_each(|number| *number = number.abs() + 1.0);
    }
    if let Points::OffKinks = points {
        let order = stream.permutation(StepIndex::default(), count);
        leaf.numbers =
            order.into_iter().map(|place| (place as f64 - count as f64 / 2.0 + 0.25) * 0.02).collect();
    }
    leaf
}

fn leaves(graph: &Graph, shapes: &[Shape], points: Points) -> Vec<Leaf> {
    let parameter = |parameter: &trainspec::graph::GraphParameter| {
        let mut leaf =
            Leaf::random(parameter.path.clone(), parameter.shape.axes().to_vec(), parameter.is_trained());
        if parameter.role == Role::Statistic {
            // A running variance is above 0.
            leaf.numbers.iter_mut().for_each(|number| *number = number.abs() + 0.5);
        }
        leaf
    };
    let parameters = graph.parameters.iter().map(parameter);
    parameters.chain(shapes.iter().enumerate().map(|(i, &shape)| input(i, shape, points))).collect()
}

/// Returns the weighted sum of a layer's output; every element has a different weight.
fn loss(graph: &Graph, tensors: &[Tensor], mode: Mode) -> Tensor {
    let (parameters, inputs) = tensors.split_at(graph.parameters.len());
    let (mut outputs, _) = forward(graph, parameters, inputs, mode).unwrap();
    let output = outputs.remove(0);
    let mut axes = vec![BATCH];
    axes.extend(graph.shapes[graph.outputs[0].value].axes());
    assert_eq!(output.dims(), axes, "{}: the rule gives another shape than the layer", graph.name);
    assert_eq!(output.dtype(), DType::F64, "{}: left f64", graph.name);
    let weights = Tensor::from_vec(normal("weights", output.elem_count()), axes, &Device::Cpu).unwrap();
    (output * weights).unwrap().sum_all().unwrap()
}

/// Compares both gradients for every element of every parameter and real input, in both modes.
pub(crate) fn agree(graph: &Graph, points: Points) {
    let shapes = &graph.shapes[..graph.inputs.len()];
    for mode in [TRAIN, Mode::Evaluate] {
        let leaves = leaves(graph, shapes, points);
        let mut tensors: Vec<Tensor> = leaves.iter().map(Leaf::tensor).collect();
        let variables: Vec<Option<Var>> = leaves
            .iter()
            .zip(&mut tensors)
            .map(|(leaf, tensor)| {
                leaf.varied.then(|| {
                    let variable = Var::from_tensor(tensor).unwrap();
                    *tensor = variable.as_tensor().clone();
                    variable
                })
            })
            .collect();
        let gradients = loss(graph, &tensors, mode).backward().unwrap();

        let mut fixed: Vec<Tensor> = leaves.iter().map(Leaf::tensor).collect();
        for (place, (leaf, variable)) in leaves.iter().zip(&variables).enumerate() {
            let Some(variable) = variable else { continue };
            let count = leaf.numbers.len();
            let told = gradients.get(variable.as_tensor()).map_or_else(
                || vec![0.0; count],
                |gradient| gradient.flatten_all().unwrap().to_vec1::<f64>().unwrap(),
            );
            let mut difference = |element: usize| {
                let mut at = |offset: f64| {
                    let mut numbers = leaf.numbers.clone();
                    numbers[element] += offset;
                    fixed[place] = Tensor::from_vec(numbers, leaf.axes.as_slice(), &Device::Cpu).unwrap();
                    loss(graph, &fixed, mode).to_scalar::<f64>().unwrap()
                };
                let step = STEP * leaf.numbers[element].abs().max(1.0);
                (at(step) - at(-step)) / (2.0 * step)
            };
            let measured: Vec<f64> = (0..count).map(&mut difference).collect();
            fixed[place] = leaf.tensor();

            let largest = measured.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
            for (element, (told, measured)) in told.iter().zip(&measured).enumerate() {
                assert!(
                    (told - measured).abs() <= TOLERANCE * largest,
                    "{} {} of {:?}, element {element}, {mode:?}: candle returns {told}, the difference {measured}",
                    graph.name,
                    leaf.name,
                    graph.shapes,
                );
            }
        }
    }
}
