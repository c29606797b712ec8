//! Layers by the names under which models call them.
//!
//! `x.conv2d(out = 8, kernel = 3)` in a model becomes the struct literal `conv2d { out: 8, kernel: 3, … }`,
//! so the call name is a type. These names are aliases, not new types.

pub use super::{
    Abs as abs, AdaptiveAvgPool2d as adaptive_avg_pool2d, AdaptiveMaxPool2d as adaptive_max_pool2d,
    Add as add, Affine as affine, Attention as attention, AttentionPool as attention_pool,
    AvgPool1d as avg_pool1d, AvgPool2d as avg_pool2d, BatchNorm as batch_norm, Chunk as chunk,
    Clamp as clamp, Concat as concat, Conv1d as conv1d, Conv2d as conv2d,
    ConvTranspose1d as conv_transpose1d, ConvTranspose2d as conv_transpose2d, Div as div, Dropout as dropout,
    Elu as elu, Embedding as embedding, Exp as exp, Flatten as flatten, Gelu as gelu,
    GlobalAvgPool as global_avg_pool, GroupNorm as group_norm, Gru as gru, HardSwish as hard_swish,
    InstanceNorm as instance_norm, Last as last, LayerNorm as layer_norm, LayerScale as layer_scale,
    LeakyRelu as leaky_relu, Linear as linear, Log as log, LogSoftmax as log_softmax, LpPool1d as lp_pool1d,
    LpPool2d as lp_pool2d, Lstm as lstm, MaskedAttention as masked_attention, MaxPool as max_pool,
    MaxPool1d as max_pool1d, MaxPool2d as max_pool2d, MeanPool as mean_pool, Mish as mish, Mul as mul,
    Pad as pad, PaddingMask as padding_mask, Permute as permute, PixelShuffle as pixel_shuffle,
    PositionEmbedding as position_embedding, PositionEncoding as position_encoding, Prelu as prelu,
    Reciprocal as reciprocal, Relu as relu, Reshape as reshape, RmsNorm as rms_norm, Rotary as rotary,
    Select as select, SelfAttention as self_attention, Selu as selu, Sigmoid as sigmoid, Silu as silu,
    Slice as slice, Softmax as softmax, Softplus as softplus, Split as split, Sqrt as sqrt, Square as square,
    Stack as stack, StochasticDepth as stochastic_depth, Sub as sub, Tanh as tanh, Transpose as transpose,
    Upsample as upsample,
};
