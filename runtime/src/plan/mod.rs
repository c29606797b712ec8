//! Plans: a graph compiled for one batch size.
//!
//! ```text
//! Graph ──fuse──▶ Groups ──forward, backward──▶ steps over buffers ──place──▶ Plan: steps over one arena
//! ```
//!
//! A [`Plan`] fixes the order of execution, the groups of layers that are computed in one pass ([`Lowering`](crate::op::Lowering)), the values
//! kept for the backward pass, and the place of each value in memory. A step allocates nothing, and its
//! memory is known before the first step.
//!
//! ```
//! use trainspec::plan::Plan;
//! use trainspec::prelude::*;
//! use trainspec::Model;
//!
//! #[model]
//! fn Net(image: Image<1, 8, 8>) -> Logits<10> {
//!     image.flatten().linear(out = 32).relu().linear(out = 10)
//! }
//!
//! let graph = Net::graph()?;
//! let (small, large) = (Plan::training(&graph, 0, 64)?, Plan::training(&graph, 0, 128)?);
//! assert!(small.length() < large.length());
//! // Every layer has a lowering.
//! assert!(!small.has_fallbacks());
//! # Ok::<(), trainspec::Error>(())
//! ```

mod backward;
mod buffer;
mod forward;
mod fuse;
mod pack;

pub(crate) use backward::{BackwardStep, KernelStep};
pub(crate) use forward::ForwardStep;
pub(crate) use fuse::{Group, Groups, Work};
pub(crate) use pack::{Load, Moves, Store};

use buffer::{Buffer, Buffers, Layout};
use pack::Packer;
use trainspec_kernels::arena::Span;

use crate::error::{Error, Result};
use crate::graph::{self, Graph};
use crate::layer::Role;
use crate::op::Format;
use crate::shape::Shape;

/// The place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the arena.
    Arena(Buffer),
    /// In the batch: the graph's input with this index.
    Input(usize),
}

impl Place {
    fn buffer(self) -> Option<Buffer> {
        match self {
            Self::Arena(buffer) => Some(buffer),
            Self::Input(_) => None,
        }
    }
}

/// An execution plan of a graph for one batch size.
#[derive(Debug)]
pub struct Plan {
    batch: usize,
    groups: Groups,
    forward: Vec<ForwardStep>,
    backward: Vec<BackwardStep>,
    outputs: Vec<Place>,
    /// The gradient of each output; none for an output that no parameter influences.
    loss_gradients: Vec<Option<Buffer>>,
    layout: Layout,
    operations: u64,
    work: u64,
    format: Option<Format>,
    /// The conversions of values around each step, by its time; none in f32.
    moves: Vec<Moves>,
    kept: usize,
    rounded_weights: usize,
}

/// How values are stored between kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// The format that they are rounded to; `None` leaves them as f32.
    pub format: Option<Format>,
    /// Keeps the rounded values in 32 bits: the same values, with more memory and without conversions.
    pub wide: bool,
}

impl From<Option<Format>> for Storage {
    fn from(format: Option<Format>) -> Self {
        Self { format, wide: false }
    }
}

impl Plan {
    /// The plan of a training step for micro-batches of `batch` samples.
    ///
    /// # Errors
    /// If its values cannot fit in memory.
    pub fn training(graph: &Graph, seed: u64, batch: usize) -> Result<Self> {
        Self::new(graph, seed, batch, true, Storage::default())
    }

    /// The same plan, with values rounded between kernels and kept in 16 bits.
    ///
    /// ```
    /// use trainspec::plan::{Plan, Storage};
    /// use trainspec::op::Format;
    /// use trainspec::prelude::*;
    ///
    /// #[model]
    /// fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    ///     let x = image.conv2d(out = 8, kernel = 3, padding = 1).relu();
    ///     let x = x.conv2d(out = 8, kernel = 3, padding = 1).relu();
    ///     x.conv2d(out = 8, kernel = 3, padding = 1).relu().flatten().linear(out = 10)
    /// }
    ///
    /// let graph = Net::graph()?;
    /// let storage = Storage::from(Some(Format::Bf16));
    /// let (full, half) = (Plan::training(&graph, 0, 64)?, Plan::training_in(&graph, 0, 64, storage)?);
    /// assert!(half.kept() < full.kept() * 6 / 10);
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Plan::training`].
    pub fn training_in(graph: &Graph, seed: u64, batch: usize, storage: Storage) -> Result<Self> {
        Self::new(graph, seed, batch, true, storage)
    }

    /// The plan of a forward pass in evaluation mode.
    ///
    /// # Errors
    /// As [`Plan::training`].
    pub fn evaluation(graph: &Graph, batch: usize) -> Result<Self> {
        Self::new(graph, 0, batch, false, Storage::default())
    }

    /// The same plan, with values rounded between kernels and kept in 16 bits.
    ///
    /// # Errors
    /// As [`Plan::training`].
    pub fn evaluation_in(graph: &Graph, batch: usize, storage: Storage) -> Result<Self> {
        Self::new(graph, 0, batch, false, storage)
    }

    fn new(graph: &Graph, seed: u64, batch: usize, training: bool, storage: Storage) -> Result<Self> {
        /// The maximum number of elements of all values. Kernels need at most a small multiple, so that no sum overflows.
        const MOST: usize = 1 << 45;
        let values = graph.shapes.iter().map(|shape| shape.elements()).fold(0, usize::saturating_add);
        if values.saturating_mul(batch) > MOST {
            return Err(Error::Batch(format!(
                "a micro-batch of {batch} samples has too many values to fit in memory; use a smaller `batch`"
            )));
        }
        let groups = Groups::of(graph, seed, training, storage.format.is_some());
        let mut buffers = Buffers::default();
        let mut planner = forward::Forward::new(graph, &groups, batch, training, &mut buffers);
        let mut steps = planner.steps();
        let loss = groups.list.len();
        let output = |output: &graph::Output| planner.read(groups.roots[output.value], loss);
        let outputs: Vec<_> = graph.outputs.iter().map(output).collect();
        let (mut backward, loss_gradients) = if training {
            backward::plan(&mut planner, &steps)
        } else {
            (Vec::new(), vec![None; outputs.len()])
        };
        for buffer in outputs.iter().filter_map(|place| place.buffer()) {
            // It is read after the step.
            buffers.touch(buffer, steps.len() + 1 + backward.len());
        }
        let times = steps.len() + 1 + backward.len();
        let moves = match storage.format {
            None => Vec::new(),
            Some(_) => {
                let outputs = outputs.iter().filter_map(|place| place.buffer());
                let wide = outputs.chain(loss_gradients.iter().copied().flatten()).collect();
                let length = |shape: &Shape| shape.vocabulary().is_none().then_some(batch * shape.elements());
                let inputs = graph.shapes_of_inputs().iter().map(length).collect();
                let values = |group: usize| match &groups.list[group].work {
                    Work::Kernel(kernel) => kernel.needs(batch).values,
                    Work::Epilogue | Work::Fallback => 0,
                };
                let mut packer = Packer::new(&mut buffers, wide, (times, inputs), !storage.wide);
                for (time, step) in steps.iter_mut().enumerate() {
                    packer.forward(time, step, values(step.group));
                }
                for (time, step) in (steps.len() + 1..).zip(&mut backward) {
                    packer.backward(time, step, values);
                }
                packer.finish()
            }
        };
        let kept = buffers.words_at(steps.len());
        let rounded_weights = if storage.format.is_some() { rounded_weights(graph) } else { 0 };
        let flops = graph
            .nodes
            .iter()
            .map(|node| node.layer.flops(&graph.input_shapes(node), graph.shapes[node.output]));
        let operations = flops.fold(0, u64::saturating_add).saturating_mul(batch as u64);
        Ok(Self {
            batch,
            forward: steps,
            backward,
            outputs,
            loss_gradients,
            layout: buffers.place(),
            operations,
            work: work(graph, operations, training),
            groups,
            format: storage.format,
            moves,
            kept,
            rounded_weights,
        })
    }

    /// The batch size.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The number of elements of the arena: all values, gradients and scratch of a step, except for the temporary buffers
    /// that each thread keeps for the loops of kernels.
    #[must_use]
    pub fn length(&self) -> usize {
        self.layout.length()
    }

    /// The number of 32-bit words kept from the forward to the backward pass, including the output and its
    /// gradient: saved activations, and other data that kernels save.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// The number of elements of a step's rounded weights, outside the arena; 0 in f32.
    #[must_use]
    pub fn rounded_weights(&self) -> usize {
        self.rounded_weights
    }

    /// The format that values are rounded to.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        self.format
    }

    /// The floating-point operations of the forward pass.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// An estimate of the time of a pass, in operations of matrix products.
    pub(crate) fn work(&self) -> u64 {
        self.work
    }

    /// Whether some layer has no lowering and falls back to candle operations, whose memory is not
    /// known in advance.
    #[must_use]
    pub fn has_fallbacks(&self) -> bool {
        self.groups.has_fallbacks()
    }

    pub(crate) fn group(&self, number: usize) -> &Group {
        &self.groups.list[number]
    }

    pub(crate) fn forward(&self) -> &[ForwardStep] {
        &self.forward
    }

    pub(crate) fn backward(&self) -> &[BackwardStep] {
        &self.backward
    }

    /// The conversions of values around the step at `time`: forward steps are counted first, then the loss, then backward
    /// steps. `None` in f32.
    pub(crate) fn moves(&self, time: usize) -> Option<&Moves> {
        self.moves.get(time)
    }

    /// Where the model's outputs are.
    pub(crate) fn outputs(&self) -> &[Place] {
        &self.outputs
    }

    /// Where the gradient of an output goes, if any parameter needs it.
    pub(crate) fn loss_gradient(&self, output: usize) -> Option<Span> {
        self.loss_gradients[output].map(|buffer| self.span(Some(buffer)))
    }

    pub(crate) fn span(&self, buffer: Option<Buffer>) -> Span {
        self.layout.span(buffer)
    }

    /// The span of a value in the arena; empty for one that is in the batch.
    pub(crate) fn place(&self, place: Option<Place>) -> Span {
        self.span(place.and_then(Place::buffer))
    }
}

/// The work of a pass with so many operations forward, and twice as many backward in training.
fn work(graph: &Graph, operations: u64, training: bool) -> u64 {
    /// The operations that take as long as reading a weight from a distant cache or from memory, which for a few samples takes
    /// longer than its products: a core reads 15 to 20 GB/s, and computes 70 to 80 GFLOP/s.
    const READ: u64 = 16;
    let matrices = graph.parameters.iter().filter(|parameter| parameter.role == Role::Matrix);
    let weights = matrices.map(|parameter| parameter.shape.elements() as u64).fold(0, u64::saturating_add);
    let forward = weights.saturating_mul(READ).saturating_add(operations);
    forward.saturating_mul(if training { 3 } else { 1 })
}

/// The memory for the rounded weights of any one layer: the largest parameter at each parameter index.
fn rounded_weights(graph: &Graph) -> usize {
    let mut most: Vec<usize> = Vec::new();
    for node in &graph.nodes {
        for (place, parameter) in graph.parameters_of(node).enumerate() {
            if most.len() <= place {
                most.push(0);
            }
            if parameter.is_rounded {
                most[place] = most[place].max(parameter.shape.elements());
            }
        }
    }
    most.into_iter().fold(0, usize::saturating_add)
}
