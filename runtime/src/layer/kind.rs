//! The kind of a layer, for advice about combinations of layers.

/// What a layer does, as far as [advice](crate::advice) needs it. Advice uses this instead of names, so that custom
/// layers are treated like built-in ones.
///
/// | kind | layers |
/// | --- | --- |
/// | [`Affine`](Self::Affine) | `linear`, `conv2d`, `conv1d`, `conv_transpose2d`, `conv_transpose1d` |
/// | [`Rectifier`](Self::Rectifier) | `relu` |
/// | [`Activation`](Self::Activation) | `leaky_relu`, `gelu`, `silu`, `tanh`, `sigmoid`, `elu`, `selu`, `softplus`, `mish`, `hard_swish`, `prelu` |
/// | [`BatchNorm`](Self::BatchNorm) | `batch_norm` |
/// | [`Norm`](Self::Norm) | `layer_norm`, `rms_norm`, `group_norm`, `instance_norm` |
/// | [`Dropout`](Self::Dropout) | `dropout` |
/// | [`Layout`](Self::Layout) | `flatten`, `reshape`, `pixel_shuffle` |
/// | [`Pool`](Self::Pool) | `max_pool2d`, `avg_pool2d`, `max_pool1d`, `avg_pool1d`, `lp_pool2d`, `lp_pool1d`, `attention_pool`, `adaptive_max_pool2d`, `adaptive_avg_pool2d`, `mean_pool`, `max_pool`, `global_avg_pool` |
/// | [`Recurrent`](Self::Recurrent) | `lstm`, `gru` |
/// | [`Attention`](Self::Attention) | `self_attention`, `attention`, `masked_attention` |
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum LayerKind {
    /// None of the others: no advice applies. The default.
    #[default]
    Other,
    /// An affine map of its input: a learned matrix or kernel, and possibly a bias.
    Affine,
    /// `max(x, 0)` of each element.
    Rectifier,
    /// Another nonlinear function of each element.
    Activation,
    /// Normalizes its input with statistics of the batch.
    BatchNorm,
    /// Normalizes its input with statistics of the sample.
    Norm,
    /// Zeroes elements independently at random in training.
    Dropout {
        /// The probability of zeroing.
        p: f64,
    },
    /// The same values with other axes.
    Layout,
    /// Reduces each window of adjacent values to one value.
    Pool,
    /// Reads a sequence position by position, with a state.
    Recurrent,
    /// Lets the positions of a sequence attend to each other.
    Attention {
        /// Whether a position attends only to itself and earlier positions.
        causal: bool,
    },
}

impl LayerKind {
    /// Whether it is an elementwise function.
    #[must_use]
    pub const fn is_activation(self) -> bool {
        matches!(self, Self::Rectifier | Self::Activation)
    }

    /// Whether it normalizes its input.
    #[must_use]
    pub const fn is_norm(self) -> bool {
        matches!(self, Self::BatchNorm | Self::Norm)
    }
}
