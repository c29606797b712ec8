//! The forward pass: one step for each group.

use super::Place;
use super::buffer::{Buffer, Buffers};
use super::fuse::{Group, Groups, Work};
use crate::graph::Graph;
use crate::op::{MAX_INPUTS, Workspace};

/// One group's forward pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForwardStep {
    pub(crate) group: usize,
    pub(crate) inputs: [Option<Place>; MAX_INPUTS],
    pub(crate) residual: Option<Place>,
    pub(crate) output: Buffer,
    pub(crate) pre: Option<Buffer>,
    pub(crate) saved: Option<Buffer>,
    pub(crate) scratch: Option<Buffer>,
}

/// Builds the forward steps, and tracks where every value is.
pub(super) struct Forward<'a> {
    pub(super) graph: &'a Graph,
    pub(super) groups: &'a Groups,
    pub(super) batch: usize,
    training: bool,
    pub(super) buffers: &'a mut Buffers,
    /// Where each value of the graph is, once it is computed.
    places: Vec<Option<Place>>,
}

impl<'a> Forward<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        groups: &'a Groups,
        batch: usize,
        training: bool,
        buffers: &'a mut Buffers,
    ) -> Self {
        let input = |value: usize| (value < graph.inputs.len()).then_some(Place::Input(value));
        let places = (0..graph.shapes.len()).map(input).collect();
        Self { graph, groups, batch, training, buffers, places }
    }

    /// The number of elements of a value.
    pub(super) fn length(&self, value: usize) -> usize {
        self.batch.saturating_mul(self.graph.shapes[value].elements())
    }

    /// The place of a value that is read at `time`.
    pub(super) fn read(&mut self, value: usize, time: usize) -> Place {
        match self.places[value] {
            Some(Place::Arena(buffer)) => {
                self.buffers.touch(buffer, time);
                Place::Arena(buffer)
            }
            Some(place) => place,
            // The layers of a graph come after the layers of their inputs.
            None => unreachable!("a value is read before it is computed"),
        }
    }

    /// A buffer at `time`; `None` if it would be empty.
    fn some(&mut self, length: usize, time: usize) -> Option<Buffer> {
        (length > 0).then(|| self.buffers.new_at(length, time))
    }

    pub(super) fn steps(&mut self) -> Vec<ForwardStep> {
        let groups = self.groups;
        groups.list.iter().enumerate().map(|(time, group)| self.step(time, group)).collect()
    }

    fn step(&mut self, time: usize, group: &Group) -> ForwardStep {
        let mut inputs = [None; MAX_INPUTS];
        for (slot, &value) in inputs.iter_mut().zip(&group.inputs) {
            *slot = Some(self.read(value, time));
        }
        let residual = group.residual.map(|value| self.read(value, time));
        let length = self.length(group.output);
        let output = self.buffers.new_at(length, time);
        self.places[group.output] = Some(Place::Arena(output));
        let needs = self.needs(group);
        let keeps_pre = self.training && group.keeps_pre();
        ForwardStep {
            group: time,
            inputs,
            residual,
            output,
            pre: if keeps_pre { self.some(length, time) } else { None },
            saved: if self.training { self.some(needs.saved, time) } else { None },
            scratch: self.some(if self.training { needs.forward } else { needs.evaluation }, time),
        }
    }

    pub(super) fn needs(&self, group: &Group) -> Workspace {
        match &group.work {
            Work::Kernel(kernel) => kernel.needs(self.batch),
            Work::Epilogue | Work::Fallback => Workspace::default(),
        }
    }
}
