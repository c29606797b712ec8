//! Attention with given queries, keys and values.

use trainspec_kernels::attention::{GroupedAttention, Inputs};
use trainspec_kernels::matmul::WriteMode;

use super::self_attention::check_draws;
use crate::error::Result;
use crate::op::{Backward, Data, Forward, Kernel, RngState, SavedForBackward, Workspace};

/// Each query takes a weighted mean of the values.
#[derive(Debug)]
pub(crate) struct Attention {
    pub(crate) queries: usize,
    pub(crate) keys: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) width: usize,
    pub(crate) causal: bool,
    pub(crate) dropout: f64,
}

impl Attention {
    fn sizes(&self, batch: usize, draws: RngState) -> GroupedAttention {
        let Self { queries, keys, heads, kv_heads, width, causal, dropout } = *self;
        let dropout = draws.dropout(dropout);
        GroupedAttention { batch, queries, keys, heads, kv_heads, width, causal, dropout }
    }
}

/// The inputs of the kernel, of which the mask may be missing.
fn inputs<'a>(inputs: [Data<'a>; crate::op::MAX_INPUTS]) -> Inputs<'a> {
    let [query, key, value, mask] = inputs.map(Data::floats);
    Inputs { query, key, value, mask: (!mask.is_empty()).then_some(mask) }
}

impl Kernel for Attention {
    fn needs(&self, batch: usize) -> Workspace {
        let log_sums = batch * self.heads * self.queries;
        Workspace { saved: log_sums, values: 0, forward: 0, backward: 0, evaluation: log_sums }
    }

    fn reads(&self) -> SavedForBackward {
        SavedForBackward::BOTH
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        if self.dropout > 0.0 && pass.training {
            check_draws([pass.batch, self.heads, self.queries, self.keys])?;
        }
        let log_sums = if pass.training { &mut *pass.saved } else { &mut *pass.scratch };
        self.sizes(pass.batch, pass.draws).forward(&inputs(pass.inputs), pass.output, log_sums);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let [d_query, d_key, d_value, d_mask] = pass.d_inputs.each_mut().map(Option::take);
        // A mask has no gradient.
        if let Some((d_mask, WriteMode::Overwrite)) = d_mask {
            d_mask.fill(0.0);
        }
        let sizes = self.sizes(pass.batch, pass.draws);
        sizes.backward(&inputs(pass.inputs), pass.output, pass.saved, pass.d, [d_query, d_key, d_value]);
    }
}
