//! The trait of a rule.

use std::fmt::Debug;

use super::{Moves, Sample, Takes};
use crate::config::{Config, Setting, from_json};
use crate::data::SampleRng;
use crate::metric::On;
use crate::shape::{CheckResult, Shape};

/// A random change of a training sample.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::data::SampleRng;
/// use trainspec::data::augment::{Augment, Sample, Takes};
/// use trainspec::prelude::*;
/// use trainspec::{CheckResult, Config};
///
/// /// Inverts half of the images, whose values are from 0 to 1.
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct Invert {}
///
/// impl Invert {
///     pub const fn check(&self) -> CheckResult {
///         Ok(())
///     }
/// }
///
/// impl Config for Invert {
///     const NAME: &'static str = "Invert";
///     const DEFAULT: Self = Self {};
///     const CHECK: fn(&Self) -> CheckResult = Self::check;
/// }
///
/// impl Augment for Invert {
///     const TAKES: Takes = Takes::Images;
///
///     fn apply(&self, image: &mut Sample<'_>, rng: &mut SampleRng) {
///         if rng.happens(0.5) {
///             image.values().iter_mut().for_each(|value| *value = 1.0 - *value);
///         }
///     }
/// }
///
/// # #[model]
/// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
/// train! {
///     Digits { model: Net, data: Digits8x8::embedded(), augment: [Invert {}, Rotate { degrees: 10.0 }], steps: 3 }
/// }
/// let run = Digits::experiment().without_folder().run()?;
/// # Ok::<(), trainspec::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an augmentation",
    label = "expected `FlipHorizontal`, `RandomCrop {{ padding: 4 }}`, `Rotate {{ degrees: … }}`, `GaussianNoise {{ std: … }}`, …"
)]
pub trait Augment: Config {
    /// The inputs that it applies to; all real ones by default. An input of another kind is a compile-time error.
    const TAKES: Takes = Takes::Reals;

    /// What it moves; nothing by default. A rule that moves pixels does so by [`Sample::move_pixels`] or [`Sample::warp`], which move the
    /// maps of the targets, too.
    const MOVES: Moves = Moves::Nothing;

    /// Changes a sample, with its own random draws. The result must be finite where the values were.
    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng);

    /// Checks the keys against the shape of the input, which is one of [`TAKES`](Augment::TAKES). All fit by default.
    ///
    /// # Errors
    /// If they do not fit, with what is expected.
    fn fits(&self, input: Shape) -> CheckResult {
        let _ = input;
        Ok(())
    }
}

/// A type-erased augmentation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an augmentation",
    label = "expected `FlipHorizontal`, `RandomCrop {{ padding: 4 }}`, `Rotate {{ degrees: … }}`, `GaussianNoise {{ std: … }}`, …"
)]
pub trait AnyAugment: Debug + Send + Sync {
    /// Its keys and its checks.
    fn setting(&self) -> &dyn Setting;
    /// The index of its list in a tuple of lists.
    fn list(&self) -> Option<usize>;
    /// [`Augment::TAKES`]
    fn takes(&self) -> Takes;
    /// [`Augment::MOVES`]
    fn moves(&self) -> Moves;
    /// [`Augment::apply`]
    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng);
    /// [`Augment::TAKES`] and [`Augment::fits`]
    ///
    /// # Errors
    /// If the input is of another kind, or as [`Augment::fits`].
    fn fits(&self, input: Shape) -> CheckResult;
    /// Returns a copy.
    fn boxed(&self) -> Box<dyn AnyAugment>;
    /// Returns the same rule with changed keys.
    ///
    /// # Errors
    /// If a key or value is invalid.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyAugment>, String>;
}

fn fits<A: Augment>(rule: &A, input: Shape) -> CheckResult {
    A::TAKES.check(input).and_then(|()| rule.fits(input)).map_err(|problem| problem.of(A::NAME))
}

#[diagnostic::do_not_recommend]
impl<A: Augment> AnyAugment for A {
    fn setting(&self) -> &dyn Setting {
        self
    }

    fn list(&self) -> Option<usize> {
        None
    }

    fn takes(&self) -> Takes {
        A::TAKES
    }

    fn moves(&self) -> Moves {
        A::MOVES
    }

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        Augment::apply(self, sample, rng);
    }

    fn fits(&self, input: Shape) -> CheckResult {
        fits(self, input)
    }

    fn boxed(&self) -> Box<dyn AnyAugment> {
        Box::new(*self)
    }

    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyAugment>, String> {
        Ok(Box::new(from_json::<Self>(json)?))
    }
}

/// A rule in a tuple of lists, for the input with index `INPUT`.
#[diagnostic::do_not_recommend]
impl<const INPUT: usize, A: Augment> AnyAugment for On<INPUT, A> {
    fn setting(&self) -> &dyn Setting {
        &self.0
    }

    fn list(&self) -> Option<usize> {
        Some(INPUT)
    }

    fn takes(&self) -> Takes {
        A::TAKES
    }

    fn moves(&self) -> Moves {
        A::MOVES
    }

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        self.0.apply(sample, rng);
    }

    fn fits(&self, input: Shape) -> CheckResult {
        fits(&self.0, input)
    }

    fn boxed(&self) -> Box<dyn AnyAugment> {
        Box::new(*self)
    }

    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyAugment>, String> {
        let mut json = json.clone();
        let input = json.as_object_mut().and_then(|keys| keys.remove("input"));
        if input.is_some_and(|input| input != INPUT) {
            return Err(format!("the input of an augmentation is fixed at compile time; it is {INPUT}"));
        }
        Ok(Box::new(Self(from_json(&json)?)))
    }
}
