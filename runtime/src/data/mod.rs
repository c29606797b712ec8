//! Data: samples, their splits, and the batches of a run.
//!
//! | module | purpose |
//! | --- | --- |
//! | `dataset` | the [`Dataset`] trait |
//! | `split`, `parts`, `groups`, `normalizer` | dividing the samples; normalizing inputs and targets |
//! | `target_units` | predictions and targets in the units of the data |
//! | `fold` | the parts of a cross-validation |
//! | `first_pass`, `scan` | what is read and checked before the first step |
//! | `adapt` | a data set with another split or normalization, or with more declared properties |
//! | `memory` | samples from vectors |
//! | `replaced` | a path that `--data` replaces |
//! | `csv`, `idx` | samples from files of numbers, and of images; `file` and `stream` open them; `distinct` measures what rounding to f32 loses |
//! | `text`, `series` | windows of text files, and of time series |
//! | `images`, `npy` | samples from image files, and from arrays of NumPy; `stored` reads arrays that are larger than memory |
//! | `digits`, `mnist` | well-known data sets |
//! | `prepared` | data that were checked and are ready for a run; `scan`, `patterns`, `extremes` and `shared` check them |
//! | [`sampler`], [`augment`], [`mix`] | which samples a pass draws, and how those of a training batch are changed and mixed |
//! | `batch`, `read_ahead` | batches of consecutive samples, and the threads that read the next ones |
//!
#![doc = include_str!("../docs/data.md")]

pub use crate::loss::{BadTarget, PredictedAs, TargetRules};
pub use crate::shape::{Elements, Numbers};
pub use adapt::WithOverrides;
pub use batch::{Batch, BatchTensor, Mixed};
pub use csv::{Csv, CsvColumn};
pub use dataset::{AnyDataset, Dataset, IntoDataset};
pub use digits::Digits8x8;
pub use distinct::RoundedColumn;
pub(crate) use first_pass::Reads;
pub use fold::Division;
pub(crate) use fold::{Fold, FoldPlan};
pub use idx::Idx;
pub use images::{ImageFiles, ImageFolder};
pub use memory::InMemory;
pub use mnist::Mnist;
pub use normalizer::{Normalization, Normalizer};
pub(crate) use normalizers::ModelNormalizers;
pub use normalizers::Normalizers;
pub use npy::Npy;
pub(crate) use patterns::Patterns;
pub use prepared::PreparedDataset;
pub(crate) use read_ahead::ReadAhead;
pub(crate) use replaced::opened_with;
pub use replaced::{DataFile, data_file};
pub use sample_rng::SampleRng;
pub(crate) use scan::{Accepted, check};
pub use series::{SeriesWindows, Windows};
pub use split::Split;
pub(crate) use split::training_samples;
pub use target_units::TargetUnits;
pub use text::{Text, TextWindows, Vocabulary};

mod adapt;
pub mod augment;
mod batch;
mod csv;
mod dataset;
mod digits;
mod distinct;
mod extremes;
mod file;
mod first_pass;
mod fold;
mod groups;
mod idx;
mod images;
mod memory;
pub mod mix;
mod mnist;
mod normalizer;
mod normalizers;
mod npy;
mod parts;
mod patterns;
mod prepared;
mod read_ahead;
mod replaced;
mod sample_rng;
pub mod sampler;
mod scan;
mod series;
mod shared;
mod split;
mod stored;
mod stream;
mod target_units;
mod text;
