//! Layers by the names under which models call them.
//!
//! `x.conv2d(out = 8, kernel = 3)` in a model becomes the struct literal `conv2d { out: 8, kernel: 3, … }`,
//! so the call name is a type. These names are aliases, not new types.

pub use super::{
    Abs as abs, AdaptiveAvgPool2d as adaptive_avg_pool2d, AdaptiveMaxPool2d as adaptive_max_pool2d,
    Add as add, Affine as affine, AvgPool1d as avg_pool1d, AvgPool2d as avg_pool2d, BatchNorm as batch_norm,
    Chunk as chunk, Clamp as clamp, Concat as concat, Conv1d as conv1d, Conv2d as conv2d,
    ConvTranspose1d as conv_transpose1d, ConvTranspose2d as conv_transpose2d, Div as div, Dropout as dropout,
    Embedding as embedding, Exp as exp, Flatten as flatten, Gelu as gelu, GlobalAvgPool as global_avg_pool,
    GroupNorm as group_norm, Gru as gru, Last as last, LayerNorm as layer_norm, LeakyRelu as leaky_relu,
    Linear as linear, Log as log, LogSoftmax as log_softmax, Lstm as lstm, MaxPool as max_pool,
    MaxPool1d as max_pool1d, MaxPool2d as max_pool2d, MeanPool as mean_pool, Mul as mul, Pad as pad,
    Permute as permute, PixelShuffle as pixel_shuffle, PositionEmbedding as position_embedding,
    Reciprocal as reciprocal, Relu as relu, Reshape as reshape, RmsNorm as rms_norm, Select as select,
    SelfAttention as self_attention, Sigmoid as sigmoid, Silu as silu, Slice as slice, Softmax as softmax,
    Split as split, Sqrt as sqrt, Square as square, Stack as stack, StochasticDepth as stochastic_depth,
    Sub as sub, Tanh as tanh, Transpose as transpose, Upsample as upsample,
};
