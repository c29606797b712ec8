//! A trained model: parameters that predict, and the file that holds them.

use std::marker::PhantomData;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use crate::config::Config;
use crate::data::Normalizer;
use crate::engine::forward;
use crate::error::{Error, Result};
use crate::files::write_output;
use crate::graph::Graph;
use crate::layer::Mode;
use crate::model::Model;
use crate::model_file;
use crate::shape::{InputKind, Kind};

/// A model with trained parameters, on the CPU.
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
#[derive(Clone, Debug)]
pub struct Trained<M> {
    graph: Graph,
    parameters: Vec<Tensor>,
    normalizer: Option<Normalizer>,
    seed: Option<u64>,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Trained<M> {
    pub(crate) fn new(
        graph: Graph,
        parameters: Vec<Tensor>,
        normalizer: Option<Normalizer>,
        seed: Option<u64>,
    ) -> Self {
        Self { graph, parameters, normalizer, seed, model: PhantomData }
    }

    /// Reads a model file of this graph.
    pub(crate) fn read(graph: Graph, path: &Path) -> Result<Self> {
        let model_file::Contents { parameters, normalizer, seed } = model_file::read(path, &graph)?;
        Ok(Self::new(graph, parameters, normalizer, seed))
    }

    /// Writes the model as safetensors: each parameter under its path, f32, and how inputs are normalized.
    /// The file appears whole or not at all; where `path` is a link it is that of its end, and a device or a pipe is written into.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let bytes = model_file::encode(&self.graph, &self.parameters, self.normalizer.as_ref(), self.seed)?;
        write_output(path.as_ref(), &bytes)
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
    /// [`Trained::load`] and `init_from` read it as well. Equal models give equal bytes; the file is written as [`Trained::save`] writes it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn export(&self, path: impl AsRef<Path>) -> Result<()> {
        let normalizer = self.normalizer.as_ref();
        let bytes = model_file::encode_for_others(&self.graph, &self.parameters, normalizer, self.seed)?;
        write_output(path.as_ref(), &bytes)
    }

    /// The parameters and running statistics by their paths.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.graph.parameters.iter().map(|parameter| parameter.path.as_str()).zip(&self.parameters)
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

    pub(crate) fn tensors(&self) -> &[Tensor] {
        &self.parameters
    }
}

impl<M: Model> Trained<M>
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
    /// normalized.
    ///
    /// # Errors
    /// If the numbers are not whole samples.
    pub fn predict(&self, samples: &[<M::Input as Kind>::Element]) -> Result<Vec<f32>>
    where
        <M::Input as Kind>::Element: candle_core::WithDType,
    {
        let shape = <M::Input as Kind>::SHAPE;
        let size = shape.elements();
        if size == 0 || !samples.len().is_multiple_of(size) {
            return Err(Error::Dataset(format!(
                "{} takes samples of {size} numbers, shape {shape}; {} numbers are given",
                <M as Config>::NAME,
                samples.len()
            )));
        }
        let mut axes = vec![samples.len() / size];
        axes.extend_from_slice(shape.axes());
        let input = Tensor::from_slice(samples, axes, &Device::Cpu)?;
        Ok(self.predict_tensor(&input)?.flatten_all()?.to_vec1()?)
    }

    /// What the model gives for a batch of samples, not yet normalized.
    ///
    /// # Shapes
    /// `[batch, …]` as the input's kind says; the result `[batch, …]` as the output's.
    ///
    /// # Errors
    /// If the shape is not that of the input's kind.
    pub fn predict_tensor(&self, samples: &Tensor) -> Result<Tensor> {
        let shape = <M::Input as Kind>::SHAPE;
        if samples.dims().get(1..) != Some(shape.axes()) {
            return Err(Error::Dataset(format!(
                "{} takes [batch, …] of {shape}; the tensor is {:?}",
                <M as Config>::NAME,
                samples.dims()
            )));
        }
        let samples = match &self.normalizer {
            Some(normalizer) => {
                let mut numbers = samples.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
                normalizer.apply(&mut numbers);
                Tensor::from_vec(numbers, samples.shape(), &Device::Cpu)?
            }
            None => samples.clone(),
        };
        Ok(forward(&self.graph, &self.parameters, &[samples], Mode::Evaluate)?.0)
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
    fn load(path: impl AsRef<Path>) -> Result<Trained<Self>>
    where
        Self::Input: InputKind,
    {
        Trained::load(path)
    }
}

impl<M: Model> Load for M {}
