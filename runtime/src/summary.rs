//! A model summary as a table.

use std::fmt::{Display, Formatter};

use crate::format::Table;
use crate::format::{bytes, count, short};
use crate::graph::{Graph, GraphParameter, Node};
use crate::layer::Role;
use crate::op::Format;
use crate::optim::ParameterConfig;
use crate::plan::Plan;
use crate::shape::Shape;

/// Backward costs about twice the forward pass: a gradient for the inputs, and one for the parameters.
const TRAINING_PER_FORWARD: u64 = 3;
/// The size of an element in bytes.
const F32: u64 = 4;

/// The layers of a graph with their shapes, parameters and FLOPs; [`Display`] formats it as a table.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The model's name.
    pub model: &'static str,
    /// Samples in the micro-batch.
    pub batch: usize,
    /// The shapes of the model's inputs, for one sample.
    pub inputs: Vec<Shape>,
    /// The layers, in the graph's order.
    pub layers: Vec<LayerSummary>,
    /// Trained matrices and kernels: the number of parameters, and of their elements.
    pub matrices: (usize, u64),
    /// Trained parameters that are not matrices: the number of parameters, and of their elements.
    pub others: (usize, u64),
    /// Elements of running statistics.
    pub statistics: u64,
    /// Elements of frozen parameters.
    pub frozen: u64,
    /// The optimizer settings of each parameter; empty if not known.
    pub treatments: Vec<ParameterSummary>,
    /// Elements of all values for one sample, including the inputs.
    pub activations: u64,
    /// Elements of optimizer state; `None` if not known.
    pub optimizer_state: Option<u64>,
    /// Elements that a run holds in addition to what its steps need: averages, best weights, and a checkpoint being written.
    pub copies: u64,
    /// The size of a plan in 32-bit words: the peak of a micro-batch, and in 16 bits the rounded
    /// weights of a layer. `None` without a plan.
    pub planned: Option<u64>,
    /// How many of these are kept from the forward to the backward pass; 0 without a plan.
    pub kept: u64,
    /// The format that values are rounded to and stored in; `None` is f32.
    pub format: Option<Format>,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug)]
pub struct LayerSummary {
    /// Its path in the model.
    pub path: String,
    /// Its call name.
    pub call: &'static str,
    /// The shape of its output, for one sample.
    pub output: Shape,
    /// Its trained elements; those that an earlier layer uses too are counted there.
    pub parameters: u64,
    /// FLOPs of its forward pass for one sample.
    pub flops: u64,
}

/// How one parameter of a [`Summary`] is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSummary {
    /// Its path.
    pub path: String,
    /// The learning rate at a schedule factor of 1, and the penalties; `None` if it is frozen.
    pub treatment: Option<ParameterConfig>,
}

/// The memory that training needs, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Parameters and running statistics.
    pub parameters: u64,
    /// A gradient for each trained element.
    pub gradients: u64,
    /// The state of the optimizer.
    pub optimizer: u64,
    /// The memory of a micro-batch: by the plan, or without one the sum of all values.
    pub activations: u64,
    /// Copies of the weights and state: the average, the best ones, and a checkpoint being written.
    pub copies: u64,
}

impl Memory {
    /// The total.
    #[must_use]
    pub fn total(self) -> u64 {
        [self.gradients, self.optimizer, self.activations, self.copies]
            .into_iter()
            .fold(self.parameters, u64::saturating_add)
    }
}

impl Graph {
    /// Summarizes the model, and the cost of a micro-batch of `batch` samples.
    #[must_use]
    pub fn summary(&self, batch: usize) -> Summary {
        let elements = |shape: &Shape| shape.elements() as u64;
        let sum = |is_counted: fn(&GraphParameter) -> bool| {
            self.parameters.iter().filter(|parameter| is_counted(parameter)).fold(
                (0, 0_u64),
                |(parameters, numbers), parameter| {
                    (parameters + 1, numbers.saturating_add(elements(&parameter.shape)))
                },
            )
        };
        Summary {
            model: self.name,
            batch,
            inputs: self.shapes_of_inputs().to_vec(),
            layers: self.layer_summaries(),
            matrices: sum(|parameter| parameter.is_trained() && parameter.role == Role::Matrix),
            others: sum(|parameter| parameter.is_trained() && parameter.role != Role::Matrix),
            statistics: sum(|parameter| parameter.role == Role::Statistic).1,
            frozen: sum(|parameter| parameter.role != Role::Statistic && parameter.frozen).1,
            treatments: Vec::new(),
            activations: self.shapes.iter().map(elements).fold(0, u64::saturating_add),
            optimizer_state: None,
            copies: 0,
            planned: None,
            kept: 0,
            format: None,
        }
    }

    /// A summary of each layer, which counts a parameter at the first layer that uses it.
    fn layer_summaries(&self) -> Vec<LayerSummary> {
        let mut is_counted = vec![false; self.parameters.len()];
        let summary = |node: &Node| {
            let output = self.shapes.get(node.output).copied().unwrap_or(Shape::UNKNOWN);
            let mut parameters = 0_u64;
            for own in &node.parameters {
                let parameter = &self.parameters[own.index];
                if parameter.is_trained() && !is_counted[own.index] {
                    parameters = parameters.saturating_add(parameter.shape.elements() as u64);
                }
                is_counted[own.index] = true;
            }
            LayerSummary {
                path: node.path.clone(),
                call: node.layer.name(),
                output,
                parameters,
                flops: node.layer.flops(&self.input_shapes(node), output),
            }
        };
        self.nodes.iter().map(summary).collect()
    }
}

impl Summary {
    /// Adds an optimizer with `slots` elements of state for each trained element.
    #[must_use]
    pub fn with_optimizer(self, slots: usize) -> Self {
        let elements = self.trained().saturating_mul(slots as u64);
        self.with_optimizer_state(elements)
    }

    /// Adds an optimizer with this many elements of state.
    #[must_use]
    pub fn with_optimizer_state(mut self, elements: u64) -> Self {
        self.optimizer_state = Some(elements);
        self
    }

    /// Adds this many elements that are held in addition.
    #[must_use]
    pub fn with_copies(mut self, numbers: u64) -> Self {
        self.copies = numbers;
        self
    }

    /// Adds the optimizer settings of each parameter of the graph, at the learning rate `lr`.
    #[must_use]
    pub fn with_treatments(mut self, graph: &Graph, treatments: &[ParameterConfig], lr: f64) -> Self {
        let parameters = graph.parameters.iter().zip(treatments);
        self.treatments = parameters
            .filter(|(parameter, _)| parameter.role != Role::Statistic)
            .map(|(parameter, &treatment)| ParameterSummary {
                path: parameter.path.clone(),
                treatment: parameter
                    .is_trained()
                    .then_some(ParameterConfig { lr: lr * treatment.lr, ..treatment }),
            })
            .collect();
        self
    }

    /// Adds the memory of a plan for this graph and micro-batch.
    #[must_use]
    pub fn with_plan(mut self, plan: &Plan) -> Self {
        self.planned = Some((plan.length() + plan.rounded_weights()) as u64);
        (self.kept, self.format) = (plan.kept() as u64, plan.format());
        self
    }

    /// The number of trained elements.
    #[must_use]
    pub fn trained(&self) -> u64 {
        self.matrices.1.saturating_add(self.others.1)
    }

    /// FLOPs of the forward pass for one sample.
    #[must_use]
    pub fn flops(&self) -> u64 {
        self.layers.iter().map(|layer| layer.flops).fold(0, u64::saturating_add)
    }

    /// FLOPs of forward and backward for the micro-batch: about three times those of
    /// the forward pass. Those of the optimizer are not counted.
    #[must_use]
    pub fn training_flops(&self) -> u64 {
        self.flops().saturating_mul(TRAINING_PER_FORWARD).saturating_mul(self.batch as u64)
    }

    /// The memory that training needs: with a plan, what the engine allocates, except for the scratch memory of its
    /// threads; without one, an estimate that ignores temporary memory of operations and values that are
    /// freed early.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let of = |numbers: u64| numbers.saturating_mul(F32);
        Memory {
            parameters: of(self.trained().saturating_add(self.frozen).saturating_add(self.statistics)),
            gradients: of(self.trained()),
            optimizer: of(self.optimizer_state.unwrap_or(0)),
            activations: of(self
                .planned
                .unwrap_or_else(|| self.activations.saturating_mul(self.batch as u64))),
            copies: of(self.copies),
        }
    }

    fn batched(&self, shape: Shape) -> String {
        let axes: Vec<_> = std::iter::once(self.batch).chain(shape.axes().iter().copied()).collect();
        format!("{axes:?}")
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}, a micro-batch of {}\n", self.model, count(self.batch as u64))?;
        let mut layers = Table::new("<<<>>").indented(2);
        layers.row(["layer", "call", "output", "parameters", "FLOPs/sample"]);
        for &input in &self.inputs {
            layers.row(["input", "", &self.batched(input)]);
        }
        for LayerSummary { path, call, output, parameters, flops } in &self.layers {
            let parameters = if *parameters == 0 { "-".to_owned() } else { count(*parameters) };
            layers.row([path, *call, &self.batched(*output), &parameters, &short(*flops)]);
        }
        writeln!(f, "{layers}")?;
        if !self.treatments.is_empty() {
            let mut parameters = Table::new("<<<").indented(2);
            parameters.row(["parameter", "lr", "decay"]);
            for parameter in &self.treatments {
                let [rate, decay] = parameter.cells();
                parameters.row([&parameter.path, &rate, &decay]);
            }
            writeln!(f, "{parameters}")?;
        }

        let memory = self.memory();
        let optimizer = match self.optimizer_state {
            Some(_) => format!("optimizer {}", bytes(memory.optimizer)),
            None => "optimizer unknown".to_owned(),
        };
        let mut totals = Table::new("<<").indented(2);
        totals.row(["trained parameters", &count(self.trained())]);
        if self.frozen > 0 {
            totals.row(["frozen parameters", &count(self.frozen)]);
        }
        totals.row(["running statistics", &count(self.statistics)]);
        totals.row(["weight decay", &self.decay()]);
        totals.row(["forward", &format!("{} FLOPs per sample", short(self.flops()))]);
        totals.row([
            "forward and backward",
            &format!(
                "{} FLOPs per micro-batch (about three times the forward pass)",
                short(self.training_flops())
            ),
        ]);
        let copies = match memory.copies {
            0 => String::new(),
            copies => format!("copies and saving {}, ", bytes(copies)),
        };
        let source = if self.planned.is_some() { "as planned" } else { "estimated" };
        totals.row(["memory", &format!("{}, {source}:", bytes(memory.total()))]);
        totals.row([
            "",
            &format!(
                "parameters {}, gradients {}, {optimizer}, {copies}{} {}",
                bytes(memory.parameters),
                bytes(memory.gradients),
                if self.planned.is_some() { "a micro-batch" } else { "values of a micro-batch" },
                bytes(memory.activations)
            ),
        ]);
        if self.planned.is_some() {
            let kept = bytes(self.kept.saturating_mul(F32));
            let format = match self.format {
                None => "f32",
                Some(Format::Bf16) => "bf16",
                Some(Format::F16) => "f16",
            };
            totals.row([
                "",
                &format!("{kept} of the micro-batch is kept for the backward pass, stored as {format}"),
            ]);
        }
        write!(f, "{totals}")
    }
}

impl ParameterSummary {
    /// Its learning rate and its decay as text.
    fn cells(&self) -> [String; 2] {
        let Some(ParameterConfig { lr, l1, l2, weight_decay }) = self.treatment else {
            return ["frozen".to_owned(), "-".to_owned()];
        };
        let given: Vec<_> = [("weight_decay", weight_decay), ("l2", l2), ("l1", l1)]
            .into_iter()
            .filter(|(_, value)| *value != 0.0)
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        [format!("{lr:.2e}"), if given.is_empty() { "-".to_owned() } else { given.join(", ") }]
    }
}

impl Summary {
    /// Which parameters an optimizer decays.
    fn decay(&self) -> String {
        let (matrices, decayed) = self.matrices;
        let (others, kept) = self.others;
        format!(
            "applies to matrices and kernels ({matrices}, with {} elements); not to the others ({others}, with {}), unless \
             `decay: All`",
            count(decayed),
            count(kept)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::graph;
    use crate::graph::Graph;
    use crate::layer::Add;

    #[test]
    fn summary_is_aligned_table() {
        let expected = "\
Line, a micro-batch of 64

  layer   call     output   parameters  FLOPs/sample
  input            [64, 3]
  line_1  stretch  [64, 3]           6             3

  trained parameters    6
  running statistics    3
  weight decay          applies to matrices and kernels (1, with 3 elements); not to the others (1, with 3), unless `decay: All`
  forward               3 FLOPs per sample
  forward and backward  576 FLOPs per micro-batch (about three times the forward pass)
  memory                1.6 KiB, estimated:
                        parameters 36 B, gradients 24 B, optimizer 48 B, values of a micro-batch 1.5 KiB
";
        assert_eq!(graph().summary(64).with_optimizer(2).to_string(), expected);
    }

    #[test]
    fn summary_lists_learning_rate_and_decay_of_each_parameter() {
        let mut graph = graph();
        graph.parameters[1].frozen = true;
        let treatment = ParameterConfig { lr: 0.5, l1: 0.25, l2: 0.0, weight_decay: 0.01 };
        let summary = graph.summary(1).with_optimizer(2).with_treatments(&graph, &[treatment; 3], 0.02);
        let text = summary.to_string();
        let expected = "\
  parameter      lr       decay
  line_1.weight  1.00e-2  weight_decay 0.01, l1 0.25
  line_1.bias    frozen   -
";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("frozen parameters     3"), "{text}");
        let memory = summary.memory();
        // All nine elements are held; three have a gradient and a state.
        assert_eq!((memory.parameters, memory.gradients, memory.optimizer), (36, 12, 24));
    }

    #[test]
    fn layer_with_two_inputs_is_counted_once() {
        let shape = Shape::of(&[2, 8, 8]);
        let summary = Graph::of(&Add {}, &[shape, shape]).unwrap().summary(4);
        assert_eq!(summary.inputs.len(), 2);
        assert_eq!((summary.flops(), summary.trained(), summary.training_flops()), (128, 0, 128 * 3 * 4));
        // Two inputs and one output of four samples.
        assert_eq!(summary.memory().total(), 3 * 128 * 4 * 4);
        assert!(summary.to_string().contains("[4, 2, 8, 8]"));
    }

    #[test]
    fn oversized_counts_saturate() {
        let shape = Shape::of(&[usize::MAX]);
        let summary = Graph::of(&Add {}, &[shape, shape]).unwrap().summary(usize::MAX).with_optimizer(2);
        assert_eq!(summary.memory().total(), u64::MAX);
        assert_eq!(summary.training_flops(), u64::MAX);
    }
}
