//! Losses of one class for each of many places, and their gradients in the same pass: the cross entropy of maps, and the focal
//! loss of rows and maps. Places are computed side by side, so the number of classes may be small and their axis the slower one.
//!
//! With logits `z` of a place, target class `c` of weight `w_c`, `p = softmax(z)` and `q = 1 - p_c`:
//!
//! | loss | per place | derivative by `z_k` |
//! | --- | --- | --- |
//! | focal, `gamma >= 0` | `-w_c q^gamma ln p_c` | `a (p_k - [k = c])`, `a = w_c (q^gamma - gamma q^(gamma - 1) p_c ln p_c)` |
//! | smoothed, `e > 0` | `-(1 - e) w_c ln p_c - e mean_k(w_k ln p_k)` | `a p_k - (1 - e) w_c [k = c] - e w_k / classes`, `a = (1 - e) w_c + e mean_k(w_k)` |
//!
//! A `gamma` of 0 is cross entropy. `q` is a sum of the other exponentials, so it is accurate also where `p_c` is almost 1. A place whose
//! target is the ignored one has no loss and the gradient 0, whatever its logits.
//!
//! # Source
//! Lin et al., "Focal loss for dense object detection", 2017. Label smoothing: Szegedy et al., "Rethinking the Inception
//! architecture", 2016, in PyTorch's form.

mod tile;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::reduce::WIDE;
use crate::scratch;
use crate::shared::Shared;
use crate::sizes::elements;
use crate::threads;

/// A loss of classes.
///
/// ```
/// use trainspec_kernels::class_loss::{ClassLoss, Layout};
///
/// // A map of two classes and one pixel.
/// let loss = ClassLoss::new(Layout::ClassesFirst, [1, 2, 1]);
/// let mut d = [0.0; 2];
/// let sum = loss.forward_backward(&[3.0, 3.0], &[1], &mut d);
/// assert!((sum - 2.0_f64.ln()).abs() < 1e-7);
/// assert_eq!(d, [0.5, -0.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ClassLoss<'a> {
    /// The order of the logits.
    pub layout: Layout,
    /// The number of samples.
    pub samples: usize,
    /// The number of classes.
    pub classes: usize,
    /// The number of places of a sample.
    pub places: usize,
    /// The part of the target that is spread over all classes, from 0 to below 1; 0 if `gamma` is above 0.
    pub label_smoothing: f32,
    /// How much less a place counts as its probability rises; 0 is cross entropy.
    pub gamma: f32,
    /// The weight of each class, 0 or more; if empty, all are 1.
    pub weights: &'a [f32],
    /// The target whose places are ignored; it need not be a class.
    pub ignored: Option<u32>,
}

/// The order of the logits of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[samples, classes, places]`, as in maps.
    ClassesFirst,
    /// `[samples, places, classes]`, as in rows.
    ClassesLast,
}

/// The maximum number of blocks of tiles.
const BLOCKS: usize = 64;

/// The places of a tile, all of one sample.
#[derive(Clone, Copy)]
struct Part {
    sample: usize,
    /// The first place.
    start: usize,
    /// At most [`WIDE`].
    count: usize,
}

impl ClassLoss<'_> {
    /// Cross entropy of `[samples, classes, places]`, without weights and an ignored target.
    #[must_use]
    pub const fn new(layout: Layout, [samples, classes, places]: [usize; 3]) -> Self {
        Self {
            layout,
            samples,
            classes,
            places,
            label_smoothing: 0.0,
            gamma: 0.0,
            weights: &[],
            ignored: None,
        }
    }

    /// The sum of the losses of all places.
    ///
    /// # Shapes
    /// `logits`: as [`Layout`] states; `targets`: `[samples, places]`, the target classes.
    ///
    /// # Panics
    /// If a slice has the wrong length, or a target is neither below `classes` nor ignored.
    #[must_use]
    pub fn forward(&self, logits: &[f32], targets: &[u32]) -> f64 {
        self.check(logits, targets);
        self.run::<false>(logits, targets, &mut [])
    }

    /// The sum of the losses of all places, bit-identical to [`ClassLoss::forward`], and writes its gradient to `d_logits`.
    ///
    /// # Panics
    /// As [`ClassLoss::forward`]; `d_logits` is as long as `logits`.
    pub fn forward_backward(&self, logits: &[f32], targets: &[u32], d_logits: &mut [f32]) -> f64 {
        self.check(logits, targets);
        assert_eq!(d_logits.len(), logits.len(), "d_logits is as long as logits");
        self.run::<true>(logits, targets, d_logits)
    }

    fn check(&self, logits: &[f32], targets: &[u32]) {
        let Self { samples, classes, places, .. } = *self;
        assert_eq!(
            logits.len(),
            elements([samples, classes, places]),
            "logits have all classes of all places"
        );
        assert_eq!(targets.len(), elements([samples, places]), "targets are [samples, places]");
        assert!(
            self.weights.is_empty() || self.weights.len() == self.classes,
            "weights are none or [classes]"
        );
        assert!(self.gamma == 0.0 || self.label_smoothing == 0.0, "a focal loss has no label smoothing");
        let is_wrong = |target: u32| target as usize >= classes && self.ignored != Some(target);
        if let Some(target) = targets.iter().find(|target| is_wrong(**target)) {
            panic!("target {target} is not below the number of classes, {classes}");
        }
    }

    fn run<const GRADIENT: bool>(&self, logits: &[f32], targets: &[u32], d_logits: &mut [f32]) -> f64 {
        let tiles = self.samples * self.tiles();
        let block = self.block(tiles);
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..tiles.div_ceil(block)];
        let d = Shared::new(d_logits);
        threads::chunks(sums, 1, |number, sum| {
            let tiles = number * block..tiles.min((number + 1) * block);
            sum[0] = scratch::with(self.classes * WIDE, |tile| {
                let tile = tile.as_chunks_mut().0;
                if self.label_smoothing > 0.0 {
                    tile::losses::<GRADIENT, true>(self, logits, targets, &d, tiles, tile)
                } else {
                    tile::losses::<GRADIENT, false>(self, logits, targets, &d, tiles, tile)
                }
            });
        });
        sums.iter().sum()
    }

    /// The tiles of a sample.
    fn tiles(&self) -> usize {
        self.places.div_ceil(WIDE)
    }

    /// The tiles of a block.
    fn block(&self, tiles: usize) -> usize {
        /// The number of logits that makes another thread worthwhile.
        const LOGITS: usize = 16 * 1024;
        LOGITS.div_ceil(WIDE * self.classes.max(1)).max(tiles.div_ceil(BLOCKS))
    }

    fn part(&self, tile: usize) -> Part {
        let tiles = self.tiles();
        let start = tile % tiles * WIDE;
        Part { sample: tile / tiles, start, count: WIDE.min(self.places - start) }
    }

    /// Where the targets of a tile are.
    fn targets(&self, part: Part) -> Range<usize> {
        let start = part.sample * self.places + part.start;
        start..start + part.count
    }

    /// Where the logits of a class of a tile are, with [`Layout::ClassesFirst`].
    fn run_of(&self, part: Part, class: usize) -> Range<usize> {
        let start = (part.sample * self.classes + class) * self.places + part.start;
        start..start + part.count
    }

    /// Where the logits of a place of a tile are, with [`Layout::ClassesLast`].
    fn row_of(&self, part: Part, lane: usize) -> Range<usize> {
        let start = (part.sample * self.places + part.start + lane) * self.classes;
        start..start + self.classes
    }

    /// The weight of a class.
    fn weight(&self, class: usize) -> f32 {
        self.weights.get(class).copied().unwrap_or(1.0)
    }
}
