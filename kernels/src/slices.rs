//! Lists of mutable slices.

/// Slices for which no list has to be allocated: the parameters of two bidirectional LSTM layers.
const FEW: usize = 16;

/// A list of slices: inline if they are few.
#[derive(Debug, Default)]
pub struct Slices<'a> {
    few: [&'a mut [f32]; FEW],
    count: usize,
    /// All of them if they are more.
    many: Vec<&'a mut [f32]>,
}

impl<'a> Slices<'a> {
    pub(crate) fn new(slices: impl Iterator<Item = &'a mut [f32]>) -> Self {
        let mut list = Self::default();
        slices.for_each(|slice| list.push(slice));
        list
    }

    /// The elements before `at` of each slice, and the others.
    pub(crate) fn split(slices: &'a mut [&mut [f32]], at: usize) -> (Self, Self) {
        let (mut left, mut right) = (Self::default(), Self::default());
        for slice in slices {
            let (before, after) = slice.split_at_mut(at);
            left.push(before);
            right.push(after);
        }
        (left, right)
    }

    fn push(&mut self, slice: &'a mut [f32]) {
        if let Some(place) = self.few.get_mut(self.count) {
            *place = slice;
        } else {
            if self.many.is_empty() {
                self.many.extend(self.few.iter_mut().map(std::mem::take));
            }
            self.many.push(slice);
        }
        self.count += 1;
    }

    /// The slices.
    #[must_use]
    pub fn get(&mut self) -> &mut [&'a mut [f32]] {
        if self.many.is_empty() { &mut self.few[..self.count] } else { &mut self.many }
    }
}
