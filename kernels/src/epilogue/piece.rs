//! The stages of an epilogue for a piece of a run, which stays in the first cache between them.

use std::ops::Range;

use super::function::{Gelu, GeluTanh, LeakyRelu, Relu, Sigmoid, SigmoidOfOutput, Silu, Tanh, TanhOfOutput};
use super::pass::{self, PIECE};
use super::{Activation, Epilogue, Saved};

/// Calls `piece` for one piece of a run after the other, with its place in it and the number of its first element.
pub(super) fn each_piece(
    first: usize,
    run: &mut [f32],
    mut piece: impl FnMut(Range<usize>, usize, &mut [f32]),
) {
    let count = run.len();
    let mut start = 0;
    while start < count {
        // Up to a whole block of words, so that none is drawn twice.
        let end = count.min(start + PIECE - (first + start) % 4);
        piece(start..end, first + start, &mut run[start..end]);
        start = end;
    }
}

impl Epilogue<'_> {
    /// [`Epilogue::forward_in_place`] of a piece.
    pub(super) fn forward_piece(&self, first: usize, y: &mut [f32]) {
        match self.activation {
            Activation::Identity => (),
            Activation::Relu => pass::values(Relu, y),
            Activation::LeakyRelu { slope } => pass::values(LeakyRelu { slope }, y),
            Activation::Gelu => pass::values(Gelu, y),
            Activation::GeluTanh => pass::values(GeluTanh, y),
            Activation::Silu => pass::values(Silu, y),
            Activation::Tanh => pass::values(Tanh, y),
            Activation::Sigmoid => pass::values(Sigmoid, y),
        }
        if let Some(dropout) = &self.dropout {
            pass::drop(dropout, first, y);
        }
        if let Some(residual) = self.residual {
            pass::add(&residual[first..][..y.len()], y);
        }
        match self.then {
            Activation::Identity => (),
            Activation::Relu => pass::values(Relu, y),
            other => panic!("{other:?} cannot come last"),
        }
    }

    /// [`Epilogue::backward_in_place`] of a piece.
    pub(super) fn backward_piece(&self, first: usize, saved: &[f32], d: &mut [f32]) {
        if self.saved() == Saved::Output {
            match self.activation {
                Activation::Tanh => pass::slopes(TanhOfOutput, saved, d),
                Activation::Sigmoid => pass::slopes(SigmoidOfOutput, saved, d),
                // The output of what is dropped is 0, where the slope is.
                _ => pass::scaled_slopes(Relu, self.dropout.map_or(1.0, |dropout| dropout.scale), saved, d),
            }
            return;
        }
        match self.activation {
            Activation::Identity => (),
            Activation::Relu => pass::slopes(Relu, saved, d),
            Activation::LeakyRelu { slope } => pass::slopes(LeakyRelu { slope }, saved, d),
            Activation::Gelu => pass::slopes(Gelu, saved, d),
            Activation::GeluTanh => pass::slopes(GeluTanh, saved, d),
            Activation::Silu => pass::slopes(Silu, saved, d),
            Activation::Tanh => pass::slopes(Tanh, saved, d),
            Activation::Sigmoid => pass::slopes(Sigmoid, saved, d),
        }
        if let Some(dropout) = &self.dropout {
            pass::drop(dropout, first, d);
        }
    }
}
