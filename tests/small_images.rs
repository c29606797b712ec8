//! Data for small runs.

use trainspec::Result;
use trainspec::prelude::*;

/// 42 images whose brightness depends on their class: 30 for training.
pub struct SmallImages;

impl Dataset for SmallImages {
    type Input = Image<1, 6, 6>;
    type Target = Class<3>;

    fn len(&self) -> usize {
        42
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        for (place, value) in input.iter_mut().enumerate() {
            let noise = (index * 7919 + place * 104_729) % 101;
            *value = noise as f32 / 50.0 - 1.0 + if place % 3 == index % 3 { 0.5 } else { 0.0 };
        }
        target.fill((index % 3) as u32);
        Ok(())
    }

    fn split(&self) -> Split {
        Split::Fixed { train: 0..30, validation: 30..36, test: 36..42 }
    }
}
