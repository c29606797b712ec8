//! Perplexity.

use serde::{Deserialize, Serialize};

use super::{Direction, Mean, Metric, Outcomes, State};
use crate::config::Config;
use crate::shape::{TokenLogits, Tokens};

/// Computes `exp(mean(-log p))` over all positions, where `p` is the probability of the target token.
///
/// It uses the plain negative log-likelihood in f64, without the label smoothing or weights of the loss. A target token with
/// probability 0 makes it infinite.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perplexity {}

super::keyless!(Perplexity);

/// The mean of negative log-likelihoods; the value is its exponential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NegativeLogLikelihood(Mean);

impl State for NegativeLogLikelihood {
    fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    fn value(&self) -> f64 {
        self.0.value().exp()
    }
}

/// Computes `log sum exp z - z_c`.
fn negative_log_likelihood(logits: &[f32], class: u32) -> f64 {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum();
    let logit = logits.get(class as usize).map_or(f64::NAN, |&logit| f64::from(logit));
    sum.ln() - (logit - largest)
}

impl<const V: usize, const T: usize> Metric<TokenLogits<V>, Tokens<V, T>> for Perplexity {
    type State = NegativeLogLikelihood;
    const LABEL: &'static str = "perplexity";
    const DIRECTION: Direction = Direction::Lower;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, mean: &mut NegativeLogLikelihood, outcomes: &Outcomes<'_, u32>) {
        for (logits, target) in outcomes.rows() {
            mean.0.add(negative_log_likelihood(logits, target));
        }
    }
}
