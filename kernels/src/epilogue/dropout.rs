//! Dropout factors, drawn for a run of elements.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::Dropout;
use crate::philox::{WORDS, draw};

impl Dropout {
    /// The factor of the element of `word`.
    #[inline(always)]
    pub(super) fn factor(&self, word: u32) -> f32 {
        if word < self.threshold { 0.0 } else { self.scale }
    }
}

/// The factors of the elements of a run, 0 or the scale of dropout: a buffer for `ROOM` words.
pub(crate) struct Factors<const ROOM: usize>([f32; ROOM]);

impl<const ROOM: usize> Factors<ROOM> {
    /// Factors without dropout.
    pub(crate) const ONES: Self = Self([1.0; ROOM]);

    /// Draws the factors of `count` elements from index `first` of the stream on; returns where the first
    /// of them stands. With `first % 4` before them they fill at most `ROOM`, which is a multiple of 32.
    #[inline(always)]
    pub(crate) fn draw(&mut self, dropout: &Dropout, first: u64, count: usize) -> usize {
        const { assert!(ROOM.is_multiple_of(WORDS)) };
        let skipped = (first % 4) as usize;
        let mut words = [0; ROOM];
        let groups = (skipped + count).div_ceil(WORDS);
        draw(&mut words.as_chunks_mut().0[..groups], (first / 4) as u32, dropout.key, dropout.place);
        for (factor, word) in self.0.iter_mut().zip(words) {
            *factor = dropout.factor(word);
        }
        skipped
    }

    /// The factors from `start` on.
    #[inline(always)]
    pub(crate) fn from(&self, start: usize) -> &[f32] {
        &self.0[start..]
    }
}
