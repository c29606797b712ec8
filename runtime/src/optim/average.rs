//! The averages of weights that evaluations can use, for the key `ema`.

use super::{Ema, Swa};
use crate::config::{Config, Setting, from_json};
use crate::shape::CheckResult;

/// An average of the weights, for the key `ema`: [`Ema`](struct@Ema) or [`Swa`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an average of the weights",
    label = "expected `Ema {{ decay: 0.999 }}` or `Swa {{ start: Epochs(9) }}`"
)]
pub trait AnyAverage: Setting {
    /// The average as a value; `None` for [`Ema::NONE`].
    fn average(&self) -> Option<Average>;
}

impl AnyAverage for Ema {
    fn average(&self) -> Option<Average> {
        (*self != Self::NONE).then_some(Average::Ema(*self))
    }
}

impl AnyAverage for Swa {
    fn average(&self) -> Option<Average> {
        Some(Average::Swa(*self))
    }
}

/// An average of the weights, as stored in the settings of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Average {
    /// An exponential moving average.
    Ema(Ema),
    /// The equal average of the weights at several steps.
    Swa(Swa),
}

impl Average {
    /// Every key and value, with the name under `type`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Ema(ema) => Setting::to_json(ema),
            Self::Swa(swa) => Setting::to_json(swa),
        }
    }

    /// Runs the checks of the configuration.
    pub(crate) fn validate(&self) -> CheckResult {
        match self {
            Self::Ema(ema) => ema.validate(),
            Self::Swa(swa) => swa.validate(),
        }
    }

    /// Reads JSON with some of the keys. Without a `type`, they are those of the present average, or of `Ema` if there is none.
    pub(crate) fn read(present: Option<Self>, json: &serde_json::Value) -> Result<Self, String> {
        let is_swa = match json.get("type").and_then(|kind| kind.as_str()) {
            Some(name) => name == Swa::NAME,
            None => matches!(present, Some(Self::Swa(_))),
        };
        if is_swa {
            Ok(Self::Swa(from_json(&completed::<Swa>(json))?))
        } else {
            Ok(Self::Ema(from_json(&completed::<Ema>(json))?))
        }
    }
}

/// A point on the line through a weight and a value of its optimizer state: `w + share * (state - w)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AveragePoint {
    /// The place of the value among the optimizer's [state names](super::AnyOptimizer::state_names).
    pub slot: usize,
    /// How far the point is towards that value; it may be below 0.
    pub share: f64,
}

/// Adds the defaults of the keys that are left out, except those of required keys.
fn completed<C: Config>(json: &serde_json::Value) -> serde_json::Value {
    let (Some(given), mut complete) = (json.as_object(), C::DEFAULT.to_json()) else { return json.clone() };
    if let Some(keys) = complete.as_object_mut() {
        keys.retain(|key, _| !C::REQUIRED.iter().any(|(required, _)| key == required));
        keys.extend(given.clone());
    }
    complete
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::keys::Interval;

    #[test]
    fn keys_without_type_are_those_of_the_present_average() {
        let read = |present, json| Average::read(present, &json);
        let swa = Swa { start: Interval::Steps(3), every: Interval::Epochs(1) };
        assert_eq!(
            read(None, json!({ "decay": 0.5 })).unwrap(),
            Average::Ema(Ema { decay: 0.5, ..Ema::DEFAULT })
        );
        assert_eq!(read(None, json!({ "type": "Swa", "start": { "Steps": 3 } })).unwrap(), Average::Swa(swa));
        let present = Some(Average::Swa(swa));
        assert_eq!(read(present, json!({ "start": { "Steps": 3 } })).unwrap(), Average::Swa(swa));
        assert_eq!(read(present, swa.to_json()).unwrap(), Average::Swa(swa));
        assert_eq!(read(present, json!({ "type": "Ema" })).unwrap(), Average::Ema(Ema::DEFAULT));
        assert!(read(None, json!({ "type": "Swa" })).unwrap_err().contains("missing field `start`"));
        assert!(read(None, json!({ "decay": 2.0 })).unwrap_err().contains("decay is 2"));
        assert!(read(None, json!(0.5)).unwrap_err().contains("is not a `Ema`"));
        assert!(read(None, json!({ "type": "Swaa" })).is_err());
    }
}
