//! What a metric gathers of the samples that it has seen.

use std::fmt::Debug;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What a metric knows of the samples so far: sums and counts, from which its value is made at the end.
///
/// It stands in checkpoints as JSON, from which it comes back bit for bit, so a resumed epoch ends with the same
/// value. A sum that may be infinite or NaN, which JSON does not have, is written by [`number`].
pub trait State: Default + Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + 'static {
    /// Takes in what another has gathered, as if its samples had come after these.
    fn merge(&mut self, other: &Self);

    /// The metric; NaN if it is not defined on these samples.
    fn value(&self) -> f64;

    /// Forgets everything. Memory that the next samples will need may stay.
    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A mean: of samples, of places, of whatever is [added](Mean::add).
///
/// Its value over nothing is NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mean {
    #[serde(with = "number")]
    sum: f64,
    count: u64,
}

impl Mean {
    /// Takes in one more.
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

/// A share: how many of those seen are hits. Counts are whole, so no order of batches shows in it.
///
/// Its value over nothing is NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    hits: u64,
    count: u64,
}

impl Share {
    /// Takes in one more.
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

/// For `#[serde(with = "trainspec::metric::number")]`: an `f64` of any value, finite or not.
///
/// A finite one is a JSON number that is read back to the same bits; the others are `"inf"`, `"-inf"` and `"NaN"`.
pub mod number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    /// Writes the number.
    ///
    /// # Errors
    /// If the serializer refuses it.
    pub fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if number.is_finite() { serializer.serialize_f64(*number) } else { serializer.collect_str(number) }
    }

    /// Reads it back.
    ///
    /// # Errors
    /// If there is something else.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(number),
            Written::Text(text) => text.parse().map_err(|_| {
                D::Error::custom(format_args!("`{text}` is no number; expected one, or `inf`, `-inf`, `NaN`"))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sum_comes_back_from_json() {
        for sum in [0.1 + 0.2, -0.0, 1e300, 5e-324, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let mean = Mean { sum, count: 3 };
            let read: Mean = serde_json::from_str(&serde_json::to_string(&mean).unwrap()).unwrap();
            assert_eq!(read.sum.to_bits(), sum.to_bits(), "{sum}");
        }
        assert!(serde_json::from_str::<Mean>(r#"{"sum":"much","count":1}"#).is_err());
    }
}
