//! The accumulated state of a metric.

use std::fmt::Debug;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The accumulated state of a metric: sums and counts, from which its value is computed at the end.
///
/// Checkpoints store it as JSON and restore it bit for bit, so a resumed epoch ends with the same value. For a sum that may be
/// infinite or NaN, which JSON cannot represent, use [`number`].
pub trait State: Default + Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + 'static {
    /// Merges another state, as if its samples came after these.
    fn merge(&mut self, other: &Self);

    /// Returns the metric; NaN if it is undefined on these samples.
    fn value(&self) -> f64;

    /// Resets the state. It may keep allocated memory for the next samples.
    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The mean of the values that are [added](Mean::add).
///
/// The value of an empty mean is NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mean {
    #[serde(with = "number")]
    sum: f64,
    count: u64,
}

impl Mean {
    /// Adds one sample.
    pub fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }
}

impl State for Mean {
    fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
    }

    fn value(&self) -> f64 {
        self.sum / self.count as f64
    }
}

/// The share of hits. Counts are integers, so the value does not depend on the order of the batches.
///
/// The value of an empty share is NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    hits: u64,
    count: u64,
}

impl Share {
    /// Adds one sample.
    pub fn add(&mut self, is_hit: bool) {
        self.hits += u64::from(is_hit);
        self.count += 1;
    }
}

impl State for Share {
    fn merge(&mut self, other: &Self) {
        self.hits += other.hits;
        self.count += other.count;
    }

    fn value(&self) -> f64 {
        self.hits as f64 / self.count as f64
    }
}

/// Serializes any `f64`, finite or not, with `#[serde(with = "trainspec::metric::number")]`.
///
/// A finite value becomes a JSON number that is read back to the same bits; the others become `"inf"`, `"-inf"` and `"NaN"`.
pub mod number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    /// Serializes the number.
    ///
    /// # Errors
    /// If the serializer fails.
    pub fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if number.is_finite() { serializer.serialize_f64(*number) } else { serializer.collect_str(number) }
    }

    /// Deserializes the number.
    ///
    /// # Errors
    /// If the value is not a number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(number),
            Written::Text(text) => text.parse().map_err(|_| {
                D::Error::custom(format_args!(
                    "`{text}` is not a number; expected a number, `inf`, `-inf` or `NaN`"
                ))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_round_trips_through_json() {
        for sum in [0.1 + 0.2, -0.0, 1e300, 5e-324, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let mean = Mean { sum, count: 3 };
            let read: Mean = serde_json::from_str(&serde_json::to_string(&mean).unwrap()).unwrap();
            assert_eq!(read.sum.to_bits(), sum.to_bits(), "{sum}");
        }
        assert!(serde_json::from_str::<Mean>(r#"{"sum":"much","count":1}"#).is_err());
    }
}
