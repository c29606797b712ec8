//! Connectionist temporal classification.

use candle_core::{D, DType, Tensor};
use candle_nn::ops::log_softmax;
use serde::{Deserialize, Serialize};

use super::{BadTarget, Loss, LossSum, Reduction};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::shape::{CheckError, CheckResult, TokenLogits, Tokens};

/// Computes the negative log-probability of a sequence of tokens whose positions in the input are unknown, as in speech and handwriting.
///
/// The model returns logits of `V` tokens at each of its steps, of which one token is the blank. A path through the steps stands for the
/// sequence that remains when repeated tokens are merged and then blanks are removed; the probability of a target is the sum
/// over all its paths. A sample's loss is the negative logarithm of that, divided by the length of its target (at least 1)
/// unless the reduction is the sum; the mean is over samples, as in PyTorch. The model must output logits, without a softmax before this loss.
///
/// The target is [`Tokens<V, L>`](crate::Tokens) with at most `L` tokens, followed by blanks. `L` does not have to be the number of steps.
///
/// # Errors
/// When the program starts: if a target has a blank before another token. In a batch: if a target has more tokens than the model has
/// steps, where two equal tokens in a row need one more step for the blank between them.
///
/// # Example
/// ```
/// use trainspec::data::InMemory;
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Reader(strokes: Series<2, 12>) -> TokenLogits<5> {
///     strokes.conv1d(out = 8, kernel = 3, padding = 1).relu().transpose().linear(out = 5)
/// }
///
/// train! {
///     Read {
///         model: Reader,
///         data: InMemory::<Series<2, 12>, Tokens<5, 3>>::new(vec![0.5; 24 * 40], [3, 1, 0].repeat(40)),
///         loss: Ctc,
///         steps: 2,
///     }
/// }
/// # Read::experiment().without_folder().run()?;
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Source
/// Graves et al., "Connectionist temporal classification", 2006; PyTorch's `CTCLoss`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ctc {
    /// The token that stands for none, and that follows a target shorter than `L`; 0 by default.
    pub blank: u32,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`Ctc`](struct@Ctc) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Ctc: Ctc = Ctc::DEFAULT;

/// A log-probability of 0, with finite differences.
const NEVER: f64 = -1e30;

impl Ctc {
    /// Accepts every value; the number of tokens is checked when the program starts.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }

    /// The number of tokens before the blanks.
    fn length(self, target: &[u32]) -> usize {
        target.iter().position(|&token| token == self.blank).unwrap_or(target.len())
    }

    /// `-ln p` of each target, `[batch]`, for `log_p` `[batch, steps, tokens]`.
    fn losses(self, log_p: &Tensor, targets: &[Vec<u32>]) -> Result<Tensor> {
        let (samples, steps, _) = log_p.dims3()?;
        let (device, dtype) = (log_p.device(), log_p.dtype());
        let longest = targets.first().map_or(0, Vec::len);
        // Blanks before, between and after the tokens.
        let places = 2 * longest + 1;
        let token = |target: &[u32], place: usize| {
            if place.is_multiple_of(2) { self.blank } else { target[place / 2] }
        };
        let of_all = |value: &dyn Fn(&[u32], usize) -> f64, count: usize| {
            let values: Vec<f64> =
                targets.iter().flat_map(|target| (0..count).map(move |place| value(target, place))).collect();
            Tensor::from_vec(values, (samples, count), device)?.to_dtype(dtype)
        };
        let tokens: Vec<u32> =
            targets.iter().flat_map(|target| (0..places).map(move |place| token(target, place))).collect();
        let tokens = Tensor::from_vec(tokens, (samples, places), device)?;
        // A token may follow another one without a blank if it differs.
        let skips = |target: &[u32], place: usize| {
            place >= 3 && place % 2 == 1 && target[place / 2] != target[place / 2 - 1]
        };
        let skip = of_all(&|target, place| if skips(target, place) { 0.0 } else { NEVER }, places)?;
        let start = of_all(&|_, place| if place < 2 { 0.0 } else { NEVER }, places)?;
        let emitted = |step: usize| log_p.narrow(1, step, 1)?.squeeze(1)?.contiguous()?.gather(&tokens, 1);
        let mut paths = (emitted(0)? + start)?;
        for step in 1..steps {
            let ways = [paths.clone(), shifted(&paths, 1)?, (shifted(&paths, 2)? + &skip)?];
            paths = (log_sum_exp(&ways)? + emitted(step)?)?;
        }
        // A path ends at the last token or at the blank after it.
        let ends = of_all(
            &|target, place| {
                let length = 2 * self.length(target);
                if place == length || place + 1 == length { 0.0 } else { NEVER }
            },
            places,
        )?;
        let ends = (paths + ends)?;
        let ends: Vec<Tensor> =
            (0..places).map(|place| ends.narrow(1, place, 1)?.squeeze(1)).collect::<Result<_, _>>()?;
        Ok(log_sum_exp(&ends)?.neg()?)
    }

    /// Checks that each target has a path.
    fn check_lengths(self, targets: &[Vec<u32>], steps: usize) -> Result<()> {
        for (sample, target) in targets.iter().enumerate() {
            let tokens = &target[..self.length(target)];
            let repeats = tokens.windows(2).filter(|pair| pair[0] == pair[1]).count();
            let least = (tokens.len() + repeats).max(1);
            if least > steps {
                let again = if repeats > 0 { ", with a blank between equal tokens" } else { "" };
                return Err(Error::Batch(format!(
                    "Ctc: the target of sample {sample} (from 0) of the batch needs {least} steps for its {} tokens{again}; the model \
                     returns {steps}",
                    tokens.len()
                )));
            }
        }
        Ok(())
    }
}

/// Moves the columns of `[batch, places]` to the right by `by`.
fn shifted(paths: &Tensor, by: usize) -> candle_core::Result<Tensor> {
    let (samples, places) = paths.dims2()?;
    let by = by.min(places);
    let empty = Tensor::full(NEVER, (samples, by), paths.device())?.to_dtype(paths.dtype())?;
    Tensor::cat(&[empty, paths.narrow(1, 0, places - by)?], 1)
}

/// `ln sum exp` of each element.
fn log_sum_exp(parts: &[Tensor]) -> candle_core::Result<Tensor> {
    let Some(first) = parts.first() else { return Err(candle_core::Error::Msg("a sum of nothing".into())) };
    let largest =
        parts[1..].iter().try_fold(first.detach(), |largest, part| largest.maximum(&part.detach()))?;
    let mut sum = largest.zeros_like()?;
    for part in parts {
        sum = (sum + (part - &largest)?.exp()?)?;
    }
    sum.log()? + largest
}

impl Config for Ctc {
    const NAME: &'static str = "Ctc";
    const DEFAULT: Self = Self { blank: 0, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const V: usize, const L: usize> Loss<TokenLogits<V>, Tokens<V, L>> for Ctc {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, steps, _) = prediction.dims3()?;
        let targets = target.to_dtype(DType::U32)?.to_vec2::<u32>()?;
        self.check_lengths(&targets, steps)?;
        let mut losses = self.losses(&log_softmax(prediction, D::Minus1)?, &targets)?;
        if self.reduction == Reduction::Mean {
            let shares: Vec<f64> =
                targets.iter().map(|target| 1.0 / self.length(target).max(1) as f64).collect();
            let shares = Tensor::from_vec(shares, samples, prediction.device())?.to_dtype(losses.dtype())?;
            losses = (losses * shares)?;
        }
        Ok(LossSum { sum: losses.sum_all()?, weight: samples as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn fits(&self) -> CheckResult {
        if (self.blank as usize) < V {
            return Ok(());
        }
        Err(CheckError::new("blank is ")
            .number(self.blank as usize)
            .text("; expected one of the ")
            .number(V)
            .text(" tokens, from 0"))
    }

    fn accepts(&self, target: &[u32]) -> Result<(), BadTarget> {
        let length = self.length(target);
        match target[length..].iter().position(|&token| token != self.blank) {
            None => Ok(()),
            Some(_) => Err(BadTarget::new(
                format!("element {length} of the target is the blank {}, before other tokens", self.blank),
                "tokens followed by blanks only",
            )),
        }
    }
}
