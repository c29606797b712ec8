//! Everything that a declaration of a model and a run needs: `use trainspec::prelude::*;`.
//!
//! The types that a program handles are imported by name: [`Experiment`](crate::Experiment), [`Run`](crate::Run) and
//! [`TrainedModel`](crate::TrainedModel). The traits of custom parts are in the modules: [`layer`](crate::layer), [`loss`](crate::loss), [`metric`](crate::metric), [`optim`](crate::optim).

pub use crate::data::augment::{
    Brightness, ColorJitter, Contrast, Cutout, FlipHorizontal, FlipVertical, GaussianNoise, RandAugment,
    RandomCrop, Rotate, Scale, Shift, TimeMask,
};
pub use crate::data::mix::{CutMix, Mixup};
pub use crate::data::sampler::{ClassBalanced, Weighted};
pub use crate::data::{
    Csv, Dataset, Digits8x8, Idx, ImageFolder, InMemory, Mnist, Normalization, Npy, Split, Text, Windows,
    data_file,
};
pub use crate::graph::Value;
pub use crate::inference::Load;
pub use crate::keys::Advice;
pub use crate::keys::Decay;
pub use crate::keys::Interval::{Epochs, Steps};
pub use crate::keys::Monitor::{ValLoss, ValMetric};
pub use crate::layer::Initializer::{
    He, HeUniform, Lecun, Normal, Orthogonal, TruncatedNormal, Uniform, Xavier, XavierNormal, Zeros,
};
pub use crate::layer::names::*;
pub use crate::layer::{Approximate, Initializer, Resample, pair};
pub use crate::loss::MeanAbsoluteError;
pub use crate::loss::{
    BinaryCrossEntropy, BinaryFocal, CosineEmbedding, CrossEntropy, Ctc, Dice, Focal,
    GaussianNegativeLogLikelihood, Hinge, Huber, InfoNce, KlDivergence, MeanSquaredError,
    NegativeLogLikelihood, PoissonNegativeLogLikelihood, Reduction, SmoothL1, Triplet,
};
pub use crate::metric::{
    Accuracy, Auroc, Average, AveragePrecision, CalibrationError, ConfusionMatrix, F1, Iou, Mcc, Perplexity,
    Precision, R2, Recall, RootMeanSquaredError, TopK,
};
pub use crate::model::Model;
pub use crate::optim::{
    AdaDelta, AdaGrad, Adafactor, Adam, AdamW, Adamax, AdaptiveGrad, ClipValue, Ema, GlobalNorm,
    GradientNoise, Group, Lamb, Lars, Lion, Lookahead, MaxNorm, Muon, MuonRate, NAdam, PerParameter, Prodigy,
    RAdam, RmsProp, Sam, ScheduleFreeAdamW, ScheduleFreeSgd, Sgd, SignSgd, SparseAdam, Swa,
};
pub use crate::schedule::{
    Anneal, Constant, Cooldown, Cosine, CosineEnd, CosineRestarts, Exponential, InverseSqrt, Linear,
    LinearScaling, MultiStep, OneCycle, Polynomial, ReduceOnPlateau, SqrtScaling, Step, Warmup, Wsd,
};
pub use crate::shape::{
    Class, ClassMap, Embeddings, Features, Gaussians, Image, Labels, LogProbabilities, LogitMap, Logits,
    Probabilities, Series, TokenLogits, Tokens, Values,
};
pub use crate::spec::Device::Cpu;
pub use crate::spec::{Bf16, Dynamic, F16, F32, Skip, Static, Stop};
pub use crate::spec::{Checkpoint, EarlyStop};
pub use crate::spec::{InitFrom, Rename};
pub use trainspec_macros::{model, train};
