//! The gradient of every layer, and its values.
//!
//! A layer of this crate has a row in the table here; [`difference`] checks the rows, and [`values`] checks what
//! no difference can see: the values themselves, kinks, and running statistics. [`recurrent`] has the values of
//! layers that read sequences. PyTorch's numbers are in `golden/layers`.
//!
//! Each test here was seen to fail: with candle's own `relu`, `gelu_erf` and `layer_norm` instead of ours;
//! with `>=` for `>` in the maximum, the biased variance in the running value, no handling of NaN, and the
//! dilation, the stride, the scale of attention or the order of two values mistaken; with two gates of a
//! recurrent layer exchanged, and with group normalization's variance taken over the batch.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

mod difference;
mod extremes;
mod recurrent;
mod values;

use difference::{Points, agree};
use trainspec::graph::Graph;
use trainspec::layer::{
    Abs, AdaptiveAvgPool2d, AdaptiveMaxPool2d, Add, Affine, Approximate, Attention, AttentionPool, AvgPool1d,
    AvgPool2d, BatchNorm, Chunk, Clamp, Concat, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Div,
    Dropout, Elu, Embedding, Exp, Flatten, Gelu, GlobalAvgPool, GroupNorm, Gru, HardSwish, InstanceNorm,
    Last, LayerNorm, LayerScale, LeakyRelu, Linear, Log, LogSoftmax, LpPool1d, LpPool2d, Lstm,
    MaskedAttention, MaxPool, MaxPool1d, MaxPool2d, MeanPool, Mish, Mul, Pad, Permute, PixelShuffle,
    PositionEmbedding, PositionEncoding, Prelu, Reciprocal, Relu, Resample, Reshape, RmsNorm, Rotary, Select,
    SelfAttention, Selu, Sigmoid, Silu, Slice, Softmax, Softplus, Split, Sqrt, Square, Stack,
    StochasticDepth, Sub, Tanh, Transpose, Upsample, pair,
};
use trainspec::{Config, Shape};

/// The table: a test for each layer, a row for each configuration with its input shapes.
macro_rules! gradients {
    ($($name:ident at $points:ident { $($layer:expr => $($shape:expr),+;)+ })+) => { $(
        #[test]
        fn $name() {
            $( agree(&Graph::of(&$layer, &[$(shape(&$shape)),+]).unwrap(), Points::$points); )+
        }
    )+ };
}

/// A shape in the table: axes, or tokens.
trait ToShape {
    fn to_shape(&self) -> Shape;
}

impl<const RANK: usize> ToShape for [usize; RANK] {
    fn to_shape(&self) -> Shape {
        Shape::of(self)
    }
}

impl ToShape for Shape {
    fn to_shape(&self) -> Shape {
        *self
    }
}

fn shape(shape: &impl ToShape) -> Shape {
    shape.to_shape()
}

const CONV: Conv2d = Conv2d { out: 2, kernel: 3, ..Conv2d::DEFAULT };
const TRANSPOSED: ConvTranspose2d = ConvTranspose2d { out: 2, kernel: 3, ..ConvTranspose2d::DEFAULT };
const MAX: MaxPool2d = MaxPool2d { kernel: 2, ..MaxPool2d::DEFAULT };
const AVG: AvgPool2d = AvgPool2d { kernel: 2, ..AvgPool2d::DEFAULT };
const ATTENTION: SelfAttention = SelfAttention { heads: 2, ..SelfAttention::DEFAULT };

const GIVEN: Attention = Attention { heads: 2, ..Attention::DEFAULT };
const MASKED: MaskedAttention = MaskedAttention { heads: 2, ..MaskedAttention::DEFAULT };

gradients! {
    linear at Anywhere {
        Linear { out: 5, ..Linear::DEFAULT } => [3];
        Linear { out: 1, bias: false, ..Linear::DEFAULT } => [1];
        Linear { out: 3, ..Linear::DEFAULT } => [2, 7];
        Linear { out: 2, ..Linear::DEFAULT } => [2, 1, 3];
        Linear { out: 4, weight_norm: true, ..Linear::DEFAULT } => [2, 3];
    }
    conv2d at Anywhere {
        CONV => [1, 3, 3];
        CONV => [3, 5, 4];
        Conv2d { kernel: 1, bias: false, ..CONV } => [3, 1, 2];
        Conv2d { padding: 1, ..CONV } => [2, 3, 5];
        Conv2d { padding: 3, ..CONV } => [1, 2, 1];
        Conv2d { stride: 2, ..CONV } => [2, 6, 5];
        Conv2d { stride: 3, padding: 1, ..CONV } => [1, 5, 7];
        Conv2d { stride: 2, kernel: 1, ..CONV } => [2, 5, 4];
        Conv2d { stride: 7, padding: 1, ..CONV } => [1, 3, 6];
        Conv2d { dilation: 2, ..CONV } => [1, 6, 5];
        Conv2d { dilation: 2, stride: 2, padding: 2, ..CONV } => [2, 4, 7];
        Conv2d { out: 4, groups: 2, ..CONV } => [6, 4, 3];
        Conv2d { out: 6, groups: 3, stride: 2, padding: 1, ..CONV } => [3, 4, 5];
        Conv2d { kernel: pair(1, 4), padding: pair(0, 2), stride: pair(2, 1), ..CONV } => [2, 4, 5];
        Conv2d { out: 4, groups: 2, weight_norm: true, ..CONV } => [2, 4, 3];
        Conv2d { kernel: pair(3, 2), dilation: pair(1, 3), stride: pair(1, 2), ..CONV } => [1, 4, 7];
    }
    conv1d at Anywhere {
        Conv1d { out: 3, kernel: 3, ..Conv1d::DEFAULT } => [2, 5];
        Conv1d { out: 4, kernel: 2, stride: 2, padding: 1, groups: 2, ..Conv1d::DEFAULT } => [2, 6];
        Conv1d { out: 2, kernel: 3, dilation: 3, causal: true, bias: false, ..Conv1d::DEFAULT } => [3, 4];
        Conv1d { out: 2, kernel: 2, stride: 3, causal: true, ..Conv1d::DEFAULT } => [1, 8];
        Conv1d { out: 2, kernel: 3, bias: false, weight_norm: true, ..Conv1d::DEFAULT } => [2, 4];
    }
    conv_transpose2d at Anywhere {
        TRANSPOSED => [1, 1, 1];
        TRANSPOSED => [3, 2, 4];
        ConvTranspose2d { stride: 2, padding: 1, output_padding: 1, ..TRANSPOSED } => [2, 3, 2];
        ConvTranspose2d { kernel: 2, stride: 3, bias: false, ..TRANSPOSED } => [2, 2, 3];
        ConvTranspose2d { out: 4, groups: 2, dilation: 2, padding: 1, ..TRANSPOSED } => [6, 2, 3];
        ConvTranspose2d { kernel: pair(1, 4), stride: pair(2, 1), output_padding: pair(1, 0), ..TRANSPOSED } => [2, 2, 2];
    }
    conv_transpose1d at Anywhere {
        ConvTranspose1d { out: 2, kernel: 3, ..ConvTranspose1d::DEFAULT } => [3, 4];
        ConvTranspose1d { out: 4, kernel: 4, stride: 2, padding: 1, groups: 2, ..ConvTranspose1d::DEFAULT } => [2, 3];
    }
    batch_norm at Anywhere {
        BatchNorm::DEFAULT => [3];
        BatchNorm::DEFAULT => [2, 5];
        BatchNorm { eps: 0.1, update: 0.3 } => [3, 2, 3];
        BatchNorm::DEFAULT => [1, 1, 1];
    }
    layer_norm at Anywhere {
        LayerNorm::DEFAULT => [5];
        LayerNorm { eps: 0.1, ..LayerNorm::DEFAULT } => [2, 3];
        LayerNorm { affine: false, ..LayerNorm::DEFAULT } => [2, 1, 7];
        LayerNorm::DEFAULT => [2, 1];
    }
    rms_norm at Anywhere {
        RmsNorm::DEFAULT => [5];
        RmsNorm { eps: 0.1 } => [2, 3];
        RmsNorm::DEFAULT => [2, 1, 7];
        RmsNorm { eps: 0.1 } => [2, 1];
    }
    group_norm at Anywhere {
        GroupNorm { groups: 2, ..GroupNorm::DEFAULT } => [4, 2, 3];
        GroupNorm { groups: 1, eps: 0.1 } => [3, 1, 2];
        GroupNorm { groups: 3, ..GroupNorm::DEFAULT } => [3, 2, 2];
        GroupNorm { groups: 2, eps: 0.1 } => [2, 1, 1];
    }
    relu at OffKinks {
        Relu {} => [7];
        Relu {} => [1, 3, 2];
    }
    leaky_relu at OffKinks {
        LeakyRelu::DEFAULT => [7];
        LeakyRelu { slope: -0.5 } => [2, 3];
        LeakyRelu { slope: 0.0 } => [3];
    }
    gelu at Anywhere {
        Gelu::DEFAULT => [11];
        Gelu { approximate: Approximate::Tanh } => [3, 5];
    }
    silu at Anywhere {
        Silu {} => [11];
    }
    smooth_activations at Anywhere {
        Softplus {} => [11];
        Mish {} => [11];
    }
    activations_with_kinks at OffKinks {
        Elu::DEFAULT => [7];
        Elu { alpha: 0.5 } => [2, 3];
        Selu {} => [7];
        HardSwish {} => [7];
        Prelu::DEFAULT => [7];
        Prelu { value: 0.1, per_channel: true } => [3, 2, 2];
        Prelu { per_channel: true, ..Prelu::DEFAULT } => [2, 3];
    }
    instance_norm at Anywhere {
        InstanceNorm::DEFAULT => [3, 2, 3];
        InstanceNorm { eps: 0.1, affine: true } => [2, 5];
    }
    layer_scale at Anywhere {
        LayerScale { value: 0.5 } => [3, 2, 2];
        LayerScale { value: 2.0 } => [2, 3];
        LayerScale::DEFAULT => [4];
    }
    tanh at Anywhere {
        Tanh {} => [11];
    }
    sigmoid at Anywhere {
        Sigmoid {} => [11];
    }
    softmax at Anywhere {
        Softmax {} => [7];
        Softmax {} => [2, 3];
        Softmax {} => [3, 1];
    }
    log_softmax at Anywhere {
        LogSoftmax {} => [7];
        LogSoftmax {} => [2, 3];
        LogSoftmax {} => [3, 1];
    }
    dropout at Anywhere {
        Dropout { p: 0.5 } => [13];
        Dropout { p: 0.0 } => [3];
    }
    stochastic_depth at Anywhere {
        StochasticDepth { p: 0.5 } => [2, 3];
        StochasticDepth { p: 0.0 } => [3];
        StochasticDepth { p: 0.3 } => [1];
    }
    max_pool2d at OffKinks {
        MAX => [2, 4, 6];
        MAX => [1, 5, 3];
        MaxPool2d { kernel: 1, ..MAX } => [2, 3, 1];
        MaxPool2d { stride: 1, ..MAX } => [2, 3, 4];
        MaxPool2d { kernel: 3, stride: 2, padding: 1 } => [1, 5, 4];
        MaxPool2d { padding: 1, ..MAX } => [1, 1, 3];
        MaxPool2d { stride: 3, ..MAX } => [1, 7, 5];
        MaxPool2d { kernel: pair(1, 3), stride: pair(2, 1), padding: pair(0, 1) } => [2, 4, 3];
    }
    max_pool1d at OffKinks {
        MaxPool1d { kernel: 2, ..MaxPool1d::DEFAULT } => [2, 5];
        MaxPool1d { kernel: 3, stride: 2, padding: 1 } => [1, 6];
    }
    lp_pool1d at OffKinks {
        LpPool1d { kernel: 2, ..LpPool1d::DEFAULT } => [2, 5];
        LpPool1d { p: 4, kernel: 3, stride: 2, padding: 1 } => [1, 6];
        LpPool1d { p: 1, kernel: 3, stride: 1, padding: 0 } => [1, 5];
    }
    lp_pool2d at OffKinks {
        LpPool2d { kernel: 2, ..LpPool2d::DEFAULT } => [2, 4, 5];
        LpPool2d { kernel: pair(2, 3), stride: pair(1, 2), padding: pair(1, 0), ..LpPool2d::DEFAULT } => [1, 4, 5];
    }
    attention_pool at Anywhere {
        AttentionPool::DEFAULT => [3, 2];
        AttentionPool { heads: 2, ..AttentionPool::DEFAULT } => [4, 6];
        AttentionPool { heads: 3, ..AttentionPool::DEFAULT } => [1, 3];
    }
    avg_pool1d at Anywhere {
        AvgPool1d { kernel: 2, ..AvgPool1d::DEFAULT } => [2, 5];
        AvgPool1d { kernel: 3, stride: 2, padding: 1 } => [1, 6];
    }
    avg_pool2d at Anywhere {
        AVG => [2, 4, 6];
        AVG => [1, 5, 3];
        AvgPool2d { kernel: 1, ..AVG } => [2, 3, 1];
        AvgPool2d { stride: 1, ..AVG } => [2, 3, 4];
        AvgPool2d { kernel: 3, stride: 2, padding: 1 } => [1, 5, 4];
        AvgPool2d { padding: 1, ..AVG } => [1, 1, 3];
        AvgPool2d { stride: 3, ..AVG } => [1, 7, 5];
        AvgPool2d { kernel: pair(3, 1), stride: pair(1, 2), padding: pair(1, 0) } => [2, 3, 4];
    }
    adaptive_avg_pool2d at Anywhere {
        AdaptiveAvgPool2d { out: 2 } => [2, 4, 5];
        AdaptiveAvgPool2d { out: pair(3, 4) } => [1, 2, 3];
    }
    adaptive_max_pool2d at OffKinks {
        AdaptiveMaxPool2d { out: 2 } => [2, 4, 5];
        AdaptiveMaxPool2d { out: pair(3, 1) } => [1, 2, 3];
    }
    mean_pool at Anywhere {
        MeanPool { axis: 0 } => [3, 2];
        MeanPool { axis: 2 } => [2, 1, 3];
    }
    max_pool at OffKinks {
        MaxPool { axis: 0 } => [3, 2];
        MaxPool { axis: 1 } => [2, 3, 2];
    }
    last at Anywhere {
        Last { axis: 0 } => [3, 2];
        Last { axis: 1 } => [2, 3, 2];
    }
    upsample at Anywhere {
        Upsample { scale: 2, mode: Resample::Nearest } => [2, 1, 3];
        Upsample { scale: pair(3, 1), mode: Resample::Nearest } => [1, 2, 2];
        Upsample { scale: 2, mode: Resample::Bilinear } => [2, 3, 2];
        Upsample { scale: pair(1, 3), mode: Resample::Bilinear } => [1, 2, 4];
    }
    pixel_shuffle at Anywhere {
        PixelShuffle { scale: 2 } => [8, 1, 3];
        PixelShuffle { scale: 1 } => [2, 2, 1];
    }
    global_avg_pool at Anywhere {
        GlobalAvgPool {} => [3, 2, 5];
        GlobalAvgPool {} => [1, 1, 1];
    }
    flatten at Anywhere {
        Flatten {} => [2, 1, 3];
        Flatten {} => [3];
    }
    reshape at Anywhere {
        Reshape { to: [2, 3] } => [3, 2];
        Reshape { to: [6] } => [3, 2];
        Reshape { to: [1, 3, 1, 1] } => [3];
    }
    embedding at Anywhere {
        Embedding { out: 3, ..Embedding::DEFAULT } => Shape::tokens(5, 7);
        Embedding { out: 1, ..Embedding::DEFAULT } => Shape::tokens(1, 1);
        Embedding { out: 2, ..Embedding::DEFAULT } => Shape::class(3);
    }
    position_embedding at Anywhere {
        PositionEmbedding { out: 3, ..PositionEmbedding::DEFAULT } => Shape::tokens(5, 7);
        PositionEmbedding { out: 2, ..PositionEmbedding::DEFAULT } => [3, 2];
        PositionEmbedding { out: 1, ..PositionEmbedding::DEFAULT } => [1];
    }
    self_attention at Anywhere {
        ATTENTION => [5, 6];
        SelfAttention { causal: true, ..ATTENTION } => [5, 4];
        SelfAttention { dropout: 0.4, causal: true, ..ATTENTION } => [3, 2];
        SelfAttention { heads: 1, bias: false, ..ATTENTION } => [1, 3];
        SelfAttention { heads: 3, ..ATTENTION } => [2, 3];
    }
    attention at Anywhere {
        GIVEN => [5, 6], [5, 6], [5, 6];
        GIVEN => [2, 4], [5, 4], [5, 4];
        Attention { causal: true, dropout: 0.4, ..GIVEN } => [3, 2], [3, 2], [3, 2];
        Attention { heads: 4, kv_heads: 2, ..GIVEN } => [3, 8], [2, 4], [2, 4];
        Attention { heads: 3, kv_heads: 1, causal: true, ..GIVEN } => [3, 6], [3, 2], [3, 2];
    }
    masked_attention at Anywhere {
        MASKED => [4, 4], [4, 4], [4, 4], [4];
        MaskedAttention { causal: true, dropout: 0.4, ..MASKED } => [5, 2], [5, 2], [5, 2], [5];
        MaskedAttention { heads: 4, kv_heads: 2, ..MASKED } => [3, 4], [6, 2], [6, 2], [6];
    }
    positions at Anywhere {
        Rotary { heads: 2, ..Rotary::DEFAULT } => [5, 8];
        Rotary { heads: 1, base: 10.0, interleaved: true } => [3, 4];
        PositionEncoding { out: 3, ..PositionEncoding::DEFAULT } => [4, 2];
    }
    lstm at Anywhere {
        Lstm { out: 3, ..Lstm::DEFAULT } => [4, 2];
        Lstm { out: 2, bias: false, ..Lstm::DEFAULT } => [3, 5];
        Lstm { out: 1, ..Lstm::DEFAULT } => [1, 1];
        Lstm { out: 2, layers: 2, ..Lstm::DEFAULT } => [3, 2];
        Lstm { out: 2, bidirectional: true, ..Lstm::DEFAULT } => [3, 2];
        Lstm { out: 1, layers: 2, bidirectional: true, last: true, bias: false, ..Lstm::DEFAULT } => [3, 2];
    }
    gru at Anywhere {
        Gru { out: 3, ..Gru::DEFAULT } => [4, 2];
        Gru { out: 2, bias: false, ..Gru::DEFAULT } => [3, 5];
        Gru { out: 1, ..Gru::DEFAULT } => [1, 1];
        Gru { out: 2, layers: 2, bidirectional: true, ..Gru::DEFAULT } => [3, 2];
        Gru { out: 2, last: true, ..Gru::DEFAULT } => [3, 2];
    }
    concat at Anywhere {
        Concat { axis: 0 } => [2, 3], [1, 3];
        Concat { axis: 1 } => [2, 3], [2, 2];
        Concat { axis: 0 } => [1], [1];
    }
    elementwise at Anywhere {
        Add {} => [2, 3], [2, 3];
        Sub {} => [1], [1];
        Mul {} => [2, 3], [2, 3];
        Add {} => [2, 3], [2, 1];
        Sub {} => [1, 3], [2, 3];
        Mul {} => [2, 1, 3], [2, 4, 3];
        Mul {} => [2, 2, 2], [1, 2, 1];
    }
    quotients at AboveOne {
        Div {} => [2, 3], [2, 3];
        Div {} => [2, 3], [1, 3];
        Div {} => [1], [3];
        Reciprocal { numerator: -1.5 } => [3];
        Sqrt {} => [2, 3];
        Log {} => [5];
    }
    numbers at Anywhere {
        Affine { mul: -1.5, add: 0.5 } => [2, 3];
        Affine::DEFAULT => [1];
    }
    functions at OffKinks {
        Abs {} => [7];
        Square {} => [2, 3];
        Exp {} => [3];
        Clamp { min: -0.1, max: 0.09 } => [9];
        Clamp { min: 0.0, ..Clamp::DEFAULT } => [2, 3];
    }
    slices at Anywhere {
        Slice { axis: 0, start: 1, end: 3 } => [4, 2];
        Slice { axis: 1, start: 2, ..Slice::DEFAULT } => [3, 5];
        Slice { axis: 2, start: 0, end: 1 } => [2, 2, 3];
        Select { axis: 0, index: 1 } => [3, 2];
        Select { axis: 1, index: 0 } => [3, 2];
        Select { axis: 0, index: 2 } => [3];
    }
    parts at Anywhere {
        Chunk { axis: 1, parts: 2, part: 1 } => [2, 4];
        Chunk { axis: 0, parts: 3, part: 0 } => [3];
        Split { sizes: [1, 3], axis: 0, parts: 2, part: 1 } => [4, 2];
        Split { sizes: [2, 1, 1], axis: 1, parts: 3, part: 2 } => [1, 4];
    }
    permutations at Anywhere {
        Permute { axes: [2, 0, 1] } => [2, 3, 4];
        Permute { axes: [0] } => [3];
        Transpose { axes: [0, 1] } => [2, 3];
        Transpose { axes: [2, 0] } => [2, 1, 3];
    }
    padding at Anywhere {
        Pad { axis: 0, before: 1, after: 2, value: 0.5 } => [3, 2];
        Pad { axis: 1, after: 1, ..Pad::DEFAULT } => [3, 2];
        Pad::DEFAULT => [1];
    }
    stacks at Anywhere {
        Stack { axis: 0 } => [2, 3], [2, 3];
        Stack { axis: 2 } => [2, 3], [2, 3];
        Stack { axis: 0 } => [], [];
    }
}
