//! The context of a layer's reference implementation: everything but its inputs.

use candle_core::{DType, Tensor};

use super::part::NodeParameter;
use crate::error::{Error, Result};
use crate::rng::{Purpose, StepIndex, Stream};

/// Whether a pass trains or evaluates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Training: dropout is on and batch norm uses the statistics of the batch.
    Train {
        /// The run's seed.
        seed: u64,
        /// The step and micro-batch, which select the dropout mask.
        at: StepIndex,
    },
    /// Evaluation: nothing is random and running statistics do not change.
    Evaluate,
}

/// The new value of a running statistic, stored after the pass.
#[derive(Clone, Debug)]
pub struct Statistic {
    /// Its index among the graph's parameters.
    pub index: usize,
    /// Its value.
    pub value: Tensor,
}

/// What a layer's forward pass may use in addition to its inputs.
pub struct Pass<'a> {
    mode: Mode,
    path: &'a str,
    own: &'a [NodeParameter],
    tensors: &'a [Tensor],
    statistics: &'a mut Vec<Statistic>,
    draws: u32,
    dtype: DType,
}

impl<'a> Pass<'a> {
    /// A pass through the layer at `path`, whose parameters are `own`, with these `tensors`.
    pub(crate) fn new(
        mode: Mode,
        path: &'a str,
        own: &'a [NodeParameter],
        tensors: &'a [Tensor],
        statistics: &'a mut Vec<Statistic>,
    ) -> Self {
        Self { mode, path, own, tensors, statistics, draws: 0, dtype: DType::F32 }
    }

    /// The same for real values of another type.
    pub(crate) fn with_dtype(self, dtype: DType) -> Self {
        Self { dtype, ..self }
    }

    /// Whether this pass trains.
    #[must_use]
    pub fn is_training(&self) -> bool {
        self.mode != Mode::Evaluate
    }

    /// The type of real values, for a layer that computes them from tokens: f32, or f64 in gradient tests.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The layer's parameter or running statistic called `name`.
    ///
    /// # Errors
    /// If the layer did not declare one of that name.
    pub fn parameter(&self, name: &str) -> Result<&Tensor> {
        let place = self.place(name)?;
        self.tensors.get(place).ok_or_else(|| self.unknown(name))
    }

    /// Sets the running statistic called `name` after the pass.
    ///
    /// # Errors
    /// If the layer did not declare one of that name.
    pub fn set_statistic(&mut self, name: &str, value: &Tensor) -> Result<()> {
        let index = self.own[self.place(name)?].index;
        self.statistics.push(Statistic { index, value: value.detach() });
        Ok(())
    }

    /// Inverted dropout of `x`: in training each element is kept with probability `1 - p` and multiplied
    /// by `1 / (1 - p)`; otherwise `x` itself.
    ///
    /// # Errors
    /// If a candle operation fails.
    pub fn dropout(&mut self, x: &Tensor, p: f64) -> Result<Tensor> {
        self.dropped(x, p, x.dims().to_vec())
    }

    /// Inverted dropout of whole samples of `x`, whose first axis is the batch: in training each sample is kept with
    /// probability `1 - p` and multiplied by `1 / (1 - p)`, or zeroed entirely; otherwise `x` itself.
    ///
    /// # Errors
    /// If a candle operation fails.
    pub fn dropout_of_samples(&mut self, x: &Tensor, p: f64) -> Result<Tensor> {
        let mut axes = vec![1; x.rank()];
        if let (Some(axis), Some(&samples)) = (axes.first_mut(), x.dims().first()) {
            *axis = samples;
        }
        self.dropped(x, p, axes)
    }

    /// `x` times a mask of shape `axes`.
    fn dropped(&mut self, x: &Tensor, p: f64, axes: Vec<usize>) -> Result<Tensor> {
        let Mode::Train { seed, at } = self.mode else {
            return Ok(x.clone());
        };
        if p == 0.0 {
            return Ok(x.clone());
        }
        // A layer that applies dropout twice uses a separate stream for each.
        let path = match self.draws {
            0 => self.path.to_owned(),
            draw => format!("{}#{draw}", self.path),
        };
        self.draws += 1;
        let stream = Stream::new(seed, Purpose::Dropout, &path);
        let dropout = stream.dropout(p, at);
        let mask: Vec<f32> = stream
            .words(at, axes.iter().product())
            .into_iter()
            .map(|word| if word < dropout.threshold { 0.0 } else { dropout.scale })
            .collect();
        let mask = Tensor::from_vec(mask, axes, x.device())?.to_dtype(x.dtype())?;
        Ok(x.broadcast_mul(&mask)?)
    }

    fn place(&self, name: &str) -> Result<usize> {
        self.own.iter().position(|parameter| parameter.name == name).ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> Error {
        Error::UnknownParameter { layer: self.path.to_owned(), name: name.to_owned() }
    }
}
