//! Tiled multi-head scaled dot-product attention.
//!
//! `y = dropout(softmax(q k^T / sqrt(width))) v` for each sample and head. The matrix of attention weights is
//! never materialized: the kernel processes one block of queries and one block of keys at a time, updates the softmax
//! for each block of keys, and saves one value per row for backward, the logarithm of the sum of the
//! exponentials. Backward recomputes the weights from it. With `causal`, tiles that no query attends to are
//! skipped.
//!
//! # Source
//! Vaswani et al., "Attention is all you need", 2017; the tiles: Dao et al., "`FlashAttention`", 2022, and
//! Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.

mod backward;
mod forward;
mod tile;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use crate::epilogue::Dropout;
use crate::matmul::View;
use crate::shared::Shared;
use crate::sizes::elements;
use crate::{simd, threads};

/// The number of queries per tile.
const QUERIES: usize = 64;
/// The number of keys per tile.
const KEYS: usize = 128;
// The first key of a tile that some query of it sees is then seen by all of them.
const _: () = assert!(KEYS.is_multiple_of(QUERIES));

/// The sizes and options of an attention.
///
/// ```
/// use trainspec_kernels::attention::Attention;
///
/// let attention = Attention { batch: 1, length: 2, heads: 1, width: 1, causal: true, dropout: None };
/// // Query, key and value of two positions; the first attends only to itself, and the second sees equal keys.
/// let qkv = [1.0, 1.0, 4.0, 1.0, 1.0, 6.0];
/// let (mut y, mut log_sums) = ([0.0; 2], [0.0; 2]);
/// attention.forward(&qkv, &mut y, &mut log_sums);
/// assert_eq!(y, [4.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// The number of samples.
    pub batch: usize,
    /// The number of positions per sample.
    pub length: usize,
    /// The number of heads.
    pub heads: usize,
    /// The width of a head.
    pub width: usize,
    /// Whether a position attends only to itself and earlier positions.
    pub causal: bool,
    /// Dropout of the weights: the element of sample `b`, head `h`, query `i` and key `j` has the
    /// index `((b * heads + h) * length + i) * length + j`, seen or not.
    pub dropout: Option<Dropout>,
}

impl Attention {
    /// Writes the weighted means of the values to `y`, and the data for backward to `log_sums`.
    ///
    /// # Shapes
    /// `qkv`: `[batch, length, 3 * heads * width]`, the queries, the keys and the values of all heads side by
    /// side; `y`: `[batch, length, heads * width]`; `log_sums`: `[batch, heads, length]`, for each query
    /// `ln(sum(exp(q k^T / sqrt(width))))` over the keys that it sees.
    ///
    /// # Panics
    /// If a slice has the wrong length, or with dropout if there are more than 2^34 weights, the length of a
    /// Philox stream.
    pub fn forward(&self, qkv: &[f32], y: &mut [f32], log_sums: &mut [f32]) {
        self.check(qkv, y, log_sums);
        let (y, log_sums) = (Shared::new(y), Shared::new(log_sums));
        self.each_head(|head| forward::head(&head, qkv, &y, &log_sums));
    }

    /// Writes the gradient of `qkv` to `dqkv`, from that of `y`, `dy`; the previous contents of `dqkv` are not read.
    ///
    /// `y` and `log_sums` are the outputs of [`Attention::forward`] for the same `qkv`.
    ///
    /// With the weights `p`, the mask of dropout times its scale `m` and `d_i = dy_i . y_i`:
    /// `dv = (p m)^T dy`, `ds = p (m (dy v^T) - d) / sqrt(width)`, `dq = ds k`, `dk = ds^T q`.
    ///
    /// # Panics
    /// As [`Attention::forward`].
    pub fn backward(&self, qkv: &[f32], y: &[f32], log_sums: &[f32], dy: &[f32], dqkv: &mut [f32]) {
        self.check(qkv, y, log_sums);
        assert_eq!(dy.len(), y.len(), "the gradient of y is as long as y");
        assert_eq!(dqkv.len(), qkv.len(), "the gradient of qkv is as long as qkv");
        let dqkv = Shared::new(dqkv);
        self.each_head(|head| backward::head(&head, qkv, y, log_sums, dy, &dqkv));
    }

    fn check(&self, qkv: &[f32], y: &[f32], log_sums: &[f32]) {
        let places = elements([self.batch, self.length]);
        assert_eq!(
            qkv.len(),
            elements([places, 3, self.heads, self.width]),
            "qkv is [batch, length, 3 heads width]"
        );
        assert_eq!(y.len(), elements([places, self.heads, self.width]), "y is [batch, length, heads width]");
        assert_eq!(log_sums.len(), elements([places, self.heads]), "log_sums is [batch, heads, length]");
        if self.dropout.is_some() {
            let weights = self.batch as u128 * self.heads as u128 * (self.length as u128).pow(2);
            assert!(weights <= 1 << 34, "a Philox stream has 2^34 words");
        }
    }

    /// Runs `run` for each head of each sample, each once.
    fn each_head(&self, run: impl Fn(Head<'_>) + Sync + Send) {
        /// The number of operations that makes another thread worthwhile.
        const OPERATIONS: usize = 1 << 16;
        let count = elements([self.batch, self.heads]);
        let operations = elements([4, self.length, self.length, self.width]);
        let group = (OPERATIONS / operations.max(1)).clamp(1, count.max(1));
        threads::for_each(count.div_ceil(group), |block| {
            for number in block * group..((block + 1) * group).min(count) {
                run(Head { attention: self, sample: number / self.heads, number: number % self.heads });
            }
        });
    }
}

/// One head of one sample.
struct Head<'a> {
    attention: &'a Attention,
    sample: usize,
    number: usize,
}

/// Queries, keys or values.
#[derive(Clone, Copy)]
enum Part {
    Query,
    Key,
    Value,
}

impl Head<'_> {
    /// The elements of `part` at a position, in `qkv`.
    fn of_qkv(&self, part: Part, place: usize) -> std::ops::Range<usize> {
        let Attention { length, heads, width, .. } = *self.attention;
        let first = (((self.sample * length + place) * 3 + part as usize) * heads + self.number) * width;
        first..first + width
    }

    /// The elements at a position in `y`.
    fn of_y(&self, place: usize) -> std::ops::Range<usize> {
        let Attention { length, heads, width, .. } = *self.attention;
        let first = ((self.sample * length + place) * heads + self.number) * width;
        first..first + width
    }

    /// The elements of this head in `log_sums`.
    fn of_log_sums(&self) -> std::ops::Range<usize> {
        let Attention { length, heads, .. } = *self.attention;
        let first = (self.sample * heads + self.number) * length;
        first..first + length
    }

    /// `part` of all positions as the columns of a matrix.
    fn columns<'a>(&self, qkv: &'a [f32], part: Part) -> View<'a> {
        let Attention { length, heads, width, .. } = *self.attention;
        let first = self.of_qkv(part, 0).start.min(qkv.len());
        View::with_stride(&qkv[first..], length, width, 3 * heads * width).transposed()
    }

    /// The factor of the queries.
    fn scale(&self) -> f32 {
        (1.0 / (self.attention.width as f64).sqrt()) as f32
    }

    /// The blocks of queries.
    fn queries(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let length = self.attention.length;
        (0..length).step_by(QUERIES).map(move |first| first..(first + QUERIES).min(length))
    }

    /// The tiles of a block of queries, with all keys that one of them sees.
    fn tiles(&self, queries: std::ops::Range<usize>) -> impl Iterator<Item = tile::Tile> + use<> {
        let Attention { length, causal, dropout, .. } = *self.attention;
        let end = if causal { queries.end } else { length };
        let first_row = (self.sample * self.attention.heads + self.number) * length + queries.start;
        (0..end).step_by(KEYS).map(move |first| tile::Tile {
            first_query: queries.start,
            rows: queries.len(),
            first_key: first,
            columns: KEYS.min(end - first),
            causal,
            dropout,
            first_weight: first_row as u64 * length as u64 + first as u64,
            length,
        })
    }

    /// Copies `part` of the positions `places` contiguously, each times `scale`.
    fn gather(&self, qkv: &[f32], part: Part, places: std::ops::Range<usize>, scale: f32, into: &mut [f32]) {
        let Attention { heads, width, .. } = *self.attention;
        let first = self.of_qkv(part, places.start).start.min(qkv.len());
        scaled_rows(&qkv[first..], 3 * heads * width, scale, &mut into[..places.len() * width], width);
    }
}

simd! {
    /// Copies rows of `width` elements, `stride` apart, contiguously into `into`, each times `scale`.
    fn scaled_rows(from: &[f32], stride: usize, scale: f32, into: &mut [f32], width: usize) {
        for (number, row) in into.chunks_exact_mut(width.max(1)).enumerate() {
            for (to, from) in row.iter_mut().zip(&from[number * stride..][..width]) {
                *to = from * scale;
            }
        }
    }
}
