//! The backward pass: from the gradient of the output to those of the parameters.
//!
//! The gradient of a value is the sum of the gradients from its consumers. The first consumer writes it; the others
//! accumulate. Where a consumer passes its own gradient on unchanged, as a sum does, both values share one buffer until
//! something is added to it.

use trainspec_kernels::epilogue::Saved;
use trainspec_kernels::matmul::WriteMode;

use super::Place;
use super::buffer::Buffer;
use super::forward::{Forward, ForwardStep};
use super::fuse::{Group, Work};
use crate::op::{EpilogueSupport, MAX_INPUTS};

/// A step of the backward pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BackwardStep {
    /// `to = from`
    Copy { from: Buffer, to: Buffer },
    /// `to += from`
    Add { from: Buffer, to: Buffer },
    /// Differentiates the part of the epilogue after the residual, in place.
    Then { group: usize, output: Buffer, d: Buffer },
    /// Differentiates the part of the epilogue before the residual; in place if `from` is `to`.
    Epilogue { group: usize, saved: Option<Place>, from: Buffer, to: Buffer },
    /// Computes the gradients of a group's inputs and parameters.
    Kernel(KernelStep),
}

/// The backward pass of a group's kernel or fallback.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KernelStep {
    pub(crate) group: usize,
    pub(crate) inputs: [Option<Place>; MAX_INPUTS],
    pub(crate) output: Option<Buffer>,
    pub(crate) saved: Option<Buffer>,
    pub(crate) scratch: Option<Buffer>,
    pub(crate) d: Buffer,
    pub(crate) d_inputs: [Option<(Buffer, WriteMode)>; MAX_INPUTS],
    /// Whether the kernel differentiates its epilogue itself.
    pub(crate) undoes: bool,
}

/// The backward steps, and the buffer of each output's gradient.
pub(super) fn plan(
    forward: &mut Forward<'_>,
    steps: &[ForwardStep],
) -> (Vec<BackwardStep>, Vec<Option<Buffer>>) {
    let graph = forward.graph;
    let wanted = wanted(forward);
    let loss = steps.len();
    let roots: Vec<_> = graph.outputs.iter().map(|output| forward.groups.roots[output.value]).collect();
    let gradient = |&value: &usize| {
        wanted[value].then(|| {
            let length = forward.length(value);
            forward.buffers.new_at(length, loss)
        })
    };
    let first: Vec<_> = roots.iter().map(gradient).collect();
    let mut planner = Planner {
        forward,
        wanted,
        gradients: vec![None; graph.shapes.len()],
        holders: Vec::new(),
        steps: Vec::new(),
        loss,
    };
    // A value that is returned twice has the sum of both gradients.
    for (value, buffer) in roots.into_iter().zip(&first) {
        if let Some(buffer) = *buffer {
            planner.hand_on(value, buffer);
        }
    }
    for step in steps.iter().rev() {
        planner.group(step);
    }
    (planner.steps, first)
}

/// Marks the values whose gradient some parameter needs.
fn wanted(forward: &Forward<'_>) -> Vec<bool> {
    let graph = forward.graph;
    let mut wanted = vec![false; graph.shapes.len()];
    for group in &forward.groups.list {
        let has_trained =
            graph.parameters_of(&graph.nodes[group.node]).any(crate::graph::GraphParameter::is_trained);
        let reaches = group.inputs.iter().chain(&group.residual).any(|&value| wanted[value]);
        wanted[group.output] = has_trained || reaches;
    }
    wanted
}

struct Planner<'f, 'a> {
    forward: &'f mut Forward<'a>,
    wanted: Vec<bool>,
    /// The gradient of each value, so far.
    gradients: Vec<Option<Buffer>>,
    /// The number of values that use a buffer as their gradient.
    holders: Vec<(Buffer, usize)>,
    steps: Vec<BackwardStep>,
    loss: usize,
}

impl Planner<'_, '_> {
    /// The time of the next step.
    fn now(&self) -> usize {
        self.loss + 1 + self.steps.len()
    }

    fn make(&mut self, length: usize) -> Buffer {
        let now = self.now();
        self.forward.buffers.new_at(length, now)
    }

    fn touch(&mut self, buffers: impl IntoIterator<Item = Buffer>) {
        let now = self.now();
        for buffer in buffers {
            self.forward.buffers.touch(buffer, now);
        }
    }

    fn holders(&mut self, buffer: Buffer) -> &mut usize {
        let place = match self.holders.iter().position(|(held, _)| *held == buffer) {
            Some(place) => place,
            None => {
                self.holders.push((buffer, 0));
                self.holders.len() - 1
            }
        };
        &mut self.holders[place].1
    }

    /// Makes `buffer` the gradient of `value`.
    fn give(&mut self, value: usize, buffer: Buffer) {
        *self.holders(buffer) += 1;
        if let Some(before) = self.gradients[value].replace(buffer) {
            *self.holders(before) -= 1;
        }
    }

    /// Returns `from` in a buffer that no other value holds; the caller itself holds `from`.
    fn own(&mut self, from: Buffer) -> Buffer {
        if *self.holders(from) == 1 { from } else { self.copy(from) }
    }

    fn copy(&mut self, from: Buffer) -> Buffer {
        let length = self.forward.buffers.length(from);
        let to = self.make(length);
        self.touch([from]);
        self.steps.push(BackwardStep::Copy { from, to });
        to
    }

    /// Adds `from`, a gradient that is passed on unchanged, to that of `value`.
    fn hand_on(&mut self, value: usize, from: Buffer) {
        if !self.wanted[value] {
            return;
        }
        let Some(before) = self.gradients[value] else {
            self.give(value, from);
            return;
        };
        let to = if before == from { self.copy(before) } else { self.own(before) };
        self.touch([from, to]);
        self.steps.push(BackwardStep::Add { from, to });
        self.give(value, to);
    }

    /// The buffer that receives a kernel's gradient of `value`.
    fn target(&mut self, value: usize) -> Option<(Buffer, WriteMode)> {
        if !self.wanted[value] {
            return None;
        }
        Some(match self.gradients[value] {
            None => {
                let length = self.forward.length(value);
                let buffer = self.make(length);
                self.give(value, buffer);
                (buffer, WriteMode::Overwrite)
            }
            Some(before) => {
                let buffer = self.own(before);
                self.give(value, buffer);
                (buffer, WriteMode::Accumulate)
            }
        })
    }

    fn group(&mut self, step: &ForwardStep) {
        let group = &self.forward.groups.list[step.group];
        let Some(d) = self.gradients[group.output].take() else { return };
        // Held by this group until its end.
        let d = self.undo_then(group, step, d);
        if let Some(residual) = group.residual {
            self.hand_on(residual, d);
        }
        let d_pre = self.undo_epilogue(group, step, d);
        if d_pre != d {
            // The value that received `d` is its only holder from here on.
            *self.holders(d) -= 1;
            *self.holders(d_pre) += 1;
        }
        match group.work {
            Work::Epilogue => {
                for &input in &group.inputs {
                    self.hand_on(input, d_pre);
                }
            }
            Work::Kernel(_) | Work::Fallback => self.kernel(group, step, d_pre),
        }
        *self.holders(d_pre) -= 1;
    }

    fn undo_then(&mut self, group: &Group, step: &ForwardStep, d: Buffer) -> Buffer {
        if !group.joined.has_then() {
            return d;
        }
        let own = self.own(d);
        if own != d {
            *self.holders(d) -= 1;
            *self.holders(own) += 1;
        }
        self.touch([own, step.output]);
        self.steps.push(BackwardStep::Then { group: step.group, output: step.output, d: own });
        own
    }

    /// The gradient of the value before the epilogue, unless the kernel differentiates that itself; then `d` in a
    /// buffer that it may change.
    fn undo_epilogue(&mut self, group: &Group, step: &ForwardStep, d: Buffer) -> Buffer {
        if group.joined.is_plain() {
            return d;
        }
        if group.epilogue_support() == EpilogueSupport::Both {
            return self.own(d);
        }
        let saved = match group.saved() {
            Saved::Nothing => None,
            Saved::Output => Some(Place::Arena(step.output)),
            Saved::Input if matches!(group.work, Work::Epilogue) => step.inputs[0],
            Saved::Input => step.pre.map(Place::Arena),
        };
        let to = if *self.holders(d) == 1 {
            d
        } else {
            let length = self.forward.buffers.length(d);
            self.make(length)
        };
        self.touch([d, to].into_iter().chain(saved.and_then(Place::buffer)));
        self.steps.push(BackwardStep::Epilogue { group: step.group, saved, from: d, to });
        to
    }

    fn kernel(&mut self, group: &Group, step: &ForwardStep, d: Buffer) {
        // The same value is used twice: the second gradient gets its own buffer, and is added to the first.
        let mut d_inputs = [None; MAX_INPUTS];
        let mut apart = Vec::new();
        for (place, &value) in group.inputs.iter().enumerate() {
            if group.inputs[..place].contains(&value) && self.wanted[value] {
                let length = self.forward.length(value);
                let buffer = self.make(length);
                *self.holders(buffer) += 1;
                d_inputs[place] = Some((buffer, WriteMode::Overwrite));
                apart.push((value, buffer));
            } else {
                d_inputs[place] = self.target(value);
            }
        }
        let needs = self.forward.needs(group);
        let scratch = (needs.backward > 0).then(|| self.make(needs.backward));
        let undoes = group.epilogue_support() == EpilogueSupport::Both && !group.joined.is_plain();
        let reads = group.reads();
        let output = (reads.output || undoes && group.saved() == Saved::Output).then_some(step.output);
        let inputs = if reads.inputs { step.inputs } else { [None; MAX_INPUTS] };
        let read = inputs.into_iter().flatten().filter_map(Place::buffer);
        let written = d_inputs.into_iter().flatten().map(|(buffer, _)| buffer);
        let own = [Some(d), output, step.saved, scratch].into_iter().flatten();
        self.touch(read.chain(written).chain(own));
        self.steps.push(BackwardStep::Kernel(KernelStep {
            group: step.group,
            inputs,
            output,
            saved: step.saved,
            scratch,
            d,
            d_inputs,
            undoes,
        }));
        for (value, buffer) in apart {
            self.hand_on(value, buffer);
            *self.holders(buffer) -= 1;
        }
    }
}
