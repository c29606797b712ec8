//! Affine maps with a fused epilogue: linear, convolution and transposed convolution; and the same with a normalized weight.

use std::fmt::Debug;

use trainspec_kernels::conv2d::PackedWeight;
use trainspec_kernels::epilogue::Epilogue;
use trainspec_kernels::matmul::{PackedMatrix, WriteMode};
use trainspec_kernels::weight_norm;
use trainspec_kernels::{conv2d, linear, threads};

use super::{gradient, parameter};
use crate::error::Result;
use crate::op::{Backward, EpilogueSupport, Forward, Kernel, Prepared, Workspace};

/// A map with a weight and an optional bias, of any number of samples.
pub(crate) trait Affine: Debug + Send + Sync {
    /// A weight in the order in which the map reads it.
    type Packed: Send + Sync + 'static;

    /// The packed weight, for predictions; `None` if that gains nothing.
    fn pack(&self, weight: &[f32]) -> Option<Self::Packed>;

    /// Writes the output, before and after its epilogue.
    fn run(&self, map: Map<'_, Self::Packed>, pass: Pass<'_>);

    /// Writes the gradients of the weight and the bias.
    fn gradients(
        &self,
        batch: usize,
        x: &[f32],
        d: &[f32],
        weight: (&mut [f32], WriteMode),
        bias: Option<(&mut [f32], WriteMode)>,
    );

    /// Writes the gradient of the input.
    fn input_gradient(&self, batch: usize, d: &[f32], weight: &[f32], dx: (&mut [f32], WriteMode));
}

/// The weight and the bias of a map.
pub(crate) struct Map<'a, P> {
    weight: &'a [f32],
    packed: Option<&'a P>,
    bias: Option<&'a [f32]>,
}

/// What a map reads and writes.
pub(crate) struct Pass<'a> {
    batch: usize,
    x: &'a [f32],
    epilogue: &'a Epilogue<'a>,
    pre: Option<&'a mut [f32]>,
    output: &'a mut [f32],
}

/// `y = W x + b` for each vector of a sample.
#[derive(Debug)]
pub(crate) struct Linear {
    /// The number of vectors per sample.
    pub(crate) vectors: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl Linear {
    fn sizes(&self, batch: usize) -> linear::Linear {
        linear::Linear { rows: batch * self.vectors, inputs: self.inputs, outputs: self.outputs }
    }
}

/// A convolution of images; the number of images is set when it is called.
#[derive(Debug)]
pub(crate) struct Conv2d(pub(crate) conv2d::Conv2d);

impl Conv2d {
    fn sizes(&self, batch: usize) -> conv2d::Conv2d {
        conv2d::Conv2d { batch, ..self.0 }
    }
}

/// A transposed convolution of images; the number of images is set when it is called.
#[derive(Debug)]
pub(crate) struct ConvTranspose2d(pub(crate) conv2d::Transposed);

impl ConvTranspose2d {
    fn sizes(&self, batch: usize) -> conv2d::Transposed {
        conv2d::Transposed(conv2d::Conv2d { batch, ..self.0.0 })
    }
}

/// All kernels have the same interface: a weight, an optional bias, and an epilogue.
macro_rules! kernel {
    ($type:ident, $packed:ty, $pack:expr, |$weight:ident, $other:ident| $both:expr) => {
        impl Affine for $type {
            type Packed = $packed;

            fn pack(&self, weight: &[f32]) -> Option<$packed> {
                let pack: fn(&Self, &[f32]) -> Option<$packed> = $pack;
                pack(self, weight)
            }

            fn run(&self, map: Map<'_, $packed>, pass: Pass<'_>) {
                let Map { weight: $weight, packed: $other, bias } = map;
                let Pass { batch, x, epilogue, pre, output } = pass;
                self.sizes(batch).forward(x, $both, bias, epilogue, pre, output);
            }

            fn gradients(
                &self,
                batch: usize,
                x: &[f32],
                d: &[f32],
                weight: (&mut [f32], WriteMode),
                bias: Option<(&mut [f32], WriteMode)>,
            ) {
                self.sizes(batch).backward_weight(x, d, weight, bias);
            }

            fn input_gradient(&self, batch: usize, d: &[f32], weight: &[f32], dx: (&mut [f32], WriteMode)) {
                self.sizes(batch).backward_input(d, weight, dx);
            }
        }

        impl Kernel for $type {
            fn epilogue_support(&self) -> EpilogueSupport {
                EpilogueSupport::Forward
            }

            fn skips_frozen(&self) -> bool {
                true
            }

            fn prepare(&self, parameters: &[Vec<f32>]) -> Option<Prepared> {
                self.pack(parameter(parameters, 0)?).map(Prepared::new)
            }

            fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
                let map = Map {
                    weight: parameter(&pass.parameters, 0).unwrap_or_default(),
                    packed: pass.prepared.and_then(Prepared::get),
                    bias: parameter(&pass.parameters, 1),
                };
                let pass = Pass {
                    batch: pass.batch,
                    x: pass.inputs[0].floats(),
                    epilogue: &pass.epilogue,
                    pre: pass.pre.as_deref_mut(),
                    output: &mut *pass.output,
                };
                self.run(map, pass);
                Ok(())
            }

            fn backward(&self, pass: &mut Backward<'_>) {
                if let Some((weight, biases)) = pass.gradients.split_first_mut()
                    && !weight.is_empty()
                {
                    let bias = gradient(biases, 0, pass.onto);
                    let x = pass.inputs[0].floats();
                    self.gradients(pass.batch, x, pass.d, (weight, pass.onto), bias);
                }
                if let Some(dx) = pass.d_inputs[0].take() {
                    let weight = parameter(pass.parameters, 0).unwrap_or_default();
                    self.input_gradient(pass.batch, pass.d, weight, dx);
                }
            }
        }
    };
}

kernel!(Linear, PackedMatrix, |map, weight| map.sizes(1).pack(weight), |weight, packed| (weight, packed));
kernel!(Conv2d, PackedWeight, |map, weight| Some(map.0.pack(weight)), |weight, packed| (weight, packed));
kernel!(ConvTranspose2d, PackedWeight, |_, _| None, |weight, _packed| weight);

/// A map whose weight is stored as the lengths and the directions of its rows, in this order, before the bias.
#[derive(Debug)]
pub(crate) struct WeightNorm<A> {
    pub(crate) map: A,
    pub(crate) weight: weight_norm::WeightNorm,
}

impl<A> WeightNorm<A> {
    fn elements(&self) -> usize {
        self.weight.rows * self.weight.columns
    }
}

/// The weight of a trained model, and the same packed.
type PreparedWeight<P> = (Vec<f32>, Option<P>);

impl<A: Affine> Kernel for WeightNorm<A> {
    fn epilogue_support(&self) -> EpilogueSupport {
        EpilogueSupport::Forward
    }

    fn skips_frozen(&self) -> bool {
        true
    }

    fn needs(&self, _: usize) -> Workspace {
        // The weight, also for the backward pass, and its gradient.
        let weight = self.elements();
        Workspace { saved: weight, values: 0, forward: 0, backward: weight, evaluation: weight }
    }

    fn prepare(&self, parameters: &[Vec<f32>]) -> Option<Prepared> {
        let [g, v, ..] = parameters else { return None };
        let mut weight = vec![0.0; v.len()];
        // Other predictions wait meanwhile, perhaps on the threads of the pool.
        threads::alone(|| self.weight.forward(g, v, &mut weight));
        let packed = self.map.pack(&weight);
        Some(Prepared::new::<PreparedWeight<A::Packed>>((weight, packed)))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let prepared = pass.prepared.and_then(Prepared::get::<PreparedWeight<A::Packed>>);
        let (weight, packed) = match prepared {
            Some((weight, packed)) => (weight.as_slice(), packed.as_ref()),
            None => {
                let [g, v] = [0, 1].map(|place| parameter(&pass.parameters, place).unwrap_or_default());
                let memory = if pass.training { &mut *pass.saved } else { &mut *pass.scratch };
                let memory = &mut memory[..self.elements()];
                self.weight.forward(g, v, memory);
                (&*memory, None)
            }
        };
        let map = Map { weight, packed, bias: parameter(&pass.parameters, 2) };
        let pass = Pass {
            batch: pass.batch,
            x: pass.inputs[0].floats(),
            epilogue: &pass.epilogue,
            pre: pass.pre.as_deref_mut(),
            output: &mut *pass.output,
        };
        self.map.run(map, pass);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        if let ([g, v, ..], [dg, dv, biases @ ..]) = (pass.parameters, &mut *pass.gradients)
            && !dv.is_empty()
        {
            let d_weight = &mut pass.scratch[..self.elements()];
            let bias = gradient(biases, 0, pass.onto);
            let x = pass.inputs[0].floats();
            self.map.gradients(pass.batch, x, pass.d, (&mut *d_weight, WriteMode::Overwrite), bias);
            self.weight.backward(g, v, d_weight, (&mut **dg, &mut **dv), pass.onto);
        }
        if let Some(dx) = pass.d_inputs[0].take() {
            self.map.input_gradient(pass.batch, pass.d, &pass.saved[..self.elements()], dx);
        }
    }
}
