//! A data set with one property overridden: its split, its normalization, or what is known about it.

use std::ops::RangeInclusive;

use super::{Dataset, Normalization, RoundedColumn, Split};
use crate::error::Result;
use crate::shape::Kinds;

/// A data set with one property overridden: [`Dataset::with_split`], [`Dataset::with_normalization`],
/// [`Dataset::with_target_normalization`], [`Dataset::with_input_range`], [`Dataset::in_time_order`], [`Dataset::with_groups`],
/// [`Dataset::with_sample_weights`].
#[derive(Clone, Debug)]
pub struct WithOverrides<D> {
    data: D,
    change: Change,
}

/// The property that is overridden.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Split(Split),
    Normalization(Normalization),
    TargetNormalization(Normalization),
    InputRange(RangeInclusive<f32>),
    TimeSeries,
    Groups(Vec<u64>),
    Weights(Vec<f32>),
}

impl<D> WithOverrides<D> {
    pub(super) const fn new(data: D, change: Change) -> Self {
        Self { data, change }
    }
}

impl<D: Dataset> Dataset for WithOverrides<D> {
    type Input = D::Input;
    type Target = D::Target;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn sample(
        &self,
        index: usize,
        input: <D::Input as Kinds>::Row<'_>,
        target: <D::Target as Kinds>::Row<'_>,
    ) -> Result<()> {
        self.data.sample(index, input, target)
    }

    fn split(&self) -> Split {
        if let Change::Split(split) = &self.change { split.clone() } else { self.data.split() }
    }

    fn normalization(&self) -> Normalization {
        if let Change::Normalization(rule) = self.change { rule } else { self.data.normalization() }
    }

    fn target_normalization(&self) -> Normalization {
        if let Change::TargetNormalization(rule) = self.change {
            rule
        } else {
            self.data.target_normalization()
        }
    }

    fn input_range(&self) -> Option<RangeInclusive<f32>> {
        if let Change::InputRange(range) = &self.change {
            Some(range.clone())
        } else {
            self.data.input_range()
        }
    }

    fn is_time_series(&self) -> bool {
        matches!(self.change, Change::TimeSeries) || self.data.is_time_series()
    }

    fn group(&self, index: usize) -> Option<u64> {
        if let Change::Groups(groups) = &self.change {
            groups.get(index).copied()
        } else {
            self.data.group(index)
        }
    }

    fn sample_weight(&self, index: usize) -> f32 {
        if let Change::Weights(weights) = &self.change {
            weights.get(index).copied().unwrap_or(f32::NAN)
        } else {
            self.data.sample_weight(index)
        }
    }

    fn location(&self, index: usize) -> Option<String> {
        self.data.location(index)
    }

    fn rounded_columns(&self) -> &[RoundedColumn] {
        self.data.rounded_columns()
    }

    fn class_names(&self, target: usize) -> &[String] {
        self.data.class_names(target)
    }

    fn missing_elements(&self, input: usize) -> &[usize] {
        self.data.missing_elements(input)
    }

    fn unscaled_elements(&self, input: usize) -> &[usize] {
        self.data.unscaled_elements(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::InMemory;
    use crate::{Features, Values};

    #[test]
    fn each_adapter_changes_one_property() {
        let data = InMemory::<Features<1>, Values<1>>::new(vec![1.0, 2.0], vec![3.0, 4.0]).unwrap();
        assert_eq!((data.input_range(), data.is_time_series()), (None, false));
        let split = Split::Fixed { train: 0..1, validation: 1..2, test: 2..2 };
        let data = data
            .with_input_range(0.0..=2.0)
            .with_split(split.clone())
            .in_time_order()
            .with_normalization(Normalization::Whole);
        assert_eq!((data.split(), data.normalization(), data.len()), (split, Normalization::Whole, 2));
        assert_eq!((data.input_range(), data.is_time_series()), (Some(0.0..=2.0), true));
        assert_eq!(data.target_normalization(), Normalization::None);
        let data = data.with_target_normalization(Normalization::PerElement);
        let data = data.with_split(Split::DEFAULT).with_input_range(1.0..=2.0);
        assert_eq!(data.target_normalization(), Normalization::PerElement);
        assert_eq!((data.split(), data.normalization()), (Split::DEFAULT, Normalization::Whole));
        assert_eq!((data.input_range(), data.is_time_series()), (Some(1.0..=2.0), true));
        assert_eq!((data.group(1), data.sample_weight(1).to_bits()), (None, 1.0_f32.to_bits()));
        let data = data.with_groups(vec![7, 8]).with_sample_weights(vec![0.5, 2.0]);
        assert_eq!((data.group(1), data.sample_weight(1).to_bits()), (Some(8), 2.0_f32.to_bits()));
        assert!(data.group(2).is_none() && data.sample_weight(2).is_nan());
        let (mut input, mut target) = ([0.0], [0.0]);
        data.sample(1, &mut input, &mut target).unwrap();
        assert_eq!((input, target), ([2.0], [4.0]));
    }
}
