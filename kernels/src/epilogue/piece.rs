//! The stages of an epilogue for a piece of a run, which stays in the L1 cache between them.

use std::ops::Range;

use super::function::{
    Elu, Gelu, GeluTanh, HardSwish, LeakyRelu, Mish, Relu, Sigmoid, SigmoidOfOutput, Silu, Softplus, Tanh,
    TanhOfOutput,
};
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

/// Runs a loop with the type of an activation; nothing for the identity.
macro_rules! with_function {
    ($activation:expr, |$function:ident| $run:expr) => {
        with_function! {
            $activation, $function, $run;
            Relu, LeakyRelu { slope }, Gelu, GeluTanh, Silu, Tanh, Sigmoid, Elu { alpha, scale }, Softplus, Mish, HardSwish
        }
    };
    ($activation:expr, $function:ident, $run:expr; $($name:ident $({ $($key:ident),* })?),*) => {
        match $activation {
            Activation::Identity => (),
            $(Activation::$name $({ $($key),* })? => {
                let $function = $name $({ $($key),* })?;
                $run
            })*
        }
    };
}

impl Epilogue<'_> {
    /// [`Epilogue::forward`] of a piece, or if there is no `pre`, [`Epilogue::forward_in_place`].
    pub(super) fn forward_piece(&self, first: usize, mut pre: Option<&[f32]>, y: &mut [f32]) {
        // The first stage takes `pre`; the others continue from its result.
        with_function!(self.activation, |function| pass::values(function, pre.take(), y));
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
        with_function!(self.activation, |function| pass::slopes(function, saved, d.take(), d_pre));
        if let Some(dropout) = &self.dropout {
            pass::drop(dropout, first, d.take(), d_pre);
        }
    }
}
