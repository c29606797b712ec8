//! Layers by the names under which models call them.
//!
//! `x.conv2d(out = 8, kernel = 3)` in a model becomes the struct literal `conv2d { out: 8, kernel: 3, … }`,
//! so the call name is a type. These names are aliases, not new types.

pub use super::{
    Abs as abs, Add as add, Affine as affine, AvgPool2d as avg_pool2d, BatchNorm as batch_norm,
    Chunk as chunk, Clamp as clamp, Concat as concat, Conv2d as conv2d, Div as div, Dropout as dropout,
    Embedding as embedding, Exp as exp, Flatten as flatten, Gelu as gelu, GlobalAvgPool as global_avg_pool,
    GroupNorm as group_norm, Gru as gru, LayerNorm as layer_norm, LeakyRelu as leaky_relu, Linear as linear,
    Log as log, LogSoftmax as log_softmax, Lstm as lstm, MaxPool2d as max_pool2d, Mul as mul, Pad as pad,
    Permute as permute, PositionEmbedding as position_embedding, Reciprocal as reciprocal, Relu as relu,
    Reshape as reshape, RmsNorm as rms_norm, Select as select, SelfAttention as self_attention,
    Sigmoid as sigmoid, Silu as silu, Slice as slice, Softmax as softmax, Split as split, Sqrt as sqrt,
    Square as square, Stack as stack, StochasticDepth as stochastic_depth, Sub as sub, Tanh as tanh,
    Transpose as transpose,
};
