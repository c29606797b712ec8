//! The normalization of each input or target of a model.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Normalizer;
use crate::error::{Error, Result};
use crate::shape::{Shape, ordinal};

/// The normalizer of each input, or of each target; none for tokens and classes, and for those that are not normalized.
///
/// It is serialized as in a model file: for one input the normalizer or `null`, for several a list of these.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Normalizers(Vec<Option<Normalizer>>);

impl Normalizers {
    /// Creates a list with one entry for each input or target.
    #[must_use]
    pub fn new(each: Vec<Option<Normalizer>>) -> Self {
        Self(each)
    }

    /// The normalizer of an input or target, counted from 0; `None` if it is not normalized.
    #[must_use]
    pub fn of(&self, input: usize) -> Option<&Normalizer> {
        self.0.get(input)?.as_ref()
    }

    /// Whether none is normalized.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Each normalizer with the index of its input or target.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Normalizer)> {
        self.0.iter().enumerate().filter_map(|(input, normalizer)| Some((input, normalizer.as_ref()?)))
    }

    /// Checks that they are for inputs of these shapes.
    ///
    /// # Errors
    /// If one is for an input of another size.
    pub(crate) fn check(&self, inputs: &[Shape]) -> Result<()> {
        for (input, normalizer) in self.iter() {
            let elements = inputs.get(input).map_or(0, |shape| shape.elements());
            if !normalizer.fits(elements) {
                let what = ordinal("input", input, inputs.len());
                return Err(Error::Dataset(format!(
                    "the model's normalization of the {what} is not for {elements} values"
                )));
            }
        }
        Ok(())
    }
}

/// The normalization of a model's inputs and of its targets, which its weights depend on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ModelNormalizers {
    pub(crate) inputs: Normalizers,
    pub(crate) targets: Normalizers,
}

impl Serialize for Normalizers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [] => serializer.serialize_none(),
            [one] => one.serialize(serializer),
            all => all.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Normalizers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Saved {
            One(Normalizer),
            Each(Vec<Option<Normalizer>>),
        }
        Ok(match Option::<Saved>::deserialize(deserializer)? {
            None => Self::default(),
            Some(Saved::One(one)) => Self(vec![Some(one)]),
            Some(Saved::Each(each)) => Self(each),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizers_round_trip_through_json() {
        let one = Normalizer::new(vec![1.0], vec![2.0]).unwrap();
        let json = r#"{"mean":[1.0],"deviation":[2.0]}"#;
        for (each, text) in [
            (vec![None], "null".to_owned()),
            (vec![Some(one.clone())], json.to_owned()),
            (vec![None, Some(one.clone())], format!("[null,{json}]")),
        ] {
            let normalizers = Normalizers::new(each);
            assert_eq!(serde_json::to_string(&normalizers).unwrap(), text);
            let read: Normalizers = serde_json::from_str(&text).unwrap();
            assert_eq!(read.iter().collect::<Vec<_>>(), normalizers.iter().collect::<Vec<_>>());
        }
        assert!(serde_json::from_str::<Normalizers>(r#"[{"mean":[1.0],"deviation":[]}]"#).is_err());
    }
}
