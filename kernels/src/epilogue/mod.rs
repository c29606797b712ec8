//! The epilogue of a product, a convolution or a normalization, applied while its result is in cache:
//! `y = then(residual + dropout(activation(pre)))`, each part optional.

mod dropout;
mod function;
mod pass;
mod piece;

#[cfg(test)]
mod plain;
#[cfg(test)]
mod tests;

use crate::threads;
pub(crate) use dropout::Factors;
use piece::each_piece;

/// Elements per block of an entire value, if it costs little but memory, or more.
const BLOCKS: [usize; 2] = [64 << 10, 32 << 10];

/// A scalar function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `x`
    Identity,
    /// `max(x, 0)`; the derivative at 0 is 0.
    Relu,
    /// `x` above 0, else `slope * x`; the derivative at 0 is `slope`.
    LeakyRelu {
        /// The slope below 0.
        slope: f32,
    },
    /// `x * Phi(x)` with the normal distribution function (Hendrycks and Gimpel 2016).
    Gelu,
    /// GELU's approximation by tanh, from the same paper.
    GeluTanh,
    /// `x * sigmoid(x)`
    Silu,
    /// `tanh(x)`
    Tanh,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `scale * x` above 0, else `scale * alpha * (exp(x) - 1)`; the derivative at 0 is `scale * alpha`.
    Elu {
        /// The limit below 0, as a factor of `-scale`.
        alpha: f32,
        /// The slope above 0.
        scale: f32,
    },
    /// `ln(1 + exp(x))`
    Softplus,
    /// `x * tanh(ln(1 + exp(x)))` (Misra 2019).
    Mish,
    /// `x * max(0, min(x + 3, 6)) / 6` (Howard et al. 2019).
    HardSwish,
}

/// Inverted dropout. The mask is regenerated wherever it is needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The Philox key of the layer.
    pub key: [u32; 2],
    /// The upper words of the counter, which identify the time of the draw.
    pub place: [u32; 3],
    /// Elements whose word is below this are dropped.
    pub threshold: u32,
    /// The factor of kept elements.
    pub scale: f32,
    /// The number of consecutive elements that share one word of the stream, at least 1: 1 for dropout, a sample for stochastic
    /// depth.
    pub each: usize,
}

/// The value that backward needs in addition to the gradient of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// None.
    Nothing,
    /// The output `y`.
    Output,
    /// The input `pre`.
    Input,
}

/// `y = then(residual + dropout(activation(pre)))`
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// The activation, applied first.
    pub activation: Activation,
    /// Dropout.
    pub dropout: Option<Dropout>,
    /// The residual to add, as long as the entire value.
    pub residual: Option<&'a [f32]>,
    /// The last function: `Identity` or `Relu`, whose derivative follows from the output.
    pub then: Activation,
}

impl Epilogue<'_> {
    /// The identity epilogue.
    pub const NONE: Self =
        Self { activation: Activation::Identity, dropout: None, residual: None, then: Activation::Identity };

    /// Whether it is the identity.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.activation == Activation::Identity
            && self.dropout.is_none()
            && self.residual.is_none()
            && self.then == Activation::Identity
    }

    /// The value that [`Epilogue::backward`] needs.
    #[must_use]
    pub fn saved(&self) -> Saved {
        let shows_in_output = match self.activation {
            Activation::Identity => return Saved::Nothing,
            Activation::Relu => true,
            Activation::Tanh | Activation::Sigmoid => self.dropout.is_none(),
            _ => false,
        };
        let is_last = self.residual.is_none() && self.then == Activation::Identity;
        if shows_in_output && is_last { Saved::Output } else { Saved::Input }
    }

    /// Computes `y` from `pre`, for the elements from index `first` of the entire value on. The result does not depend on
    /// how the value is split into runs.
    ///
    /// # Panics
    /// If the lengths differ, the residual ends before the last element, or `then` is another activation.
    pub fn forward(&self, first: usize, pre: &[f32], y: &mut [f32]) {
        assert_eq!(pre.len(), y.len(), "input and output");
        if self.is_identity() {
            y.copy_from_slice(pre);
            return;
        }
        each_piece(first, y, |part, number, y| {
            self.forward_piece(number, Some(&pre[part]), y);
        });
    }

    /// [`Epilogue::forward`] where `y` holds `pre`.
    ///
    /// # Panics
    /// If the residual ends before the last element.
    pub fn forward_in_place(&self, first: usize, y: &mut [f32]) {
        if self.is_identity() {
            return;
        }
        each_piece(first, y, |_, number, y| self.forward_piece(number, None, y));
    }

    /// Computes the gradient before `then`, in place: `d *= then'`, which is the residual's gradient too.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn backward_then(&self, y: &[f32], d: &mut [f32]) {
        if self.then == Activation::Identity {
            return;
        }
        assert_eq!(y.len(), d.len(), "output and gradient");
        pass::then(y, d);
    }

    /// Computes the gradient of `pre` from that before the residual, `d`; `saved` is the value that [`Epilogue::saved`] names
    /// (an empty slice for none).
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn backward(&self, first: usize, saved: &[f32], d: &[f32], d_pre: &mut [f32]) {
        assert_eq!(d.len(), d_pre.len(), "gradients");
        if self.changes_no_gradient() {
            d_pre.copy_from_slice(d);
            return;
        }
        self.check_saved(saved, d);
        each_piece(first, d_pre, |part, number, d_pre| {
            let saved = self.part(saved, part.start, part.end);
            self.backward_piece(number, saved, Some(&d[part]), d_pre);
        });
    }

    /// [`Epilogue::backward`] where `d` becomes the gradient of `pre`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn backward_in_place(&self, first: usize, saved: &[f32], d: &mut [f32]) {
        if self.changes_no_gradient() {
            return;
        }
        self.check_saved(saved, d);
        each_piece(first, d, |part, number, d| {
            self.backward_piece(number, self.part(saved, part.start, part.end), None, d);
        });
    }

    /// Whether the gradient of `pre` is that before the residual.
    fn changes_no_gradient(&self) -> bool {
        self.activation == Activation::Identity && self.dropout.is_none()
    }

    fn check_saved(&self, saved: &[f32], d: &[f32]) {
        assert!(self.saved() == Saved::Nothing || saved.len() == d.len(), "saved value and gradient");
    }

    /// [`Epilogue::forward`] of an entire value, on all threads.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn forward_all(&self, pre: &[f32], y: &mut [f32]) {
        assert_eq!(pre.len(), y.len(), "input and output");
        let size = self.block();
        threads::chunks(y, size, |number, y| {
            let first = number * size;
            self.forward(first, &pre[first..first + y.len()], y);
        });
    }

    /// [`Epilogue::forward_in_place`] of an entire value, on all threads.
    ///
    /// # Panics
    /// If the residual is shorter than `y`.
    pub fn forward_all_in_place(&self, y: &mut [f32]) {
        let size = self.block();
        threads::chunks(y, size, |number, y| self.forward_in_place(number * size, y));
    }

    /// [`Epilogue::backward_then`] of an entire value, on all threads.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn backward_then_all(&self, y: &[f32], d: &mut [f32]) {
        if self.then == Activation::Identity {
            return;
        }
        assert_eq!(y.len(), d.len(), "output and gradient");
        let size = self.block();
        threads::chunks(d, size, |number, d| {
            let first = number * size;
            self.backward_then(&y[first..first + d.len()], d);
        });
    }

    /// [`Epilogue::backward`] of an entire value, on all threads.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn backward_all(&self, saved: &[f32], d: &[f32], d_pre: &mut [f32]) {
        assert_eq!(d.len(), d_pre.len(), "gradients");
        let size = self.block();
        threads::chunks(d_pre, size, |number, d_pre| {
            let first = number * size;
            let end = first + d_pre.len();
            self.backward(first, self.part(saved, first, end), &d[first..end], d_pre);
        });
    }

    /// [`Epilogue::backward_in_place`] of an entire value, on all threads.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn backward_all_in_place(&self, saved: &[f32], d: &mut [f32]) {
        let size = self.block();
        threads::chunks(d, size, |number, d| {
            let first = number * size;
            self.backward_in_place(first, self.part(saved, first, first + d.len()), d);
        });
    }

    /// Elements per block of an entire value.
    fn block(&self) -> usize {
        let is_cheap = matches!(
            self.activation,
            Activation::Identity | Activation::Relu | Activation::LeakyRelu { .. } | Activation::HardSwish
        );
        BLOCKS[usize::from(!is_cheap || self.dropout.is_some())]
    }

    /// Elements `first..end` of the saved value, if there is one.
    fn part<'s>(&self, saved: &'s [f32], first: usize, end: usize) -> &'s [f32] {
        if self.saved() == Saved::Nothing { &[] } else { &saved[first..end] }
    }
}
