//! Patterns in a data set that suggest a mistake.

use super::{BatchTensor, Numbers};
use crate::shape::Shape;

/// Images with fewer or more channels are not checked: with one there is no order, and with many, neighbors need not be
/// alike.
const CHANNELS: std::ops::RangeInclusive<usize> = 2..=4;

/// Neighboring pixels are alike. Where a value differs from the one at a distance of the number of channels by less
/// than this share of its difference to the next one, the axes are probably swapped.
const ALIKE: f64 = 0.5;

/// Patterns in one input and one target of the training samples, collected while every sample is read once.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    samples: usize,
    /// Whether every target so far was the token that follows in the input.
    next_tokens: bool,
    /// Whether all targets so far were 0 or 1, and which of these occurred.
    zero_or_one: bool,
    seen: [bool; 2],
    /// The channels of an image, if their order is checked.
    channels: Option<usize>,
    /// The sums of the differences to the next value, and to the one at a distance of the number of channels.
    differences: [f64; 2],
}

impl Patterns {
    /// The state before the first sample of these shapes.
    pub(super) fn new(input: Shape, target: Shape) -> Self {
        let is_sequence =
            |shape: Shape| shape.vocabulary().is_some() && shape.rank() == 1 && shape.elements() > 1;
        let channels = match *input.axes() {
            [channels, _, width] if input.vocabulary().is_none() && width > channels => Some(channels),
            _ => None,
        };
        Self {
            samples: 0,
            next_tokens: is_sequence(input) && is_sequence(target) && input.elements() == target.elements(),
            zero_or_one: target.vocabulary().is_none() && target.elements() > 0,
            seen: [false; 2],
            channels: channels.filter(|channels| CHANNELS.contains(channels)),
            differences: [0.0; 2],
        }
    }

    /// Adds the training samples of a batch.
    pub(super) fn add(&mut self, input: &BatchTensor, target: &BatchTensor, size: usize, learned: &[bool]) {
        for (sample, _) in learned.iter().enumerate().take(size).filter(|(_, learned)| **learned) {
            self.samples += 1;
            match (input.sample(sample), target.sample(sample)) {
                (Numbers::Int(input), Numbers::Int(target)) if self.next_tokens => {
                    self.next_tokens = input.get(1..) == target.get(..target.len() - 1);
                }
                (input, target) => {
                    if let (Numbers::Float(numbers), Some(channels)) = (input, self.channels) {
                        self.compare(numbers, channels);
                    }
                    if let (Numbers::Float(targets), true) = (target, self.zero_or_one) {
                        self.look(targets);
                    }
                }
            }
        }
    }

    fn compare(&mut self, numbers: &[f32], channels: usize) {
        let apart = |places: usize| {
            let pairs = numbers.iter().zip(numbers.get(places..).unwrap_or_default());
            let (sum, count) = pairs.fold((0.0, 0_usize), |(sum, count), (a, b)| {
                (sum + (f64::from(*a) - f64::from(*b)).abs(), count + 1)
            });
            sum / count.max(1) as f64
        };
        self.differences[0] += apart(1);
        self.differences[1] += apart(channels);
    }

    fn look(&mut self, targets: &[f32]) {
        for &target in targets {
            if target == 0.0 {
                self.seen[0] = true;
            } else if target.to_bits() == 1.0_f32.to_bits() {
                self.seen[1] = true;
            } else {
                self.zero_or_one = false;
                return;
            }
        }
    }

    /// Returns whether every target of a sequence, except the last of a sample, is the token that follows in the input.
    pub(crate) fn next_tokens(&self) -> bool {
        self.next_tokens && self.samples > 1
    }

    /// Returns whether every real target is 0 or 1, and both occur.
    pub(crate) fn zero_or_one(&self) -> bool {
        self.zero_or_one && self.seen == [true; 2]
    }

    /// Returns whether images look as if their channels were the last axis, not the first.
    pub(crate) fn channels_last(&self) -> bool {
        let [next, channels_on] = self.differences;
        self.channels.is_some() && channels_on < ALIKE * next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Elements;

    fn column((shape, elements): (Shape, Elements)) -> BatchTensor {
        BatchTensor { shape, elements }
    }

    fn tokens(input: &[u32], target: &[u32], learned: &[bool]) -> bool {
        let shape = Shape::tokens(9, 3);
        let mut patterns = Patterns::new(shape, shape);
        let columns = [input, target].map(|tokens| (shape, Elements::Int(tokens.to_vec())));
        let [input, target] = columns.map(column);
        patterns.add(&input, &target, learned.len(), learned);
        patterns.next_tokens()
    }

    #[test]
    fn next_token_targets_are_detected() {
        let input = [1, 2, 3, 4, 5, 6];
        assert!(tokens(&input, &[2, 3, 8, 5, 6, 0], &[true; 2]));
        assert!(!tokens(&input, &[2, 3, 8, 5, 7, 0], &[true; 2]));
        // A single sample may match by chance.
        assert!(!tokens(&input, &[2, 3, 8, 5, 7, 0], &[true, false]));
    }

    #[test]
    fn binary_targets_are_detected() {
        let shape = Shape::of(&[2]);
        let of = |targets: &[f32]| {
            let mut patterns = Patterns::new(shape, shape);
            let [input, target] =
                [&[0.5; 4], targets].map(|numbers| (shape, Elements::Float(numbers.to_vec())));
            patterns.add(&column(input), &column(target), 2, &[true; 2]);
            patterns.zero_or_one()
        };
        assert!(of(&[0.0, 1.0, 1.0, 0.0]));
        assert!(!of(&[0.0, 0.0, 0.0, 0.0]) && !of(&[0.0, 1.0, 1.0, 0.5]));
    }

    /// A gradient in two colors, `[channels, height, width]` and the other way round.
    #[test]
    fn channels_last_layout_is_detected() {
        let pixel = |channel: usize, x: usize, y: usize| (channel * 5) as f32 + (x + y) as f32 * 0.1;
        let shape = Shape::of(&[2, 4, 4]);
        let is_last = |numbers: Vec<f32>| {
            let target = (Shape::of(&[1]), Elements::Float(vec![0.5]));
            let mut patterns = Patterns::new(shape, target.0);
            patterns.add(&column((shape, Elements::Float(numbers))), &column(target), 1, &[true]);
            patterns.channels_last()
        };
        let first = (0..2).flat_map(|c| (0..16).map(move |i| pixel(c, i % 4, i / 4))).collect();
        let last = (0..16).flat_map(|i| (0..2).map(move |c| pixel(c, i % 4, i / 4))).collect();
        let noise = (0..32).map(|i| (i as f32 * 12.9).sin() * 43.7 % 1.0).collect();
        assert!(!is_last(first) && is_last(last) && !is_last(noise));
    }
}
