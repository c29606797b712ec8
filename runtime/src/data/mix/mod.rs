//! Training on mixed samples.
//!
//! | way | mixes | source |
//! | --- | --- | --- |
//! | [`Mixup`](struct@Mixup) | all values of two samples, weighted by share | Zhang et al. 2018 |
//! | [`CutMix`](struct@CutMix) | images, by a rectangle | Yun et al. 2019 |

mod cut_mix;
mod mixup;

pub use cut_mix::CutMix;
pub use mixup::Mixup;

use serde::{Deserialize, Serialize};

use super::{Batch, BatchTensor, Elements, Mixed, SampleRng};
use crate::config::{Config, Setting, with_changes};
use crate::error::{Error, Result};
use crate::rng::{Purpose, StepIndex, Stream};
use crate::shape::{CheckResult, Shape};

/// A way to mix the samples of a training batch with each other.
///
/// Each sample gets a partner, by a permutation of the micro-batch. The loss is the sum of the losses of both targets,
/// weighted by share, as in the papers' own code. For cross entropy this is the loss of the mixed target; for a squared
/// error it is the loss of the mixed target plus a constant, so the gradient is the same. All draws come from the run's seed,
/// the step and the micro-batch. Training metrics use the target with the larger share. Evaluation does not mix
/// samples.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::data::SampleRng;
/// use trainspec::data::mix::{Mix, Samples};
/// use trainspec::{Config, CheckResult};
///
/// /// Half of both, always.
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct Pairing {}
///
/// impl Config for Pairing {
///     const NAME: &'static str = "Pairing";
///     const DEFAULT: Self = Self {};
///     const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
/// }
///
/// impl Mix for Pairing {
///     fn mix(&self, samples: &mut Samples<'_>, _: &mut SampleRng) -> f64 {
///         for (value, partner) in samples.inputs.iter_mut().zip(samples.partners) {
///             *value = 0.5 * (*value + partner);
///         }
///         0.5
///     }
/// }
/// ```
pub trait Mix: Config {
    /// Mixes the inputs of a micro-batch with those of their partners. Returns the share of a sample's own target, from 0 to
    /// 1.
    fn mix(&self, samples: &mut Samples<'_>, draws: &mut SampleRng) -> f64;

    /// Checks whether real inputs of that shape can be mixed. All can by default.
    ///
    /// # Errors
    /// If they cannot, with what is expected.
    fn fits(&self, input: Shape) -> CheckResult {
        let _ = input;
        Ok(())
    }

    /// Whether anything is mixed.
    fn is_active(&self) -> bool {
        true
    }
}

/// The inputs of a micro-batch to mix.
#[derive(Debug)]
pub struct Samples<'a> {
    /// The shape of one input.
    pub shape: Shape,
    /// The inputs, one after the other.
    pub inputs: &'a mut [f32],
    /// The inputs of their partners.
    pub partners: &'a [f32],
}

/// A type-erased way to mix.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not mix samples",
    label = "expected `Mixup {{ alpha: … }}` or `CutMix {{ alpha: … }}`"
)]
pub trait AnyMix: Setting {
    /// [`Mix::mix`]
    fn mix(&self, samples: &mut Samples<'_>, draws: &mut SampleRng) -> f64;
    /// [`Mix::fits`]
    ///
    /// # Errors
    /// As [`Mix::fits`].
    fn fits(&self, input: Shape) -> CheckResult;
    /// [`Mix::is_active`]
    fn is_active(&self) -> bool;
    /// Clones it.
    fn boxed(&self) -> Box<dyn AnyMix>;
    /// Clones it with changed keys.
    ///
    /// # Errors
    /// If a key or value is invalid.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyMix>, String>;
}

#[diagnostic::do_not_recommend]
impl<C: Mix> AnyMix for C {
    fn mix(&self, samples: &mut Samples<'_>, draws: &mut SampleRng) -> f64 {
        Mix::mix(self, samples, draws)
    }

    fn fits(&self, input: Shape) -> CheckResult {
        Mix::fits(self, input).map_err(|problem| problem.of(C::NAME))
    }

    fn is_active(&self) -> bool {
        Mix::is_active(self)
    }

    with_changes!(dyn AnyMix);
}

/// Does not mix samples.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unmixed {}

/// [`Unmixed`](struct@Unmixed) as a value.
#[allow(non_upper_case_globals)]
pub const Unmixed: Unmixed = Unmixed {};

impl Unmixed {
    /// There is nothing to check.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for Unmixed {
    const NAME: &'static str = "Unmixed";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Mix for Unmixed {
    fn mix(&self, _: &mut Samples<'_>, _: &mut SampleRng) -> f64 {
        1.0
    }

    fn is_active(&self) -> bool {
        false
    }
}

/// Checks that inputs of this shape can be mixed.
///
/// # Errors
/// If they are tokens, which cannot be mixed, or have a shape that the method does not support.
pub(crate) fn check(mix: &dyn AnyMix, inputs: &[Shape]) -> Result<()> {
    if !mix.is_active() {
        return Ok(());
    }
    let fault = |problem| Err(Error::Setting { key: "mix".to_owned(), problem });
    let &[input] = inputs else {
        return fault(format!(
            "the model has {} inputs; only the samples of a model with one input can be mixed; remove the key",
            inputs.len()
        ));
    };
    if input.vocabulary().is_some() {
        return fault(
            "the model takes tokens, which cannot be mixed; expected images or features, or remove the key"
                .to_owned(),
        );
    }
    mix.fits(input).or_else(|problem| fault(problem.as_str().to_owned()))
}

/// Returns the batch for a training step, mixed as `mix` defines, with draws for that step and micro-batch.
///
/// # Errors
/// If its inputs are not real numbers.
pub(crate) fn mixed(mix: &dyn AnyMix, batch: Batch, seed: u64, at: StepIndex) -> Result<Batch> {
    if !mix.is_active() {
        return Ok(batch);
    }
    let Batch { size, mut inputs, targets, .. } = batch;
    let order = Stream::new(seed, Purpose::Augment, "mix.partner").permutation(at, size);
    let mut draws = SampleRng::new(Stream::new(seed, Purpose::Augment, "mix.share"), at);
    let [BatchTensor { shape, elements: Elements::Float(values) }] = inputs.as_mut_slice() else {
        return Err(Error::Batch("only one real input can be mixed; remove the key `mix`".to_owned()));
    };
    let partners = of_partners(values, &order);
    let share = mix.mix(&mut Samples { shape: *shape, inputs: values, partners: &partners }, &mut draws);
    let second = |target: &BatchTensor| {
        let elements = match &target.elements {
            Elements::Float(numbers) => Elements::Float(of_partners(numbers, &order)),
            Elements::Int(numbers) => Elements::Int(of_partners(numbers, &order)),
        };
        BatchTensor { shape: target.shape, elements }
    };
    let mixed = Some(Mixed { targets: targets.iter().map(second).collect(), share });
    Ok(Batch { size, inputs, targets, mixed })
}

/// The samples of a column in another order.
fn of_partners<T: Copy>(numbers: &[T], order: &[usize]) -> Vec<T> {
    let each = numbers.len() / order.len().max(1);
    order.iter().flat_map(|&place| &numbers[place * each..(place + 1) * each]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The real values of an input.
    const EACH: usize = 3 * 8 * 6;

    fn batch(size: usize) -> Batch {
        let inputs = (0..size * EACH).map(|place| place as f32).collect();
        let targets = Elements::Int((0..size as u32).collect());
        Batch::new(
            size,
            BatchTensor { shape: Shape::of(&[3, 8, 6]), elements: Elements::Float(inputs) },
            BatchTensor { shape: Shape::class(100), elements: targets },
        )
    }

    fn reals(column: &BatchTensor) -> &[f32] {
        match &column.elements {
            Elements::Float(reals) => reals,
            Elements::Int(_) => &[],
        }
    }

    fn classes(column: &BatchTensor) -> &[u32] {
        match &column.elements {
            Elements::Int(classes) => classes,
            Elements::Float(_) => &[],
        }
    }

    /// Checked through the second targets, which identify the partners. Each input is two products and a sum, of values below
    /// 1152: three roundings.
    #[test]
    fn mixup_mixes_samples_by_share() {
        let before = batch(8);
        let at = StepIndex { step: 3, micro_batch: 1 };
        let after = mixed(&Mixup { alpha: 1.0 }, before.clone(), 5, at).unwrap();
        let second = after.mixed.unwrap();
        assert_eq!(classes(&after.targets[0]), classes(&before.targets[0]));
        assert!(second.share > 0.0 && second.share < 1.0);
        for (sample, &partner) in classes(&second.targets[0]).iter().enumerate() {
            for place in 0..EACH {
                let own = f64::from(reals(&before.inputs[0])[sample * EACH + place]);
                let other = f64::from(reals(&before.inputs[0])[partner as usize * EACH + place]);
                let found = f64::from(reals(&after.inputs[0])[sample * EACH + place]);
                let expected = second.share * own + (1.0 - second.share) * other;
                assert!((found - expected).abs() <= 3.0 * 1152.0 * f64::from(f32::EPSILON), "{sample}");
            }
        }
    }

    #[test]
    fn cut_mix_share_equals_pasted_area() {
        let before = batch(8);
        let mix = CutMix { p: 1.0, ..CutMix::DEFAULT };
        let mut seen = std::collections::BTreeSet::new();
        for step in 0..200 {
            let after = mixed(&mix, before.clone(), 5, StepIndex { step, micro_batch: 0 }).unwrap();
            let second = after.mixed.unwrap();
            let mut counts = Vec::new();
            for (sample, &partner) in classes(&second.targets[0]).iter().enumerate() {
                let mut own = 0;
                for place in 0..EACH {
                    let found = reals(&after.inputs[0])[sample * EACH + place].to_bits();
                    let mine = reals(&before.inputs[0])[sample * EACH + place].to_bits();
                    let other = reals(&before.inputs[0])[partner as usize * EACH + place].to_bits();
                    assert!(found == mine || found == other);
                    own += usize::from(found == mine);
                }
                // A sample that is its own partner shows nothing.
                if partner as usize != sample {
                    counts.push(own);
                }
            }
            assert!(
                counts.iter().all(|&own| own == (second.share * EACH as f64).round() as usize),
                "{counts:?}, {}",
                second.share
            );
            seen.insert((second.share * 48.0) as u32);
        }
        assert!(seen.len() > 5, "shares of many sizes: {seen:?}");
    }

    #[test]
    fn cut_mix_is_applied_with_probability_p() {
        let count = |p| {
            let is_cut = |step| {
                let at = StepIndex { step, micro_batch: 0 };
                mixed(&CutMix { p, ..CutMix::DEFAULT }, batch(2), 1, at).unwrap().mixed.unwrap().share < 1.0
            };
            (0..400).filter(|&step| is_cut(step)).count()
        };
        assert_eq!(count(0.0), 0);
        // A quarter of the batches, except those whose rectangle is empty because a third of the width is less than two
        // pixels: a ninth. Five standard deviations of sqrt(400 * 0.222 * 0.778) are 41.
        let found = count(0.25);
        assert!((48..=130).contains(&found), "{found}");
    }

    #[test]
    fn mix_draws_depend_on_seed_step_and_micro_batch() {
        let share = |seed, step, micro_batch| {
            let at = StepIndex { step, micro_batch };
            mixed(&Mixup::DEFAULT, batch(4), seed, at).unwrap().mixed.unwrap().share.to_bits()
        };
        assert_eq!(share(1, 2, 3), share(1, 2, 3));
        assert!(![share(2, 2, 3), share(1, 3, 3), share(1, 2, 4)].contains(&share(1, 2, 3)));
    }

    #[test]
    fn unmixable_inputs_are_rejected() {
        let problem = |mix: &dyn AnyMix, shape| check(mix, &[shape]).unwrap_err().to_string();
        assert!(problem(&Mixup::DEFAULT, Shape::tokens(9, 4)).contains("tokens"));
        let text = problem(&CutMix::DEFAULT, Shape::of(&[10]));
        assert!(text.starts_with("mix: CutMix") && text.contains("Mixup"), "{text}");
        assert!(check(&Mixup::DEFAULT, &[Shape::of(&[10])]).is_ok());
        assert!(check(&Unmixed, &[Shape::tokens(9, 4)]).is_ok());
        let several = check(&Mixup::DEFAULT, &[Shape::of(&[10]), Shape::of(&[2])]).unwrap_err().to_string();
        assert!(several.contains("mix: the model has 2 inputs"), "{several}");
    }
}
