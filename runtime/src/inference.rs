//! A trained model: prediction, and reading and writing model files.

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
/// Predictions use the same plan and kernels as the evaluations of a run. In f32 both produce the same bits, whatever
/// the batch size and the number of threads, if every layer has a kernel: a layer that falls back to candle may sum in
/// another order for another batch size. (A run in 16 bits evaluates in its `precision`; predictions are always in f32.)
/// Any number of threads may predict at once without waiting for each other. Clones share the parameters.
///
/// The first prediction packs the weights of linear, convolutional, attention and recurrent layers in the order in which
/// their products read them, and other calls wait for it. The packed weights are kept with the model, and need as much memory as
/// those weights once more (16/9 of it for a convolution with minimal filtering). A call that takes less than about 0.2 ms
/// stays on its own thread.
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

    /// Writes the model as safetensors: each parameter as f32 under its path, and the normalization of the inputs.
    /// The write is atomic. Links are followed; a device or a pipe is written to directly.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let inference = &self.inference;
        let (graph, numbers) = (inference.graph(), inference.parameters());
        let file = model_file::model(graph, numbers, self.normalizer.as_ref(), self.seed)?;
        write_output_by(path.as_ref(), |to| file.write(to))
    }

    /// Writes the model for other programs, as safetensors with the names that PyTorch and candle use: a `state_dict`
    /// whose modules have the names of the layers.
    ///
    /// Each parameter and running statistic is f32, with the axes of PyTorch's layer, under the layer's path and its name in
    /// PyTorch: `conv2d_1.weight`, `block.0.linear_2.bias`, `batch_norm_1.running_mean`. This is also its path in the files of
    /// a run, except for:
    ///
    /// | layer | in a run | in PyTorch |
    /// | --- | --- | --- |
    /// | `lstm`, `gru` | `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` | `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0` |
    /// | `self_attention` | `in_weight`, `in_bias`, `out_weight`, `out_bias` | `in_proj_weight`, `in_proj_bias`, `out_proj.weight`, `out_proj.bias` |
    ///
    /// A custom layer sets its names with [`Parameter::named_in_torch`](crate::layer::Parameter::named_in_torch).
    ///
    /// The metadata are `format`, which is `pt`, and `trainspec`, a JSON string with `model`, `seed`, `version`, and
    /// `normalization`. The latter is `null` or `{"mean": […], "deviation": […]}`, with one value of each for every element of
    /// an input, in order, or one for all. Normalize inputs before passing them to the model: `(x - mean) / deviation`, and 0
    /// where the deviation is 0. What a data set does before that (`Idx` divides pixels by 255) is not in the file.
    ///
    /// [`TrainedModel::load`] and `init_from` read it as well. Equal models produce equal bytes. The write is atomic, as in
    /// [`TrainedModel::save`].
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn export(&self, path: impl AsRef<Path>) -> Result<()> {
        let inference = &self.inference;
        let (graph, numbers) = (inference.graph(), inference.parameters());
        let file = model_file::model_for_others(graph, numbers, self.normalizer.as_ref(), self.seed)?;
        write_output_by(path.as_ref(), |to| file.write(to))
    }

    /// The parameters and running statistics by path, as tensors. They are copied once and cached.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        let paths = self.inference.graph().parameters.iter().map(|parameter| parameter.path.as_str());
        paths.zip(self.inference.tensors())
    }

    /// How inputs are normalized before the model sees them.
    pub fn normalizer(&self) -> Option<&Normalizer> {
        self.normalizer.as_ref()
    }

    /// The seed of the run that trained it, which also determines a random split of the data. `None` for a file that
    /// another program wrote.
    #[must_use]
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// The values of [`TrainedModel::parameters`], in the graph's order.
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

    /// Returns the model's outputs for consecutive samples, which are as in the data, before normalization. Without
    /// samples the result is empty.
    ///
    /// After the first calls with a batch size, only the result is allocated.
    ///
    /// # Errors
    /// If the length is not a multiple of a sample's size, or a value is invalid: a real number that is not finite, before or
    /// after normalization, or a token outside the vocabulary. The first invalid value is named.
    pub fn predict(&self, samples: &[<M::Input as Kind>::Element]) -> Result<Vec<f32>> {
        let shape = <M::Input as Kind>::SHAPE;
        let size = shape.elements();
        if size == 0 || !samples.len().is_multiple_of(size) {
            return Err(Error::Dataset(format!(
                "{} takes samples of {size} values, shape {shape}; found {} values",
                <M as Config>::NAME,
                samples.len()
            )));
        }
        self.run(shape, samples.len() / size, Element::numbers(samples))
    }

    /// Returns the model's output for a batch of samples, before normalization.
    ///
    /// Tokens may be `U8`, `U32` or `I64`; real inputs `F32`, `F64`, `F16`, `BF16` or `U8` (pixels). `F64` is rounded to the
    /// nearest f32.
    ///
    /// # Shapes
    /// `[batch, …]` with the shape of the input's kind. The result is `[batch, …]` with the shape of the output's, f32 on
    /// the CPU.
    ///
    /// # Errors
    /// If the shape or the type does not match the input's kind, and as [`TrainedModel::predict`].
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

    /// Checks the samples as training data are checked, and returns the output.
    fn run(&self, shape: Shape, size: usize, input: Numbers<'_>) -> Result<Vec<f32>> {
        let name = |sample: usize| format!("sample {sample} (from 0)");
        check("input", &name, (shape, input), None, None)?;
        self.inference.run(size, input.into(), self.normalizer.as_ref())
    }
}

/// The real values of a tensor of one axis, for the model `M`.
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

/// The tokens of a tensor of one axis. A value that does not fit in u32 is an error.
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
            "the input takes tokens; the tensor is {other:?}; expected U32, U8 or I64: convert it with \
             `to_dtype(DType::U32)`"
        ))),
    }
}

/// Reads a trained model through its model type: `DigitNet::load("model.safetensors")`.
///
/// It is implemented for every [`Model`]; the input must be a single kind.
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
