//! The tensors of a model one after another in one allocation, so that an operation on all of them, such as a sum over
//! processes, takes one slice.

use std::io;

use super::{Arena, Span};
use crate::slices::Slices;

/// Tensors of fixed lengths, each a part of one slice. Between two of them there is nothing.
///
/// ```
/// use trainspec_kernels::arena::TensorArena;
///
/// let mut arena = TensorArena::new([2, 0, 3])?;
/// let mut selected = arena.select_mut([2, 0].into_iter());
/// if let [last, first] = selected.get() {
///     last.fill(3.0);
///     first.fill(1.0);
/// }
/// assert_eq!(arena.flat(), [1.0, 1.0, 3.0, 3.0, 3.0]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TensorArena {
    memory: Arena,
    /// Where each tensor starts, then where the last one ends.
    borders: Vec<usize>,
}

impl TensorArena {
    /// Creates tensors of these lengths, all elements 0.
    ///
    /// # Errors
    /// If the system cannot provide the memory.
    pub fn new(lengths: impl IntoIterator<Item = usize>) -> io::Result<Self> {
        let mut borders = vec![0];
        let mut end: usize = 0;
        for length in lengths {
            end = end.checked_add(length).ok_or(io::ErrorKind::OutOfMemory)?;
            borders.push(end);
        }
        Ok(Self { memory: Arena::new(end)?, borders })
    }

    /// Creates tensors of the same lengths, all elements 0.
    ///
    /// # Errors
    /// If the system cannot provide the memory.
    pub fn like(&self) -> io::Result<Self> {
        Ok(Self { memory: Arena::new(self.memory.len())?, borders: self.borders.clone() })
    }

    /// The number of tensors.
    #[must_use]
    pub fn count(&self) -> usize {
        self.borders.len() - 1
    }

    /// The elements of all tensors.
    #[must_use]
    pub fn flat(&self) -> &[f32] {
        self.memory.read(self.all())
    }

    /// The elements of all tensors, mutably.
    #[must_use]
    pub fn flat_mut(&mut self) -> &mut [f32] {
        self.memory.write(self.all())
    }

    /// All tensors.
    #[must_use]
    pub fn tensors(&self) -> Tensors<'_> {
        Tensors { flat: self.flat(), borders: &self.borders }
    }

    /// The tensor with this index.
    ///
    /// # Panics
    /// If there are not as many.
    #[must_use]
    pub fn get(&self, index: usize) -> &[f32] {
        self.memory.read(self.span(index))
    }

    /// The tensor with this index, mutably.
    ///
    /// # Panics
    /// If there are not as many.
    #[must_use]
    pub fn get_mut(&mut self, index: usize) -> &mut [f32] {
        self.memory.write(self.span(index))
    }

    /// Each tensor, mutably.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let all = self.all();
        let mut rest = self.memory.write(all);
        self.borders.windows(2).map(move |border| {
            let (tensor, others) = std::mem::take(&mut rest).split_at_mut(border[1] - border[0]);
            rest = others;
            tensor
        })
    }

    /// The tensors of these indices, mutably, in their order. An index that occurs again yields an empty slice.
    /// Up to 16 need no allocation.
    ///
    /// # Panics
    /// If there are not as many tensors.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an iterator that is read several times, each time as a clone"
    )]
    pub fn select_mut(&mut self, indices: impl Iterator<Item = usize> + Clone) -> Slices<'_> {
        let mut selected = Slices::new(indices.clone().map(|_| &mut [][..]));
        let all = self.all();
        let mut rest = self.memory.write(all);
        // They are split off in ascending order, whatever the order of the indices.
        let (mut least, mut start) = (0, 0);
        let next = |least: usize| {
            let left = indices.clone().enumerate().filter(|(_, index)| *index >= least);
            left.min_by_key(|(_, index)| *index)
        };
        while let Some((place, index)) = next(least) {
            let (from, to) = (self.borders[index], self.borders[index + 1]);
            let (_, others) = std::mem::take(&mut rest).split_at_mut(from - start);
            let (tensor, others) = others.split_at_mut(to - from);
            selected.get()[place] = tensor;
            (rest, start, least) = (others, to, index + 1);
        }
        selected
    }

    fn all(&self) -> Span {
        Span { start: 0, length: self.memory.len() }
    }

    fn span(&self, index: usize) -> Span {
        let start = self.borders[index];
        Span { start, length: self.borders[index + 1] - start }
    }
}

/// The tensors of a [`TensorArena`], or some adjacent ones of them.
#[derive(Clone, Copy, Debug)]
pub struct Tensors<'a> {
    /// Their elements.
    flat: &'a [f32],
    /// Where each tensor starts, then where the last one ends, counted from the start of the arena.
    borders: &'a [usize],
}

impl<'a> Tensors<'a> {
    /// Each tensor.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a [f32]> {
        (0..self.count()).map(move |index| self.get(index))
    }

    /// The tensor with this index.
    ///
    /// # Panics
    /// If there are not as many.
    #[must_use]
    pub fn get(self, index: usize) -> &'a [f32] {
        let first = self.borders[0];
        &self.flat[self.borders[index] - first..self.borders[index + 1] - first]
    }
}

/// A list of tensors that threads can divide among themselves: a slice of vectors, or the [`Tensors`] of an arena.
pub trait TensorList: Copy + Send + Sync {
    /// The number of tensors.
    fn count(self) -> usize;

    /// The elements of the tensor with this index.
    fn tensor(&self, index: usize) -> &[f32];

    /// The tensors before the one with this index, and the others.
    fn divide(self, index: usize) -> (Self, Self);

    /// The number of elements of all tensors.
    fn elements(self) -> usize {
        (0..self.count()).map(|index| self.tensor(index).len()).sum()
    }
}

impl<T: AsRef<[f32]> + Sync> TensorList for &[T] {
    fn count(self) -> usize {
        self.len()
    }

    fn tensor(&self, index: usize) -> &[f32] {
        self[index].as_ref()
    }

    fn divide(self, index: usize) -> (Self, Self) {
        self.split_at(index)
    }
}

impl TensorList for Tensors<'_> {
    fn count(self) -> usize {
        self.borders.len() - 1
    }

    fn tensor(&self, index: usize) -> &[f32] {
        self.get(index)
    }

    fn divide(self, index: usize) -> (Self, Self) {
        let border = self.borders[index];
        let (flat, other_flat) = self.flat.split_at(border - self.borders[0]);
        let (borders, other_borders) = (&self.borders[..=index], &self.borders[index..]);
        (Self { flat, borders }, Self { flat: other_flat, borders: other_borders })
    }

    fn elements(self) -> usize {
        self.flat.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tensors of 2, 0, 3 and 1 elements, numbered from 0.
    fn arena() -> TensorArena {
        let mut arena = TensorArena::new([2, 0, 3, 1]).unwrap();
        for (number, value) in arena.flat_mut().iter_mut().enumerate() {
            *value = number as f32;
        }
        arena
    }

    #[test]
    fn tensors_are_adjacent_parts_of_one_slice() {
        let mut arena = arena();
        let expected: [&[f32]; 4] = [&[0.0, 1.0], &[], &[2.0, 3.0, 4.0], &[5.0]];
        assert_eq!(arena.count(), 4);
        assert!(arena.tensors().iter().eq(expected));
        assert!((0..4).map(|index| arena.get(index)).eq(expected));
        assert!(arena.iter_mut().map(|tensor| &*tensor).eq(expected));
        arena.get_mut(2).fill(7.0);
        assert_eq!(arena.flat(), [0.0, 1.0, 7.0, 7.0, 7.0, 5.0]);
        assert!(TensorArena::new([usize::MAX, 1]).is_err());
    }

    #[test]
    fn selected_tensors_have_the_order_of_their_indices() {
        let mut arena = arena();
        let selected = |arena: &mut TensorArena, indices: &[usize]| {
            let mut tensors = arena.select_mut(indices.iter().copied());
            tensors.get().iter().map(|tensor| tensor.to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(selected(&mut arena, &[3, 0, 1]), [vec![5.0], vec![0.0, 1.0], vec![]]);
        assert_eq!(selected(&mut arena, &[2, 3]), [vec![2.0, 3.0, 4.0], vec![5.0]]);
        assert_eq!(selected(&mut arena, &[3, 3]), [vec![5.0], vec![]]);
        assert!(selected(&mut arena, &[]).is_empty());
        let many: Vec<usize> = (0..20).rev().collect();
        let mut long = TensorArena::new(0..20).unwrap();
        let mut tensors = long.select_mut(many.iter().copied());
        assert!(tensors.get().iter().map(|tensor| tensor.len()).eq((0..20).rev()));
    }

    #[test]
    fn divided_list_has_the_same_tensors() {
        let arena = arena();
        for index in 0..=4 {
            let (left, right) = arena.tensors().divide(index);
            assert_eq!((left.count(), left.count() + right.count()), (index, 4));
            assert!(left.iter().chain(right.iter()).eq(arena.tensors().iter()), "{index}");
            assert_eq!(left.elements() + right.elements(), 6);
            let (_, last) = right.divide(right.count());
            assert_eq!(last.elements(), 0);
        }
    }
}
