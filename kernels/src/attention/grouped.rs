//! Attention with given queries, keys and values, whose heads may share keys, and whose keys may be masked.

use super::{Dropout, Layout, Parts, Rows, Sizes, Target};
use crate::matmul::WriteMode;
use crate::shared::Shared;
use crate::sizes::elements;

/// The sizes and options of an attention whose queries, keys and values are separate.
///
/// Query head `h` attends to key head `h / (heads / kv_heads)` (Ainslie et al., 2023).
///
/// ```
/// use trainspec_kernels::attention::{GroupedAttention, Inputs};
///
/// let attention =
///     GroupedAttention { batch: 1, queries: 1, keys: 3, heads: 1, kv_heads: 1, width: 1, causal: false, dropout: None };
/// // Equal keys, of which the last is masked.
/// let inputs = Inputs { query: &[1.0], key: &[1.0; 3], value: &[4.0, 6.0, 100.0], mask: Some(&[1.0, 1.0, 0.0]) };
/// let (mut y, mut log_sums) = ([0.0], [0.0]);
/// attention.forward(&inputs, &mut y, &mut log_sums);
/// assert_eq!(y, [5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GroupedAttention {
    /// The number of samples.
    pub batch: usize,
    /// The number of positions with a query.
    pub queries: usize,
    /// The number of positions with a key and a value.
    pub keys: usize,
    /// The number of heads of the queries.
    pub heads: usize,
    /// The number of heads of the keys and values, which divides `heads`.
    pub kv_heads: usize,
    /// The width of a head.
    pub width: usize,
    /// Whether query `i` sees only the keys up to `i`.
    pub causal: bool,
    /// Dropout of the weights: the element of sample `b`, head `h`, query `i` and key `j` has the
    /// index `((b * heads + h) * queries + i) * keys + j`, seen or not.
    pub dropout: Option<Dropout>,
}

/// What an attention reads.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `[batch, queries, heads * width]`
    pub query: &'a [f32],
    /// `[batch, keys, kv_heads * width]`
    pub key: &'a [f32],
    /// `[batch, keys, kv_heads * width]`
    pub value: &'a [f32],
    /// `[batch, keys]`: a key is attended to where this is above 0; all of them without it. A query without a key to attend to
    /// has the result 0.
    pub mask: Option<&'a [f32]>,
}

impl GroupedAttention {
    /// Writes the weighted means of the values to `y`, `[batch, queries, heads * width]`, and the data for backward to `log_sums`,
    /// `[batch, heads, queries]`.
    ///
    /// # Panics
    /// If a slice has the wrong length, `kv_heads` does not divide `heads`, or with dropout if there are more than 2^34 weights,
    /// the length of a Philox stream.
    pub fn forward(&self, inputs: &Inputs<'_>, y: &mut [f32], log_sums: &mut [f32]) {
        self.check(inputs, y, log_sums);
        self.sizes().forward(&self.parts(inputs), y, log_sums);
    }

    /// Writes the gradients of queries, keys and values, each with its write mode, from that of `y`, `dy`; `None` where a
    /// gradient is not needed. The formulas are those of [`Attention::backward`](super::Attention::backward); a key head has the
    /// sum over the query heads that share it.
    ///
    /// `y` and `log_sums` are the outputs of [`GroupedAttention::forward`] for the same inputs.
    ///
    /// # Panics
    /// As [`GroupedAttention::forward`].
    pub fn backward(
        &self,
        inputs: &Inputs<'_>,
        y: &[f32],
        log_sums: &[f32],
        dy: &[f32],
        gradients: [Option<(&mut [f32], WriteMode)>; 3],
    ) {
        self.check(inputs, y, log_sums);
        assert_eq!(dy.len(), y.len(), "the gradient of y is as long as y");
        for (gradient, value) in gradients.iter().zip([inputs.query, inputs.key, inputs.value]) {
            let length = gradient.as_ref().map_or(value.len(), |(gradient, _)| gradient.len());
            assert_eq!(length, value.len(), "a gradient is as long as its value");
        }
        let shared = gradients.map(|gradient| gradient.map(|(values, onto)| (Shared::new(values), onto)));
        let target = |part: usize| {
            let (values, onto) = shared[part].as_ref()?;
            Some(Target { values, place: self.place(part), onto: *onto })
        };
        self.sizes().backward(&self.parts(inputs), y, log_sums, dy, &[target(0), target(1), target(2)]);
    }

    fn sizes(&self) -> Sizes {
        let Self { batch, queries, keys, heads, kv_heads, width, causal, dropout } = *self;
        Sizes { batch, queries, keys, heads, kv_heads, width, causal, dropout }
    }

    fn place(&self, part: usize) -> Layout {
        let heads = if part == 0 { self.heads } else { self.kv_heads };
        Layout { stride: heads * self.width, offset: 0 }
    }

    fn parts<'a>(&self, inputs: &Inputs<'a>) -> Parts<'a> {
        let rows = |part, values| Rows { values, place: self.place(part) };
        let rows = [rows(0, inputs.query), rows(1, inputs.key), rows(2, inputs.value)];
        Parts { rows, mask: inputs.mask }
    }

    fn check(&self, inputs: &Inputs<'_>, y: &[f32], log_sums: &[f32]) {
        let Self { batch, queries, keys, heads, kv_heads, width, .. } = *self;
        assert!(
            heads.is_multiple_of(kv_heads.max(1)) && (kv_heads > 0 || heads == 0),
            "kv_heads divides heads"
        );
        let of_query = elements([batch, queries, heads, width]);
        let of_keys = elements([batch, keys, kv_heads, width]);
        assert_eq!(inputs.query.len(), of_query, "the queries are [batch, queries, heads width]");
        assert_eq!(inputs.key.len(), of_keys, "the keys are [batch, keys, kv_heads width]");
        assert_eq!(inputs.value.len(), of_keys, "the values are [batch, keys, kv_heads width]");
        if let Some(mask) = inputs.mask {
            assert_eq!(mask.len(), elements([batch, keys]), "the mask is [batch, keys]");
        }
        assert_eq!(y.len(), of_query, "y is [batch, queries, heads width]");
        assert_eq!(log_sums.len(), elements([batch, heads, queries]), "log_sums is [batch, heads, queries]");
        self.sizes().check_dropout();
    }
}
