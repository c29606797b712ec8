//! The stages of an epilogue for a piece of a run, which stays in the L1 cache between them.

use std::ops::Range;

use super::function::{Gelu, GeluTanh, LeakyRelu, Relu, Sigmoid, SigmoidOfOutput, Silu, Tanh, TanhOfOutput};
use super::pass::{self, PIECE};
use super::{Activation, Epilogue, Saved};

/// Calls `piece` for each piece of a run in order, with its range in the run and the index of its first element.
pub(super) fn each_piece(
    first: usize,
    run: &mut [f32],
    mut piece: impl FnMut(Range<usize>, usize, &mut [f32]),
) {
    let count = run.len();
    let mut start = 0;
    while start < count {
        // Up to a complete block of words, so that none is drawn twice.
        let end = count.min(start + PIECE - (first + start) % 4);
        piece(start..end, first + start, &mut run[start..end]);
        start = end;
    }
}

impl Epilogue<'_> {
    /// [`Epilogue::forward`] of a piece, or if there is no `pre`, [`Epilogue::forward_in_place`].
    pub(super) fn forward_piece(&self, first: usize, mut pre: Option<&[f32]>, y: &mut [f32]) {
        // The first stage takes `pre`; the others continue from its result.
        match self.activation {
            Activation::Identity => (),
            Activation::Relu => pass::values(Relu, pre.take(), y),
            Activation::LeakyRelu { slope } => pass::values(LeakyRelu { slope }, pre.take(), y),
            Activation::Gelu => pass::values(Gelu, pre.take(), y),
            Activation::GeluTanh => pass::values(GeluTanh, pre.take(), y),
            Activation::Silu => pass::values(Silu, pre.take(), y),
            Activation::Tanh => pass::values(Tanh, pre.take(), y),
            Activation::Sigmoid => pass::values(Sigmoid, pre.take(), y),
        }
        if let Some(dropout) = &self.dropout {
            pass::drop(dropout, first, pre.take(), y);
        }
        if let Some(residual) = self.residual {
            pass::add(&residual[first..][..y.len()], pre.take(), y);
        }
        match self.then {
            Activation::Identity => (),
            Activation::Relu => pass::values(Relu, pre.take(), y),
            other => panic!("{other:?} cannot come last"),
        }
    }

    /// [`Epilogue::backward`] of a piece, or if there is no `d`, [`Epilogue::backward_in_place`].
    pub(super) fn backward_piece(
        &self,
        first: usize,
        saved: &[f32],
        mut d: Option<&[f32]>,
        d_pre: &mut [f32],
    ) {
        if self.saved() == Saved::Output {
            match self.activation {
                Activation::Tanh => pass::slopes(TanhOfOutput, saved, d, d_pre),
                Activation::Sigmoid => pass::slopes(SigmoidOfOutput, saved, d, d_pre),
                // A ReLU. Dropped elements have the output 0, and so has their derivative.
                _ => pass::scaled_slopes(self.dropout.map_or(1.0, |dropout| dropout.scale), saved, d, d_pre),
            }
            return;
        }
        match self.activation {
            Activation::Identity => (),
            Activation::Relu => pass::slopes(Relu, saved, d.take(), d_pre),
            Activation::LeakyRelu { slope } => pass::slopes(LeakyRelu { slope }, saved, d.take(), d_pre),
            Activation::Gelu => pass::slopes(Gelu, saved, d.take(), d_pre),
            Activation::GeluTanh => pass::slopes(GeluTanh, saved, d.take(), d_pre),
            Activation::Silu => pass::slopes(Silu, saved, d.take(), d_pre),
            Activation::Tanh => pass::slopes(Tanh, saved, d.take(), d_pre),
            Activation::Sigmoid => pass::slopes(Sigmoid, saved, d.take(), d_pre),
        }
        if let Some(dropout) = &self.dropout {
            pass::drop(dropout, first, d.take(), d_pre);
        }
    }
}
