//! What a layer is, for those who judge how layers stand together.

/// What a layer does, as far as [advice](crate::advice) asks. It goes by this and not by names, so that a layer of your
/// own is judged as a built-in one.
///
/// | nature | layers |
/// | --- | --- |
/// | [`Affine`](Self::Affine) | `linear`, `conv2d` |
/// | [`Rectifier`](Self::Rectifier) | `relu` |
/// | [`Activation`](Self::Activation) | `leaky_relu`, `gelu`, `silu`, `tanh`, `sigmoid` |
/// | [`BatchNorm`](Self::BatchNorm) | `batch_norm` |
/// | [`Norm`](Self::Norm) | `layer_norm`, `rms_norm`, `group_norm` |
/// | [`Dropout`](Self::Dropout) | `dropout` |
/// | [`Layout`](Self::Layout) | `flatten`, `reshape` |
/// | [`Pool`](Self::Pool) | `max_pool2d`, `avg_pool2d`, `global_avg_pool` |
/// | [`Recurrent`](Self::Recurrent) | `lstm`, `gru` |
/// | [`Attention`](Self::Attention) | `self_attention` |
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum LayerKind {
    /// None of the others: nothing is said about it. The default.
    #[default]
    Other,
    /// A straight map of its input by a learned matrix or kernel, and perhaps a bias.
    Affine,
    /// `max(x, 0)` for each number.
    Rectifier,
    /// Another function of each number that is not straight.
    Activation,
    /// Brings its input to one scale by statistics of the batch.
    BatchNorm,
    /// Brings its input to one scale by statistics of the sample.
    Norm,
    /// In training zeroes numbers at random, each by itself.
    Dropout {
        /// How probable that is.
        p: f64,
    },
    /// The same numbers along other axes.
    Layout,
    /// One number for several beside each other.
    Pool,
    /// Reads a sequence place by place, with a memory.
    Recurrent,
    /// Lets the places of a sequence look at each other.
    Attention {
        /// Whether a place sees none behind itself.
        causal: bool,
    },
}

impl LayerKind {
    /// Whether it is a function of each number by itself.
    #[must_use]
    pub const fn is_activation(self) -> bool {
        matches!(self, Self::Rectifier | Self::Activation)
    }

    /// Whether it brings its input to one scale.
    #[must_use]
    pub const fn is_norm(self) -> bool {
        matches!(self, Self::BatchNorm | Self::Norm)
    }
}
