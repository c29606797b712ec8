//! Layers that read sequences: several layers, in one or both directions.

use trainspec_kernels::matmul::WriteMode;
use trainspec_kernels::recurrent::{Cell, Gradients, PackedWeights, Weights};

use crate::error::{Error, Result};
use crate::op::{Backward, Forward, Kernel, Prepared, SavedForBackward, Workspace, round};

/// The sizes of all layers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    pub(crate) length: usize,
    pub(crate) inputs: usize,
    pub(crate) hidden: usize,
    pub(crate) layers: usize,
    /// 1 or 2; the second one reads from the last position to the first.
    pub(crate) directions: usize,
    /// Whether only the last state of each direction of the last layer is the output.
    pub(crate) last: bool,
}

/// Layers of cells; the number of samples is set when it is called.
#[derive(Debug)]
pub(crate) struct Recurrent<C> {
    stack: Stack,
    cell: std::marker::PhantomData<fn() -> C>,
}

/// The parameters of a run as the kernels take them.
fn weights(parameters: &[Vec<f32>]) -> Option<Weights<'_>> {
    match parameters {
        [input, hidden] => Some(Weights { input, hidden, biases: None }),
        [input, hidden, of_input, of_hidden] => {
            Some(Weights { input, hidden, biases: Some([of_input, of_hidden]) })
        }
        _ => None,
    }
}

/// The destinations of the gradients of a run, as the kernels take them.
fn gradients<'a>(gradients: &'a mut [&mut [f32]], onto: WriteMode) -> Option<Gradients<'a>> {
    match gradients {
        [input, hidden] => Some(Gradients { input: (input, onto), hidden: (hidden, onto), biases: None }),
        [input, hidden, of_input, of_hidden] => Some(Gradients {
            input: (input, onto),
            hidden: (hidden, onto),
            biases: Some([(of_input, onto), (of_hidden, onto)]),
        }),
        _ => None,
    }
}

impl Stack {
    /// Whether it is one run whose outputs are those of the layer.
    fn is_single(&self) -> bool {
        self.layers == 1 && self.directions == 1 && !self.last
    }

    fn runs(&self) -> usize {
        self.layers * self.directions
    }

    /// The features of the input of a layer.
    fn inputs_of(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs } else { self.directions * self.hidden }
    }

    /// The elements of the states of one run.
    fn states(&self, batch: usize) -> usize {
        batch * self.length * self.hidden
    }

    /// The elements of the largest input of a layer.
    fn widest(&self, batch: usize) -> usize {
        let widest =
            if self.layers == 1 { self.inputs } else { self.inputs.max(self.directions * self.hidden) };
        batch * self.length * widest
    }

    /// Copies rows in the opposite order of the positions of each sample.
    fn reverse(&self, from: &[f32], width: usize, to: &mut [f32]) {
        let sample = (self.length * width).max(1);
        for (from, to) in from.chunks_exact(sample).zip(to.chunks_exact_mut(sample)) {
            for (from, to) in from.chunks_exact(width).rev().zip(to.chunks_exact_mut(width)) {
                to.copy_from_slice(from);
            }
        }
    }

    /// Adds rows in the opposite order of the positions of each sample.
    fn add_reversed(&self, from: &[f32], width: usize, to: &mut [f32]) {
        let sample = (self.length * width).max(1);
        for (from, to) in from.chunks_exact(sample).zip(to.chunks_exact_mut(sample)) {
            for (from, to) in from.chunks_exact(width).rev().zip(to.chunks_exact_mut(width)) {
                for (to, from) in to.iter_mut().zip(from) {
                    *to += from;
                }
            }
        }
    }

    /// Calls `each` with the place of the state of a run in the states of the run, and in the concatenated output of the layer.
    fn places(&self, batch: usize, direction: usize, mut each: impl FnMut(usize, usize)) {
        for sample in 0..batch {
            for position in 0..self.length {
                let step = if direction == 0 { position } else { self.length - 1 - position };
                let joined = ((sample * self.length + position) * self.directions + direction) * self.hidden;
                each((sample * self.length + step) * self.hidden, joined);
            }
        }
    }

    /// Writes the states of a run to where they belong in the input of the next layer.
    fn join(&self, batch: usize, direction: usize, states: &[f32], joined: &mut [f32]) {
        let hidden = self.hidden;
        self.places(batch, direction, |from, to| {
            joined[to..to + hidden].copy_from_slice(&states[from..from + hidden]);
        });
    }

    /// The gradient of the states of a run, from that of the input of the next layer.
    fn part(&self, batch: usize, direction: usize, d_joined: &[f32], d_states: &mut [f32]) {
        let hidden = self.hidden;
        self.places(batch, direction, |to, from| {
            d_states[to..to + hidden].copy_from_slice(&d_joined[from..from + hidden]);
        });
    }

    /// Calls `each` with the place of the last state of each sample of a run, and its place in the output.
    fn last_places(&self, batch: usize, direction: usize, mut each: impl FnMut(usize, usize)) {
        for sample in 0..batch {
            let state = (sample * self.length + self.length - 1) * self.hidden;
            each(state, (sample * self.directions + direction) * self.hidden);
        }
    }
}

/// How the runs of a forward pass compute.
enum Way<'a> {
    Train(&'a [Vec<f32>], &'a mut [f32]),
    Infer(&'a [Vec<f32>]),
    Packed(&'a [PackedWeights]),
}

impl<C: Cell> Recurrent<C> {
    pub(crate) fn new(stack: Stack) -> Self {
        Self { stack, cell: std::marker::PhantomData }
    }

    fn cell(&self, batch: usize, layer: usize) -> C {
        C::new(batch, self.stack.length, self.stack.inputs_of(layer), self.stack.hidden)
    }

    /// The elements that each run of a layer keeps for backward: its own, then its states.
    fn kept(&self, batch: usize, layer: usize) -> usize {
        self.cell(batch, layer).saved() + self.stack.states(batch)
    }

    fn all_kept(&self, batch: usize) -> usize {
        (0..self.stack.layers).map(|layer| self.stack.directions * self.kept(batch, layer)).sum()
    }

    /// The number of parameters of a run.
    fn each(&self, parameters: &[Vec<f32>]) -> usize {
        (parameters.len() / self.stack.runs().max(1)).max(1)
    }

    /// Runs all layers. `room` holds the inputs of two layers, a reversed input and the states of a run.
    fn walk(&self, batch: usize, pass: &mut Forward<'_>, way: &mut Way<'_>, room: &mut [f32]) -> Result<()> {
        let (stack, states) = (self.stack, self.stack.states(batch));
        let widest = stack.widest(batch);
        let (mut before, rest) = room.split_at_mut(widest);
        let (mut after, rest) = rest.split_at_mut(widest);
        let (reversed, own_states) = rest.split_at_mut(widest);
        for layer in 0..stack.layers {
            let (cell, width) = (self.cell(batch, layer), stack.inputs_of(layer));
            let count = batch * stack.length * width;
            let x = if layer == 0 { pass.inputs[0].floats() } else { &before[..count] };
            for direction in 0..stack.directions {
                let run = layer * stack.directions + direction;
                let x = if direction == 0 {
                    x
                } else {
                    stack.reverse(x, width, &mut reversed[..count]);
                    &reversed[..count]
                };
                let missing = Error::Internal("a recurrent layer received other parameters than it declared");
                let y = match way {
                    Way::Train(parameters, saved) => {
                        let (own, rest) = std::mem::take(saved).split_at_mut(cell.saved() + states);
                        *saved = rest;
                        let (own, y) = own.split_at_mut(cell.saved());
                        let each = self.each(parameters);
                        let weights =
                            parameters.get(run * each..(run + 1) * each).and_then(weights).ok_or(missing)?;
                        cell.forward(x, &weights, y, own);
                        y
                    }
                    Way::Infer(parameters) => {
                        let each = self.each(parameters);
                        let weights =
                            parameters.get(run * each..(run + 1) * each).and_then(weights).ok_or(missing)?;
                        cell.infer(x, &weights, &mut own_states[..states]);
                        &mut own_states[..states]
                    }
                    Way::Packed(packed) => {
                        let packed = packed.get(run).ok_or(missing)?;
                        cell.infer_packed(x, packed, &mut own_states[..states]);
                        &mut own_states[..states]
                    }
                };
                round(pass.format, y);
                if layer + 1 < stack.layers {
                    stack.join(batch, direction, y, after);
                } else if stack.last {
                    let (output, hidden) = (&mut *pass.output, stack.hidden);
                    stack.last_places(batch, direction, |from, to| {
                        output[to..to + hidden].copy_from_slice(&y[from..from + hidden]);
                    });
                } else {
                    stack.join(batch, direction, y, pass.output);
                }
            }
            std::mem::swap(&mut before, &mut after);
        }
        Ok(())
    }

    /// The room of [`Recurrent::walk`].
    fn room(&self, batch: usize) -> usize {
        3 * self.stack.widest(batch) + self.stack.states(batch)
    }
}

impl<C: Cell + 'static> Kernel for Recurrent<C> {
    fn needs(&self, batch: usize) -> Workspace {
        if self.stack.is_single() {
            // Gates and gated values: all of these are values of the layer.
            let saved = self.cell(batch, 0).saved();
            return Workspace { saved, values: saved, ..Workspace::default() };
        }
        let (saved, room) = (self.all_kept(batch), self.room(batch));
        // Two inputs of a layer, three of their gradients, and the gradient of the states of a run.
        let backward = 5 * self.stack.widest(batch) + self.stack.states(batch);
        Workspace { saved, values: saved, forward: room, backward, evaluation: room }
    }

    fn reads(&self) -> SavedForBackward {
        if self.stack.is_single() { SavedForBackward::BOTH } else { SavedForBackward::INPUT }
    }

    fn prepare(&self, parameters: &[Vec<f32>]) -> Option<Prepared> {
        let each = self.each(parameters);
        let runs = parameters.chunks(each).enumerate();
        let pack =
            |(run, parameters)| Some(self.cell(1, run / self.stack.directions).pack(&weights(parameters)?));
        let packed: Vec<PackedWeights> = runs.map(pack).collect::<Option<_>>()?;
        Some(Prepared::new(packed))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let batch = pass.batch;
        let packed = pass.prepared.and_then(Prepared::get::<Vec<PackedWeights>>);
        if !self.stack.is_single() {
            let (room, saved) = (std::mem::take(&mut pass.scratch), std::mem::take(&mut pass.saved));
            let parameters = std::mem::replace(&mut pass.parameters, crate::op::Parameters::Shared(&[]));
            let mut way = match packed {
                Some(packed) => Way::Packed(packed),
                None if pass.training => Way::Train(&parameters, saved),
                None => Way::Infer(&parameters),
            };
            return self.walk(batch, pass, &mut way, room);
        }
        let (cell, x) = (self.cell(batch, 0), pass.inputs[0].floats());
        if let Some(packed) = packed.and_then(|packed| packed.first()) {
            cell.infer_packed(x, packed, pass.output);
            return Ok(());
        }
        let missing = Error::Internal("a recurrent layer received other parameters than it declared");
        let weights = weights(&pass.parameters).ok_or(missing)?;
        if pass.training {
            cell.forward(x, &weights, pass.output, pass.saved);
        } else {
            cell.infer(x, &weights, pass.output);
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let (stack, batch, onto) = (self.stack, pass.batch, pass.onto);
        let x = pass.inputs[0].floats();
        if stack.is_single() {
            let (Some(weights), Some(gradients)) =
                (weights(pass.parameters), gradients(pass.gradients, onto))
            else {
                return;
            };
            let dx = pass.d_inputs[0].take();
            self.cell(batch, 0).backward(x, &weights, pass.output, pass.saved, pass.d, dx, gradients);
            return;
        }
        let (states, widest, each) = (stack.states(batch), stack.widest(batch), self.each(pass.parameters));
        let (input, rest) = pass.scratch.split_at_mut(widest);
        let (reversed, rest) = rest.split_at_mut(widest);
        // The gradients of the output and of the input of a layer, and what the second direction adds to the latter.
        let (mut d_after, rest) = rest.split_at_mut(widest);
        let (mut d_before, rest) = rest.split_at_mut(widest);
        let (d_run, d_states) = rest.split_at_mut(widest);
        let mut dx = pass.d_inputs[0].take();
        let mut end = pass.saved.len();
        for layer in (0..stack.layers).rev() {
            let (cell, width) = (self.cell(batch, layer), stack.inputs_of(layer));
            let (count, kept) = (batch * stack.length * width, self.kept(batch, layer));
            let start = end - stack.directions * kept;
            let (earlier, own) = pass.saved[..end].split_at_mut(start);
            end = start;
            if layer > 0 {
                let kept = self.kept(batch, layer - 1);
                let first = earlier.len() - stack.directions * kept;
                for direction in 0..stack.directions {
                    let last = first + (direction + 1) * kept;
                    stack.join(batch, direction, &earlier[last - states..last], input);
                }
            }
            let x = if layer == 0 { x } else { &input[..count] };
            let mut target = if layer > 0 {
                Some((&mut d_before[..count], WriteMode::Overwrite))
            } else {
                dx.as_mut().map(|(dx, onto)| (&mut **dx, *onto))
            };
            for (direction, own) in own.chunks_exact_mut(kept).enumerate() {
                let run = layer * stack.directions + direction;
                let x = if direction == 0 {
                    x
                } else {
                    stack.reverse(x, width, &mut reversed[..count]);
                    &reversed[..count]
                };
                let (own, y) = own.split_at_mut(cell.saved());
                let d_states = &mut d_states[..states];
                if layer + 1 < stack.layers {
                    stack.part(batch, direction, d_after, d_states);
                } else if stack.last {
                    d_states.fill(0.0);
                    let (d, hidden) = (&*pass.d, stack.hidden);
                    stack.last_places(batch, direction, |to, from| {
                        d_states[to..to + hidden].copy_from_slice(&d[from..from + hidden]);
                    });
                } else {
                    stack.part(batch, direction, pass.d, d_states);
                }
                let range = run * each..(run + 1) * each;
                let (Some(weights), Some(gradients)) = (
                    pass.parameters.get(range.clone()).and_then(weights),
                    pass.gradients.get_mut(range).and_then(|own| gradients(own, onto)),
                ) else {
                    return;
                };
                match (&mut target, direction) {
                    (None, _) => cell.backward(x, &weights, y, own, d_states, None, gradients),
                    (Some((dx, onto)), 0) => {
                        cell.backward(x, &weights, y, own, d_states, Some((dx, *onto)), gradients);
                    }
                    (Some((dx, _)), _) => {
                        let d_run = &mut d_run[..count];
                        let alone = Some((&mut *d_run, WriteMode::Overwrite));
                        cell.backward(x, &weights, y, own, d_states, alone, gradients);
                        stack.add_reversed(d_run, width, dx);
                    }
                }
            }
            if layer > 0 {
                round(pass.format, &mut d_before[..count]);
            }
            std::mem::swap(&mut d_after, &mut d_before);
        }
    }
}
