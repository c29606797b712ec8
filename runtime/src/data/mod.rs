//! Data: samples, their splits, and the batches of a run.

mod dataset;

pub use batch::{Batch, Column, Elements};
pub use dataset::{AnyDataset, Dataset, IntoDataset, Normalization, Split};

mod batch;
mod prepared;
pub use prepared::{Normalizer, Prepared};
