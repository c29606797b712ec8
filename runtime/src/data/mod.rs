//! Data: samples, their splits, and the batches of a run.

mod dataset;

pub use dataset::{AnyDataset, Dataset, IntoDataset, Normalization, Split};
pub use batch::{Batch, Column, Elements};

mod batch;
