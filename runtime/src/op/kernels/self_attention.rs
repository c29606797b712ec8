//! Self-attention: two affine maps with attention between them.

use trainspec_kernels::attention::Attention;
use trainspec_kernels::epilogue::Epilogue;
use trainspec_kernels::linear::Linear;
use trainspec_kernels::matmul::{PackedMatrix, WriteMode};

use crate::error::{Error, Result};
use crate::op::{Backward, EpilogueSupport, Forward, Kernel, Prepared, RngState, Workspace, round};

/// The length of a stream of random numbers.
const DRAWS: usize = 1 << 34;

/// The packed weights of both maps.
type Packed = [Option<PackedMatrix>; 2];

/// Each position takes a weighted mean over all positions.
#[derive(Debug)]
pub(crate) struct SelfAttention {
    pub(crate) length: usize,
    pub(crate) features: usize,
    pub(crate) heads: usize,
    pub(crate) causal: bool,
    pub(crate) dropout: f64,
}

/// The values kept for the backward pass, or their gradients.
struct Parts<'a> {
    /// Queries, keys and values: `[batch, length, 3 features]`.
    projected: &'a mut [f32],
    /// The concatenated heads: `[batch, length, features]`.
    mixed: &'a mut [f32],
    log_sums: &'a mut [f32],
}

impl SelfAttention {
    fn attention(&self, batch: usize, draws: RngState) -> Attention {
        let Self { length, features, heads, causal, dropout } = *self;
        Attention { batch, length, heads, width: features / heads, causal, dropout: draws.dropout(dropout) }
    }

    /// The projection to queries, keys and values, and the output projection of the heads.
    fn maps(&self, batch: usize) -> [Linear; 2] {
        let (rows, inputs) = (batch * self.length, self.features);
        [3 * inputs, inputs].map(|outputs| Linear { rows, inputs, outputs })
    }

    fn parts<'a>(&self, batch: usize, memory: &'a mut [f32]) -> Parts<'a> {
        let mixed = batch * self.length * self.features;
        let (projected, memory) = memory.split_at_mut(3 * mixed);
        let (mixed, log_sums) = memory.split_at_mut(mixed);
        Parts { projected, mixed, log_sums }
    }

    fn kept(&self, batch: usize) -> usize {
        batch * self.length * (4 * self.features + self.heads)
    }
}

/// Parameters, or their gradients: weight and bias of both maps.
fn each<T>(parameters: &[T]) -> Option<[(&T, Option<&T>); 2]> {
    match parameters {
        [in_weight, in_bias, out_weight, out_bias] => {
            Some([(in_weight, Some(in_bias)), (out_weight, Some(out_bias))])
        }
        [in_weight, out_weight] => Some([(in_weight, None), (out_weight, None)]),
        _ => None,
    }
}

/// The destination of the gradient of a bias, if there is one.
#[expect(clippy::mut_mut, reason = "the gradients of a layer are a slice of slices")]
fn with<'a>(onto: WriteMode, bias: Option<&'a mut &mut [f32]>) -> Option<(&'a mut [f32], WriteMode)> {
    bias.map(|bias| (&mut **bias, onto))
}

/// Checks that dropout can draw a random number for each of these weights.
pub(super) fn check_draws(weights: [usize; 4]) -> Result<()> {
    let weights = weights.into_iter().fold(1, usize::saturating_mul);
    if weights <= DRAWS {
        return Ok(());
    }
    Err(Error::Batch(format!(
        "dropout has {weights} weights to draw; expected at most {DRAWS}; use a smaller batch"
    )))
}

impl Kernel for SelfAttention {
    fn epilogue_support(&self) -> EpilogueSupport {
        EpilogueSupport::Forward
    }

    fn needs(&self, batch: usize) -> Workspace {
        // Evaluation keeps nothing, and uses the same parts as scratch.
        let kept = self.kept(batch);
        let values = batch * self.length * 4 * self.features;
        Workspace { saved: kept, values, forward: 0, backward: kept, evaluation: kept }
    }

    fn prepare(&self, parameters: &[Vec<f32>]) -> Option<Prepared> {
        let [(in_weight, _), (out_weight, _)] = each(parameters)?;
        let [project, mix] = self.maps(1);
        let packed: Packed = [project.pack(in_weight), mix.pack(out_weight)];
        Some(Prepared::new(packed))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let Some([(in_weight, in_bias), (out_weight, out_bias)]) = each(&pass.parameters) else {
            return Err(Error::Internal("attention received other parameters than it declared"));
        };
        if self.dropout > 0.0 && pass.training {
            check_draws([pass.batch, self.heads, self.length, self.length])?;
        }
        let [project, mix] = self.maps(pass.batch);
        let memory = if pass.training { &mut *pass.saved } else { &mut *pass.scratch };
        let parts = self.parts(pass.batch, memory);
        let packed = pass.prepared.and_then(Prepared::get::<Packed>);
        let [in_packed, out_packed] = [0, 1].map(|map| packed.and_then(|packed| packed[map].as_ref()));
        let (in_weight, in_bias) = ((in_weight.as_slice(), in_packed), in_bias.map(Vec::as_slice));
        project.forward(pass.inputs[0].floats(), in_weight, in_bias, &Epilogue::NONE, None, parts.projected);
        round(pass.format, parts.projected);
        let attention = self.attention(pass.batch, pass.draws);
        attention.forward(parts.projected, parts.mixed, parts.log_sums);
        round(pass.format, parts.mixed);
        let (out_weight, out_bias) = ((out_weight.as_slice(), out_packed), out_bias.map(Vec::as_slice));
        let pre = pass.pre.as_deref_mut();
        mix.forward(parts.mixed, out_weight, out_bias, &pass.epilogue, pre, pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let Some([(in_weight, _), (out_weight, _)]) = each(pass.parameters) else { return };
        let [project, mix] = self.maps(pass.batch);
        let kept = self.parts(pass.batch, pass.saved);
        let d = self.parts(pass.batch, pass.scratch);
        let onto = pass.onto;
        let (d_in, d_out) = match &mut *pass.gradients {
            [in_weight, in_bias, out_weight, out_bias] => {
                ((in_weight, Some(in_bias)), (out_weight, Some(out_bias)))
            }
            [in_weight, out_weight] => ((in_weight, None), (out_weight, None)),
            _ => return,
        };

        mix.backward_weight(kept.mixed, pass.d, (d_out.0, onto), with(onto, d_out.1));
        mix.backward_input(pass.d, out_weight, (d.mixed, WriteMode::Overwrite));
        round(pass.format, d.mixed);
        let attention = self.attention(pass.batch, pass.draws);
        attention.backward(kept.projected, kept.mixed, kept.log_sums, d.mixed, d.projected);
        round(pass.format, d.projected);
        project.backward_weight(pass.inputs[0].floats(), d.projected, (d_in.0, onto), with(onto, d_in.1));
        if let Some(dx) = pass.d_inputs[0].take() {
            project.backward_input(d.projected, in_weight, dx);
        }
    }
}
