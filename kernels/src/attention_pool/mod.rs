//! Attention pooling of sequences: the softmax of scores over the positions, and the weighted means of the values.
//!
//! With the scores `s_i,h` of position `i` and head `h`, divided by `sqrt(features)`, `a_h = softmax_i(s_h / sqrt(features))`, and part `h` of the
//! output is `sum_i a_i,h x_i`, of that part of the features of `x_i`. From the gradient `d` of the output, that of the weight `a_i,h` is
//! `e_i,h = d_h x_i`, and that of the score `a_i,h (e_i,h - sum_j a_j,h e_j,h) / sqrt(features)`.
//!
//! # Source
//! Yang et al., "Hierarchical attention networks for document classification", 2016; Lee et al., "Set transformer", 2019.

#[cfg(test)]
mod tests;

use crate::math::exp;
use crate::matmul::WriteMode;
use crate::reduce::{WIDE, Wide, put, sums};
use crate::sizes::elements;
use crate::{simd, threads};

/// The sizes of an attention pooling.
///
/// ```
/// use trainspec_kernels::attention_pool::AttentionPool;
///
/// let pool = AttentionPool { batch: 1, length: 2, features: 2, heads: 1 };
/// // Equal scores: the mean.
/// let (mut weights, mut y) = ([3.0; 2], [0.0; 2]);
/// pool.forward(&[1.0, 2.0, 3.0, 6.0], &mut weights, &mut y);
/// assert_eq!((weights, y), ([0.5; 2], [2.0, 4.0]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AttentionPool {
    /// The number of sequences.
    pub batch: usize,
    /// The number of positions of a sequence.
    pub length: usize,
    /// The number of features of a position.
    pub features: usize,
    /// The number of heads, which divides the features.
    pub heads: usize,
}

impl AttentionPool {
    /// Replaces scores by weights, and writes the weighted means to `y`.
    ///
    /// # Shapes
    /// `x`: `[batch, length, features]`; `weights`: `[batch, length, heads]`; `y`: `[batch, features]`.
    ///
    /// # Panics
    /// If a slice has the wrong length, or `heads` does not divide `features`.
    pub fn forward(&self, x: &[f32], weights: &mut [f32], y: &mut [f32]) {
        self.check(x, weights, y);
        let (sequence, each) = (self.length * self.features, self.length * self.heads);
        let block = self.block();
        threads::chunks2((weights, block * each), (y, block * self.features), |number, weights, y| {
            let results = weights.chunks_exact_mut(each).zip(y.chunks_exact_mut(self.features));
            for (sample, (weights, y)) in (number * block..).zip(results) {
                normalize(self.heads, self.factor(), weights);
                means(self, &x[sample * sequence..][..sequence], weights, y);
            }
        });
    }

    /// Writes the gradient of the scores, from that of the means, `d`.
    ///
    /// # Shapes
    /// `d`: `[batch, features]`; `d_scores`: as `weights`.
    ///
    /// # Panics
    /// As [`AttentionPool::forward`].
    pub fn backward_scores(&self, x: &[f32], weights: &[f32], d: &[f32], d_scores: &mut [f32]) {
        self.check(x, weights, d);
        assert_eq!(d_scores.len(), weights.len(), "d_scores is as long as the weights");
        let (sequence, each) = (self.length * self.features, self.length * self.heads);
        let block = self.block();
        threads::chunks(d_scores, block * each, |number, d_scores| {
            for (sample, d_scores) in (number * block..).zip(d_scores.chunks_exact_mut(each)) {
                let x = &x[sample * sequence..][..sequence];
                let weights = &weights[sample * each..][..each];
                scores_gradient(self, x, weights, &d[sample * self.features..][..self.features], d_scores);
            }
        });
    }

    /// Writes the gradient of the values, `x`, without that through the scores.
    ///
    /// # Panics
    /// As [`AttentionPool::forward`].
    pub fn backward_values(&self, weights: &[f32], d: &[f32], (dx, onto): (&mut [f32], WriteMode)) {
        self.check(dx, weights, d);
        let (sequence, each) = (self.length * self.features, self.length * self.heads);
        let block = self.block();
        threads::chunks(dx, block * sequence, |number, dx| {
            for (sample, dx) in (number * block..).zip(dx.chunks_exact_mut(sequence)) {
                let weights = &weights[sample * each..][..each];
                spread(self, weights, &d[sample * self.features..][..self.features], dx, onto);
            }
        });
    }

    fn check(&self, x: &[f32], weights: &[f32], y: &[f32]) {
        let Self { batch, length, features, heads } = *self;
        assert!(length > 0 && features > 0, "a sequence has at least one element");
        assert!(heads > 0 && features.is_multiple_of(heads), "heads divide the features");
        assert_eq!(x.len(), elements([batch, length, features]), "x is [batch, length, features]");
        assert_eq!(weights.len(), elements([batch, length, heads]), "weights are [batch, length, heads]");
        assert_eq!(y.len(), elements([batch, features]), "y is [batch, features]");
    }

    fn factor(&self) -> f32 {
        (1.0 / (self.features as f64).sqrt()) as f32
    }

    /// The number of sequences per block.
    fn block(&self) -> usize {
        let each = self.length * self.features;
        (threads::block(self.batch * each, each) / each).max(1)
    }
}

simd! {
    /// The softmax of the scores of each head over the positions.
    fn normalize(heads: usize, factor: f32, weights: &mut [f32]) {
        for head in 0..heads {
            let mut largest = f32::NEG_INFINITY;
            for &score in weights[head..].iter().step_by(heads) {
                // A NaN may be lost here, and reappears in the exponentials.
                largest = if score > largest { score } else { largest };
            }
            let mut sum = 0.0;
            for score in weights[head..].iter_mut().step_by(heads) {
                *score = exp(factor * (*score - largest));
                sum += f64::from(*score);
            }
            let share = (1.0 / sum) as f32;
            for weight in weights[head..].iter_mut().step_by(heads) {
                *weight *= share;
            }
        }
    }
}

simd! {
    fn means(pool: &AttentionPool, x: &[f32], weights: &[f32], y: &mut [f32]) {
        let part = pool.features / pool.heads;
        y.fill(0.0);
        for (x, weights) in x.chunks_exact(pool.features).zip(weights.chunks_exact(pool.heads)) {
            for ((x, y), &weight) in x.chunks_exact(part).zip(y.chunks_exact_mut(part)).zip(weights) {
                for (y, x) in y.iter_mut().zip(x) {
                    *y = weight.mul_add(*x, *y);
                }
            }
        }
    }
}

simd! {
    fn scores_gradient(pool: &AttentionPool, x: &[f32], weights: &[f32], d: &[f32], d_scores: &mut [f32]) {
        let (part, heads) = (pool.features / pool.heads, pool.heads);
        for (x, d_scores) in x.chunks_exact(pool.features).zip(d_scores.chunks_exact_mut(heads)) {
            for ((x, d), d_score) in x.chunks_exact(part).zip(d.chunks_exact(part)).zip(d_scores) {
                let [product] = sums([x, d], [0.0; 2], |[x, d]: [&Wide; 2], [sum]: &mut [Wide; 1]| {
                    for lane in 0..WIDE {
                        sum[lane] = x[lane].mul_add(d[lane], sum[lane]);
                    }
                });
                *d_score = product as f32;
            }
        }
        let factor = pool.factor();
        for head in 0..heads {
            let mut mean = 0.0;
            for (weight, d_score) in weights[head..].iter().step_by(heads).zip(d_scores[head..].iter().step_by(heads)) {
                mean += f64::from(*weight) * f64::from(*d_score);
            }
            let mean = mean as f32;
            let each = d_scores[head..].iter_mut().step_by(heads);
            for (weight, d_score) in weights[head..].iter().step_by(heads).zip(each) {
                *d_score = factor * (weight * (*d_score - mean));
            }
        }
    }
}

simd! {
    fn spread(pool: &AttentionPool, weights: &[f32], d: &[f32], dx: &mut [f32], onto: WriteMode) {
        let part = pool.features / pool.heads;
        for (dx, weights) in dx.chunks_exact_mut(pool.features).zip(weights.chunks_exact(pool.heads)) {
            for ((dx, d), &weight) in dx.chunks_exact_mut(part).zip(d.chunks_exact(part)).zip(weights) {
                for (dx, d) in dx.iter_mut().zip(d) {
                    put(dx, weight * d, onto);
                }
            }
        }
    }
}
