//! Attention with given queries, keys and values, with and without a mask.

use candle_core::{D, DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::softmax::softmax;
use super::{Layer, LayerKind, OutputRule};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Scaled dot-product attention with given queries, keys and values: `query.attention(key, value, heads = 8)`.
///
/// Each of the `heads` parts of a query, of `d = features / heads` elements, takes a weighted mean of the values:
/// `softmax(q k^T / sqrt d) v`. The layer has no parameters; `linear` projects its inputs and its output. Keys and values of another
/// sequence make it cross-attention. With `kv_heads`, `heads / kv_heads` consecutive heads of the queries share a head of the keys
/// and values: grouped-query attention, or multi-query attention with one. With `causal`, position `t` attends only to
/// positions up to `t`.
///
/// # Shapes
/// Queries `[queries, features]`, keys and values `[keys, kv_heads d]`, to `[queries, features]`.
///
/// # Training and evaluation
/// In training only, `dropout` drops attention weights; the others are scaled by `1 / (1 - dropout)`.
///
/// # Errors
/// `attention: the keys are [9, 4], but 4 heads of 2 features have 8; change one of them`, at compile time.
///
/// # Source
/// Vaswani et al. 2017; `kv_heads`: Shazeer 2019, Ainslie et al. 2023. PyTorch's `scaled_dot_product_attention`.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// /// Each of eight positions attends to the features of an image.
/// #[model]
/// fn Read(tokens: Tokens<65, 8>, image: Image<16, 4, 4>) -> TokenLogits<65> {
///     let x = tokens.embedding(out = 32);
///     let memory = image.reshape(to = [16, 16]).transpose().linear(out = 16);
///     let mixed = x.linear(out = 32).attention(memory, memory, heads = 4, kv_heads = 2);
///     (x + mixed.linear(out = 32)).linear(out = 65)
/// }
/// assert_eq!(Read::graph()?.nodes.iter().filter(|node| node.layer.name() == "attention").count(), 1);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attention {
    /// The number of heads of the queries, at least 1; divides their number of features; required.
    pub heads: usize,
    /// The number of heads of the keys and values, which divides `heads`; as many as `heads` by default, which 0 stands for.
    pub kv_heads: usize,
    /// Whether a position attends only to itself and earlier positions; `false` by default.
    pub causal: bool,
    /// The probability that a weight is dropped in training, from 0 and below 1; 0 by default.
    pub dropout: f64,
}

/// [`Attention`] to those keys whose element of a mask is above 0: `query.masked_attention(key, value, mask, heads = 8)`.
///
/// The mask has one element for each key of the sample, as [`PaddingMask`](super::PaddingMask) returns it, and no gradient. A query
/// that may not attend to any key has the result 0.
///
/// # Shapes
/// Queries `[queries, features]`, keys and values `[keys, kv_heads d]`, and a mask `[keys]`, to `[queries, features]`.
///
/// # Training and evaluation
/// As [`Attention`].
///
/// # Errors
/// `masked_attention: the mask is [7], but there are 9 keys; expected [9]`, at compile time.
///
/// # Source
/// Vaswani et al. 2017. PyTorch's `key_padding_mask`, where true elements are excluded.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// /// Token 0 is padding.
/// #[model]
/// fn Encode(tokens: Tokens<65, 8>) -> TokenLogits<65> {
///     let mask = tokens.padding_mask(padding = 0);
///     let x = tokens.embedding(out = 32, padding = 0);
///     let (q, k, v) = x.linear(out = 96).chunk(axis = 1);
///     (x + q.masked_attention(k, v, mask, heads = 4)).linear(out = 65)
/// }
/// assert_eq!(Encode::graph()?.nodes[0].layer.name(), "padding_mask");
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskedAttention {
    /// The number of heads, which divides the features of the queries; required.
    pub heads: usize,
    /// [`Attention::kv_heads`]; as many as `heads` by default, which 0 stands for.
    pub kv_heads: usize,
    /// [`Attention::causal`]; `false` by default.
    pub causal: bool,
    /// [`Attention::dropout`]; 0 by default.
    pub dropout: f64,
}

/// The keys of an attention.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixing {
    pub(super) heads: usize,
    pub(super) kv_heads: usize,
    pub(super) causal: bool,
    pub(super) dropout: f64,
}

const REQUIRED: &[(&str, &str)] = &[("heads", "the number of heads")];

impl Mixing {
    const fn check(&self) -> CheckResult {
        hold!(rule::count("heads", self.heads));
        if !self.heads.is_multiple_of(self.kv_heads()) {
            return Err(CheckError::new("")
                .number(self.heads)
                .text(" heads cannot share ")
                .number(self.kv_heads)
                .text(" key heads; expected kv_heads to be a divisor of ")
                .number(self.heads));
        }
        rule::probability("dropout", self.dropout)
    }

    const fn kv_heads(&self) -> usize {
        if self.kv_heads == 0 { self.heads } else { self.kv_heads }
    }

    /// The shape of the queries.
    const fn output(&self, query: Shape, key: Shape, value: Shape) -> CheckResult<Shape> {
        hold!(query.reals_of_rank(2, "queries [length, features]"));
        let features = hold!(rule::vectors(query));
        hold!(self.check());
        if !features.is_multiple_of(self.heads) {
            return Err(not_split(features, self.heads));
        }
        hold!(self.keys("keys", key, features / self.heads));
        hold!(self.keys("values", value, features / self.heads));
        if key.axis(0) != value.axis(0) {
            return Err(CheckError::new("the keys are ")
                .shape(key)
                .text(", but the values are ")
                .shape(value)
                .text("; expected as many values as keys"));
        }
        if self.causal && query.axis(0) != key.axis(0) {
            return Err(CheckError::new("the queries are ")
                .shape(query)
                .text(", but the keys are ")
                .shape(key)
                .text("; with `causal`, expected as many keys as queries"));
        }
        hold!(rule::possible("table of weights", Shape::of(&[self.heads, query.axis(0), key.axis(0)])));
        Ok(query)
    }

    /// Checks that keys or values have vectors of `kv_heads` heads of this width.
    const fn keys(&self, what: &str, keys: Shape, width: usize) -> CheckResult {
        hold!(keys.reals());
        let found = CheckError::new("the ").text(what).text(" are ").shape(keys);
        if keys.rank() != 2 {
            return Err(found.text("; expected [length, features]"));
        }
        let features = hold!(rule::vectors(keys));
        let expected = width.saturating_mul(self.kv_heads());
        if features == expected {
            return Ok(());
        }
        let problem = found
            .text(", but ")
            .number(self.kv_heads())
            .text(" heads of ")
            .number(width)
            .text(" features have ")
            .number(expected);
        let kv_heads = features / width;
        if features.is_multiple_of(width) && kv_heads > 0 && self.heads.is_multiple_of(kv_heads) {
            return Err(problem.text("; did you mean `kv_heads = ").number(kv_heads).text("`?"));
        }
        Err(problem.text("; change one of them"))
    }

    const fn mask(key: Shape, mask: Shape) -> CheckResult {
        hold!(mask.reals());
        if mask.rank() == 1 && mask.axis(0) == key.axis(0) {
            return Ok(());
        }
        Err(CheckError::new("the mask is ")
            .shape(mask)
            .text(", but there are ")
            .number(key.axis(0))
            .text(" keys; expected [")
            .number(key.axis(0))
            .text("]"))
    }

    fn flops(inputs: &[Shape]) -> u64 {
        let [query, key, ..] = inputs else { return 0 };
        let (&[queries, features], &[keys, _]) = (query.axes(), key.axes()) else { return 0 };
        rule::operations(&[4, queries, keys, features])
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let [query, key, ..] = inputs else { return Lowering::Fallback };
        let (&[queries, features], &[keys, _]) = (query.axes(), key.axes()) else {
            return Lowering::Fallback;
        };
        Lowering::kernel(kernels::Attention {
            queries,
            keys,
            heads: self.heads,
            kv_heads: self.kv_heads(),
            width: features / self.heads.max(1),
            causal: self.causal,
            dropout: self.dropout,
        })
    }

    /// The weighted means: queries `[batch, queries, features]`, keys and values `[batch, keys, features of the keys]`, and a
    /// mask `[batch, keys]`, to `[batch, queries, features]`.
    pub(super) fn attend(
        &self,
        [query, key, value]: [&Tensor; 3],
        mask: Option<&Tensor>,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor> {
        /// Far below every score: its exponential is 0.
        const HIDDEN: f64 = 1e30;
        let (batch, queries, features) = query.dims3()?;
        let (keys, width) = (key.dim(1)?, features / self.heads.max(1));
        let (shared, group) = (self.kv_heads(), self.heads / self.kv_heads().max(1));
        let query = query.reshape((batch, queries, self.heads, width))?.transpose(1, 2)?.contiguous()?;
        // [batch, keys, kv_heads, width] to [batch, heads, keys, width]
        let heads_of = |x: &Tensor| -> Result<Tensor> {
            let x = x.reshape((batch, keys, shared, width))?.transpose(1, 2)?;
            if group == 1 {
                return Ok(x.contiguous()?);
            }
            let x = x.unsqueeze(2)?.broadcast_as((batch, shared, group, keys, width))?;
            Ok(x.reshape((batch, self.heads, keys, width))?)
        };
        let (key, value) = (heads_of(key)?, heads_of(value)?);

        let query = query.affine(1.0 / (width as f64).sqrt(), 0.0)?;
        let mut scores = query.matmul(&key.transpose(D::Minus2, D::Minus1)?)?;
        if self.causal {
            scores = scores.broadcast_add(&future(keys, scores.dtype(), scores.device())?)?;
        }
        let mask = match mask {
            None => None,
            Some(mask) => {
                let mask = mask.detach().gt(0.0)?.to_dtype(scores.dtype())?.reshape((batch, 1, 1, keys))?;
                scores = scores.broadcast_add(&mask.affine(HIDDEN, -HIDDEN)?)?;
                Some(mask)
            }
        };
        let mut weights = softmax(&scores)?;
        if let Some(mask) = mask {
            // Only of a query that sees no key are these weights not 0 already.
            weights = weights.broadcast_mul(&mask)?;
        }
        let weights = pass.dropout(&weights, self.dropout)?;
        Ok(weights.matmul(&value)?.transpose(1, 2)?.reshape((batch, queries, features))?)
    }
}

/// The error of features that cannot be split into heads.
pub(super) const fn not_split(features: usize, heads: usize) -> CheckError {
    CheckError::new("")
        .number(features)
        .text(" features cannot be split into ")
        .number(heads)
        .text(" heads; expected a divisor of ")
        .number(features)
}

/// `[length, length]`: minus infinity where the column is after the row, else 0.
fn future(length: usize, dtype: DType, device: &Device) -> Result<Tensor> {
    let mask: Vec<f32> = (0..length)
        .flat_map(|row| (0..length).map(move |column| if column > row { f32::NEG_INFINITY } else { 0.0 }))
        .collect();
    Ok(Tensor::from_vec(mask, (length, length), device)?.to_dtype(dtype)?)
}

/// Both layers have the same keys.
macro_rules! layer {
    ($layer:ident, $name:literal) => {
        impl $layer {
            /// `heads` is at least 1, `kv_heads` divides it, and `0 <= dropout < 1`.
            pub const fn check(&self) -> CheckResult {
                self.heads().check()
            }

            const fn heads(&self) -> Mixing {
                let Self { heads, kv_heads, causal, dropout } = *self;
                Mixing { heads, kv_heads, causal, dropout }
            }
        }

        impl Config for $layer {
            const NAME: &'static str = $name;
            const DEFAULT: Self = Self { heads: 0, kv_heads: 0, causal: false, dropout: 0.0 };
            const REQUIRED: &'static [(&'static str, &'static str)] = REQUIRED;
            const CHECK: fn(&Self) -> CheckResult = Self::check;
        }
    };
}

layer!(Attention, "attention");
layer!(MaskedAttention, "masked_attention");

impl Attention {
    /// The shape of the queries.
    pub const fn output(&self, query: Shape, key: Shape, value: Shape) -> CheckResult<Shape> {
        self.heads().output(query, key, value)
    }
}

impl MaskedAttention {
    /// The shape of the queries.
    pub const fn output(&self, query: Shape, key: Shape, value: Shape, mask: Shape) -> CheckResult<Shape> {
        let output = hold!(self.heads().output(query, key, value));
        hold!(Mixing::mask(key, mask));
        Ok(output)
    }
}

impl Layer for Attention {
    const OUTPUT: OutputRule<Self> = OutputRule::Three(Self::output);

    fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
        Mixing::flops(inputs)
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Attention { causal: self.causal }
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        self.heads().lowering(inputs)
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let [query, key, value] = inputs else { return Err(Error::arity(Self::NAME, 3, inputs.len())) };
        self.heads().attend([query, key, value], None, pass)
    }
}

impl Layer for MaskedAttention {
    const OUTPUT: OutputRule<Self> = OutputRule::Four(Self::output);

    fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
        Mixing::flops(inputs)
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Attention { causal: self.causal }
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        self.heads().lowering(inputs)
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let [query, key, value, mask] = inputs else {
            return Err(Error::arity(Self::NAME, 4, inputs.len()));
        };
        self.heads().attend([query, key, value], Some(mask), pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYER: Attention = Attention { heads: 4, ..Attention::DEFAULT };

    #[test]
    fn lengths_of_queries_and_keys_may_differ() {
        let (query, key) = (Shape::of(&[5, 8]), Shape::of(&[9, 8]));
        assert_eq!(LAYER.output(query, key, key), Ok(query));
        let causal = Attention { causal: true, ..LAYER };
        let problem = causal.output(query, key, key).unwrap_err();
        let expected = "the queries are [5, 8], but the keys are [9, 8]; with `causal`, expected as many keys as queries";
        assert_eq!(problem.as_str(), expected);
        assert!(LAYER.output(query, key, Shape::of(&[7, 8])).is_err());
        assert!(LAYER.output(Shape::of(&[5, 6]), key, key).is_err());
    }

    #[test]
    fn keys_have_as_many_features_as_their_heads() {
        let (query, key) = (Shape::of(&[5, 8]), Shape::of(&[9, 4]));
        let problem = LAYER.output(query, key, key).unwrap_err();
        let expected = "the keys are [9, 4], but 4 heads of 2 features have 8; did you mean `kv_heads = 2`?";
        assert_eq!(problem.as_str(), expected);
        assert_eq!(Attention { kv_heads: 2, ..LAYER }.output(query, key, key), Ok(query));
        let problem = LAYER.output(query, Shape::of(&[9, 5]), key).unwrap_err();
        assert_eq!(
            problem.as_str(),
            "the keys are [9, 5], but 4 heads of 2 features have 8; change one of them"
        );
        assert!(LAYER.output(query, Shape::of(&[9]), key).is_err());
        assert!(LAYER.output(query, Shape::tokens(65, 9), key).is_err());
    }

    #[test]
    fn keys_are_checked_at_their_bounds() {
        assert!(LAYER.check().is_ok());
        assert!(Attention::DEFAULT.check().is_err());
        assert!(Attention { dropout: 1.0, ..LAYER }.check().is_err());
        let problem = Attention { kv_heads: 3, ..LAYER }.check().unwrap_err();
        let expected = "4 heads cannot share 3 key heads; expected kv_heads to be a divisor of 4";
        assert_eq!(problem.as_str(), expected);
    }

    #[test]
    fn mask_has_an_element_for_each_key() {
        let layer = MaskedAttention { heads: 4, ..MaskedAttention::DEFAULT };
        let (query, key) = (Shape::of(&[5, 8]), Shape::of(&[9, 8]));
        assert_eq!(layer.output(query, key, key, Shape::of(&[9])), Ok(query));
        let problem = layer.output(query, key, key, Shape::of(&[7])).unwrap_err();
        assert_eq!(problem.as_str(), "the mask is [7], but there are 9 keys; expected [9]");
        assert!(layer.output(query, key, key, Shape::of(&[9, 1])).is_err());
        assert!(layer.output(query, key, key, Shape::tokens(65, 9)).is_err());
    }
}
