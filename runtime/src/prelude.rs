//! Everything that a declaration uses: `use trainspec::prelude::*;`.

pub use crate::data::{Csv, Dataset, Digits8x8, Idx, InMemory, Mnist, Normalization, Split};
pub use crate::graph::Value;
pub use crate::layer::Approximate;
pub use crate::layer::names::*;
pub use crate::loss::{CrossEntropy, MeanSquaredError};
pub use crate::metric::{Accuracy, MeanAbsoluteError};
pub use crate::model::Model;
pub use crate::optim::{AdamW, Decay, GlobalNorm, Sgd};
pub use crate::schedule::Interval::{Epochs, Steps};
pub use crate::schedule::{Constant, Cosine, CosineEnd, Step, Warmup};
pub use crate::shape::{Class, Features, Image, Logits, TokenLogits, Tokens, Values};
pub use crate::spec::Device::Cpu;
pub use crate::spec::Monitor::{ValLoss, ValMetric};
pub use crate::spec::{Bf16, Dynamic, F16, F32, Skip, Static, Stop};
pub use crate::spec::{Checkpoint, EarlyStop};
pub use crate::trained::Trained;
pub use crate::training::{Run, Training};
pub use trainspec_macros::{model, train};
