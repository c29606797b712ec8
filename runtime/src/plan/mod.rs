//! Plans: a graph compiled for one batch size.
//!
//! ```text
//! Graph ──fuse──▶ Groups ──forward, backward──▶ steps over buffers ──place──▶ Plan: steps over one arena
//! ```
//!
//! A [`Plan`] is the order of the work, the groups of layers that are computed in one pass ([`Form`]), what is kept
//! for the backward pass, and where each value lives while it is needed: nothing is allocated in a step, and the
//! memory that it takes is known before the first one.
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
//! // Every layer has a planned form.
//! assert!(!small.has_islands());
//! # Ok::<(), trainspec::Error>(())
//! ```

mod backward;
mod buffer;
mod form;
mod forward;
mod fuse;
pub(crate) mod kernels;

pub use form::{Backward, Data, Draws, Form, Forward, Joins, Kernel, MAX_INPUTS, Needs, Reads};

pub(crate) use backward::{BackwardStep, KernelStep};
pub(crate) use forward::ForwardStep;
pub(crate) use fuse::{Group, Work};

pub use trainspec_kernels::epilogue::{Activation, Dropout, Epilogue};
pub use trainspec_kernels::product::Onto;

use buffer::{Buffer, Buffers, Layout};
use fuse::Groups;
use trainspec_kernels::arena::Span;

use crate::error::{Error, Result};
use crate::graph::Graph;

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the arena.
    Arena(Buffer),
    /// With the batch: the graph's input of this number.
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

/// How a graph is run for one batch size.
#[derive(Debug)]
pub struct Plan {
    batch: usize,
    groups: Groups,
    forward: Vec<ForwardStep>,
    backward: Vec<BackwardStep>,
    output: Place,
    loss_gradient: Option<Buffer>,
    layout: Layout,
    operations: u64,
}

impl Plan {
    /// The plan of a training step for micro-batches of `batch` samples.
    ///
    /// # Errors
    /// If no machine has the memory for its values.
    pub fn training(graph: &Graph, seed: u64, batch: usize) -> Result<Self> {
        Self::new(graph, seed, batch, true)
    }

    /// The plan of a forward pass in evaluation mode.
    ///
    /// # Errors
    /// As [`Plan::training`].
    pub fn evaluation(graph: &Graph, batch: usize) -> Result<Self> {
        Self::new(graph, 0, batch, false)
    }

    fn new(graph: &Graph, seed: u64, batch: usize, training: bool) -> Result<Self> {
        /// Numbers of all values together. No kernel needs more than a small multiple, so that no sum overflows.
        const MOST: usize = 1 << 45;
        let values = graph.shapes.iter().map(|shape| shape.elements()).fold(0, usize::saturating_add);
        if values.saturating_mul(batch) > MOST {
            return Err(Error::Batch(format!(
                "a micro-batch of {batch} samples has more values than any machine holds; use a smaller `batch`"
            )));
        }
        let groups = Groups::of(graph, seed, training);
        let mut buffers = Buffers::default();
        let mut planner = forward::Forward::new(graph, &groups, batch, training, &mut buffers);
        let steps = planner.steps();
        let output = groups.roots[graph.output];
        let output_place = planner.read(output, groups.list.len());
        let (backward, loss_gradient) =
            if training { backward::plan(&mut planner, &steps) } else { (Vec::new(), None) };
        if let Place::Arena(buffer) = output_place {
            // It is read when the step is over.
            buffers.touch(buffer, steps.len() + 1 + backward.len());
        }
        let flops = graph
            .nodes
            .iter()
            .map(|node| node.layer.flops(&graph.input_shapes(node), graph.shapes[node.output]));
        Ok(Self {
            batch,
            forward: steps,
            backward,
            output: output_place,
            loss_gradient,
            layout: buffers.place(),
            operations: flops.fold(0, u64::saturating_add).saturating_mul(batch as u64),
            groups,
        })
    }

    /// The number of samples that it is for.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// How many numbers the arena has to have: all values, gradients and scratch of a step, but for what each thread
    /// keeps for the loops of kernels.
    #[must_use]
    pub fn length(&self) -> usize {
        self.layout.length()
    }

    /// Floating-point operations of the forward pass.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Whether some layer has no planned form and runs as an island of candle operations, whose memory is not
    /// known.
    #[must_use]
    pub fn has_islands(&self) -> bool {
        self.groups.has_islands()
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

    /// Where the model's output is.
    pub(crate) fn output(&self) -> Place {
        self.output
    }

    /// Where the gradient of the output goes, if any parameter needs it.
    pub(crate) fn loss_gradient(&self) -> Option<Span> {
        self.loss_gradient.map(|buffer| self.span(Some(buffer)))
    }

    pub(crate) fn span(&self, buffer: Option<Buffer>) -> Span {
        self.layout.span(buffer)
    }

    /// The span of a value in the arena; empty for one that is with the batch.
    pub(crate) fn place(&self, place: Option<Place>) -> Span {
        self.span(place.and_then(Place::buffer))
    }
}
