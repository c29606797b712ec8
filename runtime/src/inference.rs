//! A trained model: parameters that predict, and the file that holds them.

use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::config::Config;
use crate::data::Normalizer;
use crate::data::check;
use crate::engine::Inference;
use crate::error::{Error, Result};
use crate::files::write_output_by;
use crate::graph::Graph;
use crate::model::Model;
use crate::model_file;
use crate::shape::{Element, InputKind, Kind, Numbers, Shape};

/// A model with trained parameters, on the CPU.
///
/// Predictions are computed by the same plan and kernels as the evaluations of a run: in f32 both give the same bits, whatever
/// the batch size and the number of threads. (A run in 16 bits evaluates in its `precision`; predictions are always in f32.)
/// Any number of threads may predict at once, and do not wait for each other; clones share the parameters.
///
/// ```no_run
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(x: Features<4>) -> Logits<3> {
///     x.linear(out = 3)
/// }
///
/// let net = Net::load("runs/net/1/model.safetensors")?;
/// let logits = net.predict(&[5.1, 3.5, 1.4, 0.2])?;
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Debug)]
pub struct TrainedModel<M> {
    inference: Arc<Inference>,
    normalizer: Option<Normalizer>,
    seed: Option<u64>,
    model: PhantomData<fn() -> M>,
}

impl<M> Clone for TrainedModel<M> {
    fn clone(&self) -> Self {
        let (inference, normalizer) = (Arc::clone(&self.inference), self.normalizer.clone());
        Self { inference, normalizer, seed: self.seed, model: PhantomData }
    }
}

impl<M: Model> TrainedModel<M> {
    pub(crate) fn new(
        graph: Graph,
        parameters: Vec<Vec<f32>>,
        normalizer: Option<Normalizer>,
        seed: Option<u64>,
    ) -> Result<Self> {
        let inference = Arc::new(Inference::new(graph, parameters)?);
        Ok(Self { inference, normalizer, seed, model: PhantomData })
    }

    /// Reads a model file of this graph.
    pub(crate) fn read(graph: Graph, path: &Path) -> Result<Self> {
        let model_file::Contents { parameters, normalizer, seed } = model_file::read(path, &graph)?;
        Self::new(graph, parameters, normalizer, seed)
    }

    /// Writes the model as safetensors: each parameter under its path, f32, and how inputs are normalized.
    /// The file appears whole or not at all; where `path` is a link it is that of its end, and a device or a pipe is written into.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let inference = &self.inference;
        let (graph, numbers) = (inference.graph(), inference.parameters());
        let file = model_file::model(graph, numbers, self.normalizer.as_ref(), self.seed)?;
        write_output_by(path.as_ref(), |to| file.write(to))
    }

    /// Writes the model for other programs, as safetensors with the names that PyTorch and candle use: a `state_dict` of
    /// modules that are called as the layers are.
    ///
    /// Each parameter and running statistic is f32, with the axes of PyTorch's layer, under the layer's path and its name in
    /// PyTorch: `conv2d_1.weight`, `block.0.linear_2.bias`, `batch_norm_1.running_mean`. That is its path in the files of a run
    /// too, but for these:
    ///
    /// | layer | in a run | in PyTorch |
    /// | --- | --- | --- |
    /// | `lstm`, `gru` | `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` | `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0` |
    /// | `self_attention` | `in_weight`, `in_bias`, `out_weight`, `out_bias` | `in_proj_weight`, `in_proj_bias`, `out_proj.weight`, `out_proj.bias` |
    ///
    /// A layer of one's own says its own: [`Parameter::named_in_torch`](crate::layer::Parameter::named_in_torch).
    ///
    /// The metadata are `format`, `pt`, and `trainspec`, a text of JSON: `model`, `seed`, `version`, and `normalization`, which
    /// is `null` or `{"mean": […], "deviation": […]}` with one number of each for an input's every element, in its order, or
    /// one for all. Inputs have to be normalized by them before the model sees them: `(x - mean) / deviation`, and 0 where
    /// the deviation is 0. What a data set does with its bytes before that (`Idx` divides pixels by 255) is not in the file.
    ///
    /// [`TrainedModel::load`] and `init_from` read it as well. Equal models give equal bytes; the file is written as [`TrainedModel::save`] writes it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn export(&self, path: impl AsRef<Path>) -> Result<()> {
        let inference = &self.inference;
        let (graph, numbers) = (inference.graph(), inference.parameters());
        let file = model_file::model_for_others(graph, numbers, self.normalizer.as_ref(), self.seed)?;
        write_output_by(path.as_ref(), |to| file.write(to))
    }

    /// The parameters and running statistics by their paths: copies as tensors, which are made once and kept.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        let paths = self.inference.graph().parameters.iter().map(|parameter| parameter.path.as_str());
        paths.zip(self.inference.tensors())
    }

    /// How inputs are normalized before the model sees them.
    pub fn normalizer(&self) -> Option<&Normalizer> {
        self.normalizer.as_ref()
    }

    /// The seed of the run that made it, from which a random split of its data comes; `None` for a file that
    /// was written by others.
    #[must_use]
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// The numbers of [`TrainedModel::parameters`], in the graph's order.
    pub(crate) fn numbers(&self) -> &[Vec<f32>] {
        self.inference.parameters()
    }
}

impl<M: Model> TrainedModel<M>
where
    M::Input: InputKind,
{
    /// Reads a model file.
    ///
    /// # Errors
    /// If the file cannot be read, or its tensors are not those of the model; all that differ are named.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::read(M::graph()?, path.as_ref())
    }

    /// What the model gives for some samples, one after the other as they come from the data, not yet
    /// normalized. Of no samples it gives nothing.
    ///
    /// After the first calls of a batch size, nothing is allocated but the result.
    ///
    /// # Errors
    /// If the numbers are not whole samples, or one of them is none that the data of a run could have: a real number that is
    /// not finite, or that normalization makes so, or a token that is not in the vocabulary. The first such is named.
    pub fn predict(&self, samples: &[<M::Input as Kind>::Element]) -> Result<Vec<f32>> {
        let shape = <M::Input as Kind>::SHAPE;
        let size = shape.elements();
        if size == 0 || !samples.len().is_multiple_of(size) {
            return Err(Error::Dataset(format!(
                "{} takes samples of {size} numbers, shape {shape}; {} numbers are given",
                <M as Config>::NAME,
                samples.len()
            )));
        }
        self.run(shape, samples.len() / size, Element::numbers(samples))
    }

    /// What the model gives for a batch of samples, not yet normalized.
    ///
    /// Tokens may be of any type of whole numbers that candle converts (`U8`, `U32`, `I64`); real inputs of `F32`, `F64`, `F16`,
    /// `BF16` or `U8` (pixels), of which `F64` is rounded to the nearest f32.
    ///
    /// # Shapes
    /// `[batch, …]` as the input's kind says; the result `[batch, …]` as the output's, f32 on the CPU.
    ///
    /// # Errors
    /// If the shape or the type is not one of the input's kind; and as [`TrainedModel::predict`].
    pub fn predict_tensor(&self, samples: &Tensor) -> Result<Tensor> {
        let shape = <M::Input as Kind>::SHAPE;
        if samples.dims().get(1..) != Some(shape.axes()) {
            return Err(Error::Dataset(format!(
                "{} takes [batch, …] of {shape}; the tensor is {:?}",
                <M as Config>::NAME,
                samples.dims()
            )));
        }
        let size = samples.dims().first().copied().unwrap_or(0);
        let flat = samples.to_device(&Device::Cpu)?.flatten_all()?;
        let output = match shape.vocabulary() {
            Some(vocabulary) => self.run(shape, size, Numbers::Int(&tokens(&flat, vocabulary, shape)?))?,
            None => self.run(shape, size, Numbers::Float(&reals::<M>(&flat)?))?,
        };
        let graph = self.inference.graph();
        let mut axes = vec![size];
        axes.extend(graph.shapes.get(graph.output).into_iter().flat_map(Shape::axes));
        Ok(Tensor::from_vec(output, axes, &Device::Cpu)?)
    }

    /// The output for samples that are checked as training data are.
    fn run(&self, shape: Shape, size: usize, input: Numbers<'_>) -> Result<Vec<f32>> {
        let name = |sample: usize| format!("sample {sample} (from 0)");
        check("input", &name, (shape, input), None, None)?;
        self.inference.run(size, input.into(), self.normalizer.as_ref())
    }
}

/// Real numbers of a tensor of one axis, for the model `M`.
fn reals<M: Model>(flat: &Tensor) -> Result<Vec<f32>> {
    match flat.dtype() {
        DType::F32 | DType::F64 | DType::F16 | DType::BF16 | DType::U8 => {
            Ok(flat.to_dtype(DType::F32)?.to_vec1()?)
        }
        other => Err(Error::Dataset(format!(
            "{} takes real numbers; the tensor is {other:?}; expected F32, F64, F16, BF16 or U8: convert it with \
             `to_dtype(DType::F32)`",
            <M as Config>::NAME
        ))),
    }
}

/// Tokens of a tensor of one axis. One that is no u32 is in no vocabulary.
fn tokens(flat: &Tensor, vocabulary: usize, shape: Shape) -> Result<Vec<u32>> {
    match flat.dtype() {
        DType::U32 | DType::U8 => Ok(flat.to_dtype(DType::U32)?.to_vec1()?),
        DType::I64 => {
            let size = shape.elements().max(1);
            let token = |(place, whole): (usize, i64)| {
                u32::try_from(whole).map_err(|_| {
                    Error::Dataset(format!(
                        "sample {} (from 0): element {} of the input is {whole}; expected a whole number from 0 to {}",
                        place / size,
                        place % size,
                        vocabulary.saturating_sub(1)
                    ))
                })
            };
            flat.to_vec1::<i64>()?.into_iter().enumerate().map(token).collect()
        }
        other => Err(Error::Dataset(format!(
            "the input is of tokens; the tensor is {other:?}; expected U32, U8 or I64: convert it with \
             `to_dtype(DType::U32)`"
        ))),
    }
}

/// Reading a trained model by the name of its model: `DigitNet::load("model.safetensors")`.
///
/// Every [`Model`] whose input is a single kind has it.
pub trait Load: Model {
    /// Reads a trained model.
    ///
    /// # Errors
    /// If the file cannot be read, or its tensors are not those of the model; all that differ are named.
    fn load(path: impl AsRef<Path>) -> Result<TrainedModel<Self>>
    where
        Self::Input: InputKind,
    {
        TrainedModel::load(path)
    }
}

impl<M: Model> Load for M {}
