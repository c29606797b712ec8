//! Attention pooling: scores, their softmax, and the weighted means.

use trainspec_kernels::attention_pool;
use trainspec_kernels::epilogue::Epilogue;
use trainspec_kernels::linear::Linear;
use trainspec_kernels::matmul::WriteMode;

use super::{gradient, parameter};
use crate::error::Result;
use crate::op::{Backward, Forward, Kernel, Workspace};

/// A weighted mean of the positions of a sequence for each head.
#[derive(Debug)]
pub(crate) struct AttentionPool {
    pub(crate) length: usize,
    pub(crate) features: usize,
    pub(crate) heads: usize,
}

impl AttentionPool {
    fn sizes(&self, batch: usize) -> attention_pool::AttentionPool {
        let Self { length, features, heads } = *self;
        attention_pool::AttentionPool { batch, length, features, heads }
    }

    /// The product of every position and every query.
    fn scores(&self, batch: usize) -> Linear {
        Linear { rows: batch * self.length, inputs: self.features, outputs: self.heads }
    }

    /// The number of weights.
    fn weights(&self, batch: usize) -> usize {
        batch * self.length * self.heads
    }
}

impl Kernel for AttentionPool {
    fn needs(&self, batch: usize) -> Workspace {
        let weights = self.weights(batch);
        Workspace { saved: weights, values: weights, forward: 0, backward: weights, evaluation: weights }
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let (x, query) = (pass.inputs[0].floats(), parameter(&pass.parameters, 0).unwrap_or_default());
        let memory = if pass.training { &mut *pass.saved } else { &mut *pass.scratch };
        let weights = &mut memory[..self.weights(pass.batch)];
        self.scores(pass.batch).forward(x, query, None, &Epilogue::NONE, None, weights);
        self.sizes(pass.batch).forward(x, weights, pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let (x, query) = (pass.inputs[0].floats(), parameter(pass.parameters, 0).unwrap_or_default());
        let count = self.weights(pass.batch);
        let (weights, d_scores) = (&pass.saved[..count], &mut pass.scratch[..count]);
        let sizes = self.sizes(pass.batch);
        sizes.backward_scores(x, weights, pass.d, d_scores);
        if let Some(d_query) = gradient(pass.gradients, 0, pass.onto) {
            self.scores(pass.batch).backward_weight(x, d_scores, d_query, None);
        }
        if let Some((dx, onto)) = pass.d_inputs[0].take() {
            self.scores(pass.batch).backward_input(d_scores, query, (&mut *dx, onto));
            sizes.backward_values(weights, pass.d, (dx, WriteMode::Accumulate));
        }
    }
}
