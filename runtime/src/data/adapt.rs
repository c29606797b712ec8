//! A data set with another split or another normalization.

use super::{Dataset, Normalization, Split};
use crate::error::Result;
use crate::shape::Kind;

/// A data set divided by a split of the user's: [`Dataset::with_split`].
#[derive(Clone, Debug)]
pub struct WithSplit<D> {
    pub(super) data: D,
    pub(super) split: Split,
}

/// A data set normalized by a rule of the user's: [`Dataset::with_normalization`].
#[derive(Clone, Debug)]
pub struct WithNormalization<D> {
    pub(super) data: D,
    pub(super) normalization: Normalization,
}

impl<D: Dataset> Dataset for WithSplit<D> {
    type Input = D::Input;
    type Target = D::Target;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn sample(
        &self,
        index: usize,
        input: &mut [<D::Input as Kind>::Element],
        target: &mut [<D::Target as Kind>::Element],
    ) -> Result<()> {
        self.data.sample(index, input, target)
    }

    fn split(&self) -> Split {
        self.split.clone()
    }

    fn normalization(&self) -> Normalization {
        self.data.normalization()
    }
}

impl<D: Dataset> Dataset for WithNormalization<D> {
    type Input = D::Input;
    type Target = D::Target;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn sample(
        &self,
        index: usize,
        input: &mut [<D::Input as Kind>::Element],
        target: &mut [<D::Target as Kind>::Element],
    ) -> Result<()> {
        self.data.sample(index, input, target)
    }

    fn split(&self) -> Split {
        self.data.split()
    }

    fn normalization(&self) -> Normalization {
        self.normalization
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::InMemory;
    use crate::{Features, Values};

    #[test]
    fn each_changes_one_thing_and_keeps_the_rest() {
        let data = InMemory::<Features<1>, Values<1>>::new(vec![1.0, 2.0], vec![3.0, 4.0]).unwrap();
        let split = Split::Fixed { train: 0..1, validation: 1..2, test: 2..2 };
        let data = data.with_split(split.clone()).with_normalization(Normalization::Whole);
        assert_eq!((data.split(), data.normalization(), data.len()), (split, Normalization::Whole, 2));
        let data = data.with_split(Split::DEFAULT);
        assert_eq!((data.split(), data.normalization()), (Split::DEFAULT, Normalization::Whole));
        let (mut input, mut target) = ([0.0], [0.0]);
        data.sample(1, &mut input, &mut target).unwrap();
        assert_eq!((input, target), ([2.0], [4.0]));
    }
}
