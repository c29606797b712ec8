//! The loss scale for f16.

use serde::{Deserialize, Deserializer, Serialize};

use crate::config::Config;
use crate::shape::{CheckError, CheckResult};

/// The factor of the loss before its gradient is computed, in f16: [`Dynamic`](struct@Dynamic) or [`Static`].
///
/// A dynamic scale is multiplied by `backoff` at each step with gradients that are not finite, which is skipped, and by `growth`
/// after each `interval` consecutive steps with finite gradients; it does not grow beyond f32. It never falls below `min`: a
/// step with gradients that are not finite even there stops the run.
///
/// The scale follows PyTorch's `GradScaler` exactly, except for `min`. It is applied to another loss: a sum over the
/// micro-batch, which is divided by the number of samples once the window is complete. So it scales the gradients of
/// single samples, independent of the batch size, and settles lower than PyTorch's by about that factor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LossScale {
    /// The scale of the first step, an integer from 1 to 2^31; 65536 by default.
    pub init: u32,
    /// The factor by which the scale grows, above 1; 2 by default.
    pub growth: f64,
    /// The factor by which a scale that is too large shrinks, between 0 and 1; 0.5 by default.
    pub backoff: f64,
    /// Consecutive steps after which the scale grows, at least 1; 2000 by default.
    pub interval: u64,
    /// The smallest scale, from 1 to `init`; 1 by default.
    pub min: u32,
}

pub use LossScale as Dynamic;

/// A [`LossScale`](struct@LossScale) that adapts during the run, with every key at its default.
#[allow(non_upper_case_globals)]
pub const Dynamic: LossScale = LossScale::DEFAULT;

/// A fixed [`LossScale`](struct@LossScale). Steps with gradients that are not finite are skipped as well.
#[allow(non_snake_case)]
#[must_use]
pub const fn Static(scale: u32) -> LossScale {
    LossScale { init: scale, growth: 1.0, backoff: 1.0, interval: 1, min: scale }
}

impl LossScale {
    /// Whether the scale is fixed.
    #[must_use]
    #[allow(clippy::float_cmp, reason = "1 is written, not computed")]
    pub const fn is_static(&self) -> bool {
        self.growth == 1.0 && self.backoff == 1.0
    }

    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        if self.init == 0 || self.init > 1 << 31 {
            return Err(CheckError::new("init is ")
                .number(self.init as usize)
                .text("; expected a loss scale from 1 to 2^31, preferably a power of 2"));
        }
        if self.min == 0 || self.min > self.init {
            return Err(CheckError::new("min is ")
                .number(self.min as usize)
                .text("; expected a loss scale from 1 to `init`, which is ")
                .number(self.init as usize));
        }
        if self.interval == 0 {
            return Err(CheckError::new("interval is 0; expected at least 1 step"));
        }
        if self.is_static() {
            return Ok(());
        }
        if !(self.growth > 1.0 && self.growth.is_finite()) {
            return Err(CheckError::new("growth is ").float(self.growth).text("; expected a factor above 1"));
        }
        if !(self.backoff > 0.0 && self.backoff < 1.0) {
            return Err(CheckError::new("backoff is ")
                .float(self.backoff)
                .text("; expected a factor between 0 and 1"));
        }
        Ok(())
    }
}

impl Config for LossScale {
    const NAME: &'static str = "Dynamic";
    const DEFAULT: Self = Self { init: 65_536, growth: 2.0, backoff: 0.5, interval: 2000, min: 1 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<'de> Deserialize<'de> for LossScale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// The JSON forms of a scale: an object with any of its keys, a number, or a name.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Name(String),
            Static(u32),
            Keys(Keys),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys {
            init: Option<u32>,
            growth: Option<f64>,
            backoff: Option<f64>,
            interval: Option<u64>,
            min: Option<u32>,
        }
        match Written::deserialize(deserializer) {
            Ok(Written::Name(name)) if name == "Dynamic" => Ok(Self::DEFAULT),
            Ok(Written::Static(scale)) => Ok(Static(scale)),
            Ok(Written::Keys(Keys { init, growth, backoff, interval, min })) => Ok(Self {
                init: init.unwrap_or(Self::DEFAULT.init),
                growth: growth.unwrap_or(Self::DEFAULT.growth),
                backoff: backoff.unwrap_or(Self::DEFAULT.backoff),
                interval: interval.unwrap_or(Self::DEFAULT.interval),
                min: min.unwrap_or(Self::DEFAULT.min),
            }),
            _ => Err(serde::de::Error::custom(
                "expected \"Dynamic\", an integer, or an object with any of `init`, `growth`, `backoff`, `interval` and `min`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_range_checked() {
        assert!(LossScale::DEFAULT.check().is_ok());
        assert!(Static(1).check().is_ok() && Static(1 << 31).check().is_ok());
        let said = |scale: LossScale| scale.check().unwrap_err().as_str().to_owned();
        assert!(said(Static(0)).starts_with("init is 0; expected "));
        let of = LossScale::DEFAULT;
        assert!(
            said(LossScale { min: 65_537, ..of })
                .contains("min is 65537; expected a loss scale from 1 to `init`")
        );
        assert!(said(LossScale { min: 0, ..of }).starts_with("min is 0"));
        assert!(said(LossScale { interval: 0, ..of }).starts_with("interval is 0"));
        for growth in [1.0, 0.5, f64::NAN, f64::INFINITY] {
            assert!(said(LossScale { growth, ..of }).starts_with("growth is "));
        }
        for backoff in [0.0, 1.0, f64::NAN, -0.5] {
            assert!(said(LossScale { backoff, ..of }).starts_with("backoff is "));
        }
    }
}
