//! Batches: samples side by side, on the host.

use candle_core::{Device, Tensor};

use crate::error::Result;
use crate::shape::Shape;

/// Some samples of a data set.
#[derive(Clone, Debug)]
pub struct Batch {
    /// How many samples.
    pub size: usize,
    /// Their inputs.
    pub input: Column,
    /// Their targets.
    pub target: Column,
}

/// The inputs or the targets of a batch.
#[derive(Clone, Debug)]
pub struct Column {
    /// One sample's shape.
    pub shape: Shape,
    /// Sample after sample.
    pub elements: Elements,
}

/// Numbers of one of the types that kinds have.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// Real numbers.
    Real(Vec<f32>),
    /// Classes or tokens.
    Whole(Vec<u32>),
}

impl Column {
    /// The column as a tensor `[batch, …]`.
    ///
    /// # Errors
    /// If the device refuses it.
    pub fn to_tensor(&self, size: usize, device: &Device) -> Result<Tensor> {
        let mut axes = vec![size];
        axes.extend_from_slice(self.shape.axes());
        Ok(match &self.elements {
            Elements::Real(reals) => Tensor::from_slice(reals, axes, device)?,
            Elements::Whole(wholes) => Tensor::from_slice(wholes, axes, device)?,
        })
    }
}
