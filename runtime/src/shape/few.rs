//! A short list without an allocation.

use std::ops::Deref;

/// At most [`Few::MOST`] values: one for each input, output or target of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Few<T> {
    values: [T; 6],
    count: usize,
}

impl<T> Few<T> {
    /// The most kinds in a tuple.
    pub const MOST: usize = 6;

    /// Adds a value. Returns false, without adding it, if there are already [`Few::MOST`].
    pub(crate) fn push(&mut self, value: T) -> bool {
        let place = self.values.get_mut(self.count);
        let is_free = place.is_some();
        if let Some(place) = place {
            *place = value;
            self.count += 1;
        }
        is_free
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.values.get(..self.count).unwrap_or_default()
    }
}

impl<T: Default> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut few = Self::default();
        for value in values {
            few.push(value);
        }
        few
    }
}

#[cfg(test)]
mod tests {
    use super::Few;

    #[test]
    fn values_beyond_the_capacity_are_not_added() {
        let few: Few<usize> = (1..9).collect();
        assert_eq!(*few, [1, 2, 3, 4, 5, 6]);
        assert!(!few.clone().push(7) && Few::<usize>::default().is_empty());
    }
}
