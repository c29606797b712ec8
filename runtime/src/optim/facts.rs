//! Metadata of optimizers, for advice.

/// What determines the size of an optimizer's steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepSize {
    /// Something else, or unknown. The default.
    #[default]
    Other,
    /// The gradient is divided by the square root of a second moment, or a similar quantity.
    SecondMoment {
        /// Whether the first steps are smaller while the second moment is estimated from few gradients.
        rectified: bool,
    },
    /// Each weight changes by the learning rate, with the sign of the current gradient only.
    Sign,
}

/// The usual learning rates of an optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsualRates {
    /// Below this value the weights hardly change.
    pub lowest: f64,
    /// Above this value training often diverges.
    pub highest: f64,
    /// The source of these values.
    pub source: &'static str,
}
