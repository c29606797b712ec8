//! Whether a layer may compute the output of a model.

/// What a layer does to values that leave the model: [`Layer::AS_LAST`](super::Layer::AS_LAST).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AsLast {
    /// Nothing that a loss does not expect. The default.
    #[default]
    Allowed,
    /// It computes probabilities or their logarithms. `Logits`, `TokenLogits` and `LogitMap` are the values before it, which their losses
    /// expect; a model that returns one of them must not end in it.
    Probabilities,
    /// It zeroes values at random in training, so that a model that returns `Logits`, `TokenLogits` or `LogitMap` must not end in it.
    ZeroesAtRandom,
}
