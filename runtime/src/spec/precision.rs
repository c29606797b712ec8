//! The numeric type of the computation.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use trainspec_kernels::half::Format;

use super::LossScale;
use crate::config::{Config, Setting, from_json};
use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult};

/// The type in which a run computes, for the key `precision`: [`F32`](struct@F32), [`Bf16`](struct@Bf16), or [`F16`].
///
/// In all of them, parameters (*master weights*), the optimizer's state, accumulated gradients, statistics of
/// normalizations, softmax, losses and sums are f32. In 16 bits, the values between kernels are rounded,
/// which halves the memory of what is kept until the backward pass.
///
/// # Source
/// Micikevicius et al. 2018; for bf16 Kalamkar et al. 2019.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a precision",
    label = "expected `F32`, `Bf16`, or `F16 {{ loss_scale: Dynamic }}`"
)]
pub trait AnyPrecision: Setting {
    /// The precision as a value.
    fn precision(&self) -> Precision;
}

/// 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct F32 {}

/// [`F32`](struct@F32) as a value.
#[allow(non_upper_case_globals)]
pub const F32: F32 = F32 {};

/// 16 bits with the range of f32 and 8 bits of precision. It needs no loss scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bf16 {}

/// [`Bf16`](struct@Bf16) as a value.
#[allow(non_upper_case_globals)]
pub const Bf16: Bf16 = Bf16 {};

/// 16 bits with 11 bits of precision, from 2^-24 to 65504. Gradients are often smaller than that, so the loss is
/// multiplied by a scale, and gradients are divided by it before they are used.
///
/// A step whose gradients are not finite is skipped: only the scale, the counters of skipped steps, and
/// the position in the data change, since its samples are consumed. The next step uses the same step number for its dropout.
///
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(image: Image<1, 8, 8>) -> Logits<10> {
///     image.flatten().linear(out = 10)
/// }
///
/// train! {
///     Digits { model: Net, data: Digits8x8::embedded(), precision: F16 { loss_scale: Dynamic } }
/// }
///
/// train! {
///     Others { model: Net, data: Digits8x8::embedded(), precision: F16 { loss_scale: Static(1024) } }
/// }
/// # assert!(Digits::experiment().settings().is_ok() && Others::experiment().settings().is_ok());
/// ```
///
/// The loss scale is required:
///
/// ```compile_fail
/// # use trainspec::prelude::*;
/// # #[model]
/// # fn Net(image: Image<1, 8, 8>) -> Logits<10> {
/// #     image.flatten().linear(out = 10)
/// # }
/// train! {
///     Digits { model: Net, data: Digits8x8::embedded(), precision: F16 {} }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct F16 {
    /// The loss scale: `Dynamic`, `Dynamic { init: 1024, … }` or `Static(1024)`. Required.
    pub loss_scale: LossScale,
    /// The number of consecutive skipped steps that stops the run, at least 1; 20 by default.
    pub max_skips: u64,
}

impl F16 {
    /// Checks the ranges of the keys; a loss scale with keys of its own is checked where it is written.
    pub const fn check(&self) -> CheckResult<Facts> {
        if self.max_skips == 0 {
            return Err(CheckError::new(
                "max_skips is 0; expected at least 1, the consecutive skipped steps that stop the run",
            ));
        }
        if self.loss_scale.is_static() && self.loss_scale.check().is_err() {
            return Err(CheckError::new("loss_scale is Static(")
                .number(self.loss_scale.init as usize)
                .text("); expected a scale from 1 to 2^31, preferably a power of 2"));
        }
        Ok(Facts::NOTHING.scaling_loss())
    }

    /// Every check, for values that the compiler did not see.
    fn check_all(&self) -> CheckResult {
        self.check()?;
        self.loss_scale.check()
    }
}

impl Config for F32 {
    const NAME: &'static str = "F32";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Config for Bf16 {
    const NAME: &'static str = "Bf16";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Config for F16 {
    const NAME: &'static str = "F16";
    const DEFAULT: Self = Self { loss_scale: LossScale::DEFAULT, max_skips: 20 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[(
        "loss_scale",
        "the factor that keeps small gradients from underflowing: `Dynamic` or `Static(1024)`",
    )];
    const CHECK: fn(&Self) -> CheckResult = Self::check_all;
}

impl F32 {
    /// Always valid.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Bf16 {
    /// Always valid.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl AnyPrecision for F32 {
    fn precision(&self) -> Precision {
        Precision::F32
    }
}

impl AnyPrecision for Bf16 {
    fn precision(&self) -> Precision {
        Precision::Bf16
    }
}

impl AnyPrecision for F16 {
    fn precision(&self) -> Precision {
        Precision::F16(*self)
    }
}

/// A precision as a value, as stored in a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precision {
    /// [`F32`](struct@F32)
    F32,
    /// [`Bf16`](struct@Bf16)
    Bf16,
    /// [`F16`](struct@F16)
    F16(F16),
}

impl Precision {
    /// Checks the ranges of its keys.
    ///
    /// # Errors
    /// The first key that is out of range.
    pub fn check(self) -> CheckResult {
        match self {
            Self::F32 | Self::Bf16 => Ok(()),
            Self::F16(half) => half.validate(),
        }
    }

    /// The format that values are rounded to; `None` for f32.
    #[must_use]
    pub fn format(self) -> Option<Format> {
        match self {
            Self::F32 => None,
            Self::Bf16 => Some(Format::Bf16),
            Self::F16(_) => Some(Format::F16),
        }
    }

    /// The loss scale and the maximum number of consecutive skipped steps, for f16.
    #[must_use]
    pub fn loss_scale(self) -> Option<F16> {
        match self {
            Self::F32 | Self::Bf16 => None,
            Self::F16(half) => Some(half),
        }
    }
}

impl Serialize for Precision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::F32 => serializer.serialize_str("F32"),
            Self::Bf16 => serializer.serialize_str("Bf16"),
            Self::F16(half) => half.to_json().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Precision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "expected \"F32\", \"Bf16\", or {\"type\": \"F16\", \"loss_scale\": \"Dynamic\"}";
        let problem =
            |found: &dyn std::fmt::Display| serde::de::Error::custom(format_args!("{found}; {expected}"));
        let mut json = Value::deserialize(deserializer)?;
        match json.as_str() {
            Some("F32") => return Ok(Self::F32),
            Some("Bf16") => return Ok(Self::Bf16),
            Some("F16") => return Err(problem(&"`F16` needs a loss scale")),
            Some(other) => return Err(problem(&format_args!("`{other}` is not a precision"))),
            None => {}
        }
        if let Some(keys) = json.as_object_mut() {
            if !keys.contains_key("loss_scale") {
                return Err(problem(&"`F16` needs a loss scale"));
            }
            keys.entry("max_skips").or_insert_with(|| F16::DEFAULT.max_skips.into());
        }
        from_json(&json).map(Self::F16).map_err(|error| problem(&error))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn precisions_round_trip_through_json() {
        let half = F16 { loss_scale: LossScale { init: 512, ..LossScale::DEFAULT }, max_skips: 3 };
        let fixed = F16 { loss_scale: super::super::Static(1024), max_skips: 20 };
        for precision in [Precision::F32, Precision::Bf16, Precision::F16(half), Precision::F16(fixed)] {
            let json = serde_json::to_value(precision).unwrap();
            assert_eq!(serde_json::from_value::<Precision>(json).unwrap(), precision);
        }
        let short = json!({ "type": "F16", "loss_scale": "Dynamic" });
        let read: Precision = serde_json::from_value(short).unwrap();
        assert_eq!(read, Precision::F16(F16::DEFAULT));
        let fixed_short = json!({ "type": "F16", "loss_scale": 1024 });
        assert_eq!(serde_json::from_value::<Precision>(fixed_short).unwrap(), Precision::F16(fixed));
    }

    #[test]
    fn unknown_precision_error_lists_precisions() {
        let said = |json: Value| serde_json::from_value::<Precision>(json).unwrap_err().to_string();
        assert!(said(json!("F16")).starts_with("`F16` needs a loss scale; expected \"F32\", "));
        assert!(said(json!("half")).starts_with("`half` is not a precision; expected "));
        assert!(said(json!({ "type": "F16" })).starts_with("`F16` needs a loss scale; "));
        let low = json!({ "type": "F16", "loss_scale": 0 });
        assert!(
            said(low).contains("loss_scale is Static(0); expected "),
            "{}",
            said(json!({ "type": "F16", "loss_scale": 0 }))
        );
    }
}
