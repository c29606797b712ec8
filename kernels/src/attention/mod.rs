//! Tiled multi-head scaled dot-product attention.
//!
//! `y = dropout(softmax(q k^T / sqrt(width))) v` for each sample and head. The matrix of attention weights is
//! never materialized: the kernel processes one block of queries and one block of keys at a time, updates the softmax
//! for each block of keys, and saves one value per row for backward, the logarithm of the sum of the
//! exponentials. Backward recomputes the weights from it. With `causal`, tiles that no query attends to are
//! skipped.
//!
//! [`Attention`] has its queries, keys and values side by side in one slice. [`GroupedAttention`] has them in three, of which the
//! keys may be those of other positions and of fewer heads, and may be masked.
//!
//! # Source
//! Vaswani et al., "Attention is all you need", 2017; the tiles: Dao et al., "`FlashAttention`", 2022, and
//! Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.

mod backward;
mod forward;
mod grouped;
mod tile;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use grouped::{GroupedAttention, Inputs};

use crate::epilogue::Dropout;
use crate::matmul::{View, WriteMode};
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
        self.sizes().forward(&self.parts(qkv), y, log_sums);
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
        let target =
            |part| Some(Target { values: &dqkv, place: self.place(part), onto: WriteMode::Overwrite });
        let targets = [target(0), target(1), target(2)];
        self.sizes().backward(&self.parts(qkv), y, log_sums, dy, &targets);
    }

    fn sizes(&self) -> Sizes {
        let Self { batch, length, heads, width, causal, dropout } = *self;
        Sizes { batch, queries: length, keys: length, heads, kv_heads: heads, width, causal, dropout }
    }

    /// Where queries, keys and values are.
    fn place(&self, part: usize) -> Layout {
        let row = self.heads * self.width;
        Layout { stride: 3 * row, offset: part * row }
    }

    fn parts<'a>(&self, qkv: &'a [f32]) -> Parts<'a> {
        let rows = |part| Rows { values: qkv, place: self.place(part) };
        Parts { rows: [rows(0), rows(1), rows(2)], mask: None }
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
        self.sizes().check_dropout();
    }
}

/// All heads of all samples.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    batch: usize,
    queries: usize,
    keys: usize,
    heads: usize,
    kv_heads: usize,
    width: usize,
    causal: bool,
    dropout: Option<Dropout>,
}

impl Sizes {
    fn forward(&self, parts: &Parts<'_>, y: &mut [f32], log_sums: &mut [f32]) {
        let (y, log_sums) = (Shared::new(y), Shared::new(log_sums));
        self.each(self.heads, 1, |sample, number| {
            let head = Head { sizes: self, parts, sample, number };
            forward::head(&head, &y, &log_sums);
        });
    }

    fn backward(&self, parts: &Parts<'_>, y: &[f32], log_sums: &[f32], dy: &[f32], targets: &Targets<'_>) {
        // The query heads that share a key head add to one gradient, in their order.
        self.each(self.kv_heads, self.group(), |sample, number| {
            let first = Head { sizes: self, parts, sample, number: number * self.group() };
            backward::group(&first, y, log_sums, dy, targets);
        });
    }

    /// The number of query heads that share a key head.
    fn group(&self) -> usize {
        self.heads / self.kv_heads.max(1)
    }

    fn check_dropout(&self) {
        if self.dropout.is_some() {
            let weights = self.batch as u128 * self.heads as u128 * self.queries as u128 * self.keys as u128;
            assert!(weights <= 1 << 34, "a Philox stream has 2^34 words");
        }
    }

    /// Runs `run` for each of `heads` heads of each sample, each once; a run computes `each` heads.
    fn each(&self, heads: usize, each: usize, run: impl Fn(usize, usize) + Sync + Send) {
        /// The number of operations that makes another thread worthwhile.
        const OPERATIONS: usize = 1 << 16;
        let count = elements([self.batch, heads]);
        let operations = elements([4, each, self.queries, self.keys, self.width]);
        let group = (OPERATIONS / operations.max(1)).clamp(1, count.max(1));
        threads::for_each(count.div_ceil(group), |block| {
            for number in block * group..((block + 1) * group).min(count) {
                run(number / heads, number % heads);
            }
        });
    }
}

/// Where the rows of a part are: those of consecutive positions are `stride` apart, and the first head begins at `offset`.
#[derive(Clone, Copy)]
struct Layout {
    stride: usize,
    offset: usize,
}

/// The queries, keys or values of all heads.
#[derive(Clone, Copy)]
struct Rows<'a> {
    values: &'a [f32],
    place: Layout,
}

/// Queries, keys and values, and which keys are attended to: those whose element is above 0, `[batch, keys]`.
struct Parts<'a> {
    rows: [Rows<'a>; 3],
    mask: Option<&'a [f32]>,
}

/// Where the gradient of a part goes.
struct Target<'a> {
    values: &'a Shared<'a>,
    place: Layout,
    onto: WriteMode,
}

/// Where the gradients of queries, keys and values go.
type Targets<'a> = [Option<Target<'a>>; 3];

/// One head of one sample.
#[derive(Clone, Copy)]
struct Head<'a> {
    sizes: &'a Sizes,
    parts: &'a Parts<'a>,
    sample: usize,
    number: usize,
}

/// Queries, keys or values.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Query,
    Key,
    Value,
}

impl Head<'_> {
    /// The elements of `part` at a position.
    fn row(&self, part: Part, place: Layout, position: usize) -> std::ops::Range<usize> {
        let Sizes { queries, keys, width, .. } = *self.sizes;
        let (length, head) = if part == Part::Query {
            (queries, self.number)
        } else {
            (keys, self.number / self.sizes.group())
        };
        let first = (self.sample * length + position) * place.stride + place.offset + head * width;
        first..first + width
    }

    /// The values of `part` from a position on, and the distance between positions.
    fn rows(&self, part: Part, position: usize) -> (&[f32], usize) {
        let Rows { values, place } = self.parts.rows[part as usize];
        let first = self.row(part, place, position).start.min(values.len());
        (&values[first..], place.stride)
    }

    /// The elements at a position in `y`.
    fn of_y(&self, place: usize) -> std::ops::Range<usize> {
        let Sizes { queries, heads, width, .. } = *self.sizes;
        let first = ((self.sample * queries + place) * heads + self.number) * width;
        first..first + width
    }

    /// The elements of this head in `log_sums`.
    fn of_log_sums(&self) -> std::ops::Range<usize> {
        let Sizes { queries, heads, .. } = *self.sizes;
        let first = (self.sample * heads + self.number) * queries;
        first..first + queries
    }

    /// `part`, keys or values, of all positions as the columns of a matrix.
    fn columns(&self, part: Part) -> View<'_> {
        let (values, stride) = self.rows(part, 0);
        View::with_stride(values, self.sizes.keys, self.sizes.width, stride).transposed()
    }

    /// The factor of the queries.
    fn scale(&self) -> f32 {
        (1.0 / (self.sizes.width as f64).sqrt()) as f32
    }

    /// The blocks of queries.
    fn queries(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let length = self.sizes.queries;
        (0..length).step_by(QUERIES).map(move |first| first..(first + QUERIES).min(length))
    }

    /// The tiles of a block of queries, with all keys that one of them sees.
    fn tiles(&self, queries: std::ops::Range<usize>) -> impl Iterator<Item = tile::Tile<'_>> {
        let Sizes { queries: rows, keys, causal, dropout, .. } = *self.sizes;
        let end = if causal { queries.end.min(keys) } else { keys };
        let first_row = (self.sample * self.sizes.heads + self.number) * rows + queries.start;
        let mask = self.parts.mask.map(|mask| &mask[self.sample * keys..][..keys]);
        (0..end).step_by(KEYS).map(move |first| {
            let columns = KEYS.min(end - first);
            tile::Tile {
                first_query: queries.start,
                rows: queries.len(),
                first_key: first,
                columns,
                causal,
                dropout,
                first_weight: first_row as u64 * keys as u64 + first as u64,
                length: keys,
                mask: mask.map(|mask| &mask[first..first + columns]),
            }
        })
    }

    /// Copies `part` of the positions `places` contiguously, each times `scale`.
    fn gather(&self, part: Part, places: std::ops::Range<usize>, scale: f32, into: &mut [f32]) {
        let width = self.sizes.width;
        let (values, stride) = self.rows(part, places.start);
        scaled_rows(values, stride, scale, &mut into[..places.len() * width], width);
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
