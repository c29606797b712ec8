//! Values in 16 bits: what a step widens before it runs, and rounds and narrows afterwards.
//!
//! Kernels compute in f32. Everything that they write is rounded at once, so that results do not depend on where values
//! are kept. A value that is needed beyond the next step is kept in 16 bits: a step reads and writes it
//! through a working copy in f32, which lives as long as the step, and into the next one if that reads it too. A value
//! that only the next step needs is rounded in place. Scratch, and saved data of a kernel that is not a
//! value, are not converted.

use trainspec_kernels::matmul::WriteMode;

use super::buffer::{Buffer, Buffers};
use super::forward::ForwardStep;
use super::{BackwardStep, Place};

/// The conversions around one step.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    /// Before it.
    pub(crate) loads: Vec<Load>,
    /// After it.
    pub(crate) stores: Vec<Store>,
}

/// How a step obtains a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// An input of the batch, rounded.
    Input { input: usize, to: Buffer },
    /// A buffer kept in 16 bits: its first `values` elements.
    Packed { from: Buffer, to: Buffer, values: usize },
}

/// How a value that a step wrote is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Store {
    /// Its first `values` elements are rounded in place.
    Round { buffer: Buffer, values: usize },
    /// Its first `values` elements are kept in 16 bits; they are also rounded in `from` if the next step reads them there.
    Pack { from: Buffer, to: Buffer, values: usize, rounds: bool },
}

/// How a step accesses a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    /// Both.
    Change,
}

/// A value's working copy: where it is, the last step that used it, and the store that wrote it, if any.
#[derive(Clone, Copy, Debug)]
struct Copy {
    buffer: Buffer,
    time: usize,
    stored: Option<(usize, usize)>,
}

/// Visits the steps and assigns each the working copies that it needs.
pub(super) struct Packer<'a> {
    buffers: &'a mut Buffers,
    /// Buffers that stay in f32: the output and its gradient, which are also accessed outside kernels.
    wide: Vec<Buffer>,
    /// Whether anything is kept in 16 bits at all.
    packs: bool,
    /// The working copy of each buffer.
    copies: Vec<Option<Copy>>,
    /// The working copy of each input of the batch, and its number of elements.
    inputs: Vec<(Option<Copy>, Option<usize>)>,
    moves: Vec<Moves>,
}

impl<'a> Packer<'a> {
    /// For plans of `times` steps, whose inputs have these numbers of elements; none for tokens.
    pub(super) fn new(
        buffers: &'a mut Buffers,
        wide: Vec<Buffer>,
        (times, lengths): (usize, Vec<Option<usize>>),
        packs: bool,
    ) -> Self {
        let copies = vec![None; buffers.count()];
        let moves = (0..times).map(|_| Moves::default()).collect();
        let inputs = lengths.into_iter().map(|length| (None, length)).collect();
        Self { buffers, wide, packs, copies, inputs, moves }
    }

    /// The conversions of every step, by its time.
    pub(super) fn finish(self) -> Vec<Moves> {
        self.moves
    }

    /// A forward step, of whose saved elements the first `saved` are values.
    pub(super) fn forward(&mut self, time: usize, step: &mut ForwardStep, saved: usize) {
        for place in step.inputs.iter_mut().chain([&mut step.residual]).flatten() {
            self.read(place, time);
        }
        let length = self.buffers.length(step.output);
        self.touch(&mut step.output, time, length, Access::Write);
        if let Some(pre) = &mut step.pre {
            self.touch(pre, time, length, Access::Write);
        }
        if let Some(buffer) = &mut step.saved {
            self.touch(buffer, time, saved, Access::Write);
        }
    }

    /// A backward step; `saved` is the same for a group's kernel.
    pub(super) fn backward(&mut self, time: usize, step: &mut BackwardStep, saved: impl Fn(usize) -> usize) {
        match step {
            BackwardStep::Copy { from, to } => {
                self.all(from, time, Access::Read);
                self.all(to, time, Access::Write);
            }
            BackwardStep::Add { from, to } => {
                self.all(from, time, Access::Read);
                self.all(to, time, Access::Change);
            }
            BackwardStep::Then { output, d, .. } => {
                self.all(output, time, Access::Read);
                self.all(d, time, Access::Change);
            }
            BackwardStep::Epilogue { saved, from, to, .. } => {
                if let Some(place) = saved {
                    self.read(place, time);
                }
                if from == to {
                    self.all(to, time, Access::Change);
                    *from = *to;
                } else {
                    self.all(from, time, Access::Read);
                    self.all(to, time, Access::Write);
                }
            }
            BackwardStep::Kernel(step) => {
                for place in step.inputs.iter_mut().flatten() {
                    self.read(place, time);
                }
                if let Some(output) = &mut step.output {
                    self.all(output, time, Access::Read);
                }
                if let Some(buffer) = &mut step.saved {
                    self.touch(buffer, time, saved(step.group), Access::Read);
                }
                // A kernel that differentiates its epilogue changes it, but it is not read again.
                self.all(&mut step.d, time, Access::Read);
                for (buffer, onto) in step.d_inputs.iter_mut().flatten() {
                    let access = if *onto == WriteMode::Accumulate { Access::Change } else { Access::Write };
                    self.all(buffer, time, access);
                }
            }
        }
    }

    fn read(&mut self, place: &mut Place, time: usize) {
        match place {
            Place::Arena(buffer) => self.all(buffer, time, Access::Read),
            Place::Input(input) => {
                if let Some(copy) = self.input(*input, time) {
                    *place = Place::Arena(copy);
                }
            }
        }
    }

    fn all(&mut self, buffer: &mut Buffer, time: usize, access: Access) {
        let values = self.buffers.length(*buffer);
        self.touch(buffer, time, values, access);
    }

    /// Replaces the buffer by its working copy, if it is kept in 16 bits.
    fn touch(&mut self, buffer: &mut Buffer, time: usize, values: usize, access: Access) {
        let original = *buffer;
        if !self.is_packed(original, values) {
            if access != Access::Read && values > 0 {
                self.moves[time].stores.push(Store::Round { buffer: original, values });
            }
            return;
        }
        self.buffers.pack(original, values);
        let length = self.buffers.length(original);
        let before = self.copies[original.number()];
        let copy = if access == Access::Write {
            Copy { buffer: self.buffers.new_at(length, time), time, stored: None }
        } else {
            self.copy(before, length, time, |to| Load::Packed { from: original, to, values })
        };
        self.copies[original.number()] = Some(copy);
        *buffer = copy.buffer;
        if access != Access::Read {
            let stores = &mut self.moves[time].stores;
            let stored = Some((time, stores.len()));
            stores.push(Store::Pack { from: copy.buffer, to: original, values, rounds: false });
            self.copies[original.number()] = Some(Copy { stored, ..copy });
        }
    }

    /// The rounded copy of an input of the batch; `None` for tokens.
    fn input(&mut self, input: usize, time: usize) -> Option<Buffer> {
        let (before, length) = self.inputs[input];
        let copy = self.copy(before, length?, time, |to| Load::Input { input, to });
        self.inputs[input].0 = Some(copy);
        Some(copy.buffer)
    }

    /// The existing copy, if it is from this step or the previous one; otherwise loads one.
    fn copy(
        &mut self,
        before: Option<Copy>,
        length: usize,
        time: usize,
        load: impl FnOnce(Buffer) -> Load,
    ) -> Copy {
        if let Some(copy) = before.filter(|copy| copy.time + 1 >= time) {
            self.buffers.touch(copy.buffer, time);
            if let Some((time, place)) = copy.stored
                && let Store::Pack { rounds, .. } = &mut self.moves[time].stores[place]
            {
                *rounds = true;
            }
            return Copy { time, ..copy };
        }
        let buffer = self.buffers.new_at(length, time);
        self.moves[time].loads.push(load(buffer));
        Copy { buffer, time, stored: None }
    }

    /// A value is kept in 16 bits if it is needed after the next step.
    fn is_packed(&self, buffer: Buffer, values: usize) -> bool {
        let times = self.buffers.times(buffer);
        self.packs && values > 0 && times.end() - times.start() > 1 && !self.wide.contains(&buffer)
    }
}
