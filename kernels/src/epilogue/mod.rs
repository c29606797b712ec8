//! What follows a product, a convolution or a normalization while its result is in cache:
//! `y = then(residual + dropout(activation(pre)))`, each part optional.

use crate::philox;

/// A function of one number.
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
}

/// Inverted dropout, of which the mask is drawn anew wherever it is needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The Philox key of the layer.
    pub key: [u32; 2],
    /// The upper words of the counter: when it is drawn.
    pub place: [u32; 3],
    /// Elements whose word is below this are dropped.
    pub threshold: u32,
    /// What kept elements are multiplied by.
    pub scale: f32,
}

/// What backward needs besides the gradient of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// Nothing.
    Nothing,
    /// The output `y`.
    Output,
    /// The input `pre`.
    Input,
}

/// `y = then(residual + dropout(activation(pre)))`
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// What comes first.
    pub activation: Activation,
    /// What is dropped.
    pub dropout: Option<Dropout>,
    /// What is added, as long as the whole value.
    pub residual: Option<&'a [f32]>,
    /// What comes last: `Identity` or `Relu`, whose derivative the output shows.
    pub then: Activation,
}

impl Epilogue<'_> {
    /// The epilogue that changes nothing.
    pub const NONE: Self =
        Self { activation: Activation::Identity, dropout: None, residual: None, then: Activation::Identity };

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.activation == Activation::Identity
            && self.dropout.is_none()
            && self.residual.is_none()
            && self.then == Activation::Identity
    }

    /// What [`Epilogue::backward`] needs.
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

    /// `y` from `pre`, for the elements from number `first` of the whole value on.
    pub fn forward(&self, first: usize, pre: &[f32], y: &mut [f32]) {
        y.copy_from_slice(pre);
        self.forward_in_place(first, y);
    }

    /// [`Epilogue::forward`] where `y` holds `pre`.
    pub fn forward_in_place(&self, first: usize, y: &mut [f32]) {
        for (index, y) in y.iter_mut().enumerate() {
            let _ = (first + index, y, philox::block);
            todo!("the plain form until the fused one is here")
        }
    }

    /// The gradient before `then`, in place: `d *= then'`, which is the residual's gradient too.
    pub fn backward_then(&self, y: &[f32], d: &mut [f32]) {
        let _ = (y, d);
        todo!()
    }

    /// The gradient of `pre` from that before the residual, `d`; `saved` is what [`Epilogue::saved`] says
    /// (an empty slice for nothing).
    pub fn backward(&self, first: usize, saved: &[f32], d: &[f32], d_pre: &mut [f32]) {
        d_pre.copy_from_slice(d);
        self.backward_in_place(first, saved, d_pre);
    }

    /// [`Epilogue::backward`] where `d` becomes the gradient of `pre`.
    pub fn backward_in_place(&self, first: usize, saved: &[f32], d: &mut [f32]) {
        let _ = (first, saved, d);
        todo!()
    }
}
