//! A trained model: prediction, and reading and writing model files.

use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::config::Config;
use crate::data::{Accepted, ModelNormalizers, Normalizer, Normalizers, PredictedAs, TargetUnits, check};
use crate::engine::Inference;
use crate::error::{Error, Result};
use crate::files::write_output_by;
use crate::graph::Graph;
use crate::model::Model;
use crate::model_file;
use crate::shape::{Elements, InputKind, InputKinds, Kind, Kinds, Numbers, Shape, ordinal};

/// A model with trained parameters, on the CPU.
///
/// Predictions use the same plan and kernels as the evaluations of a run. In f32 both produce the same bits, whatever
/// the batch size and the number of threads, if every layer has a kernel: a layer that falls back to candle may sum in
/// another order for another batch size. (A run in 16 bits evaluates in its `precision`; predictions are always in f32.)
/// Any number of threads may predict at once without waiting for each other. Clones share the parameters.
///
/// The first prediction packs the weights of linear, convolutional, attention and recurrent layers in the order in which
/// their products read them, and other calls wait for it. The packed weights are kept with the model, and need as much memory as
/// those weights once more for each call of the layer (16/9 of it for a convolution with minimal filtering). A call that takes less than about 0.2 ms
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
    normalizers: ModelNormalizers,
    seed: Option<u64>,
    model: PhantomData<fn() -> M>,
}

impl<M> Clone for TrainedModel<M> {
    fn clone(&self) -> Self {
        let (inference, normalizers) = (Arc::clone(&self.inference), self.normalizers.clone());
        Self { inference, normalizers, seed: self.seed, model: PhantomData }
    }
}

impl<M: Model> TrainedModel<M> {
    pub(crate) fn new(
        graph: Graph,
        parameters: Vec<Vec<f32>>,
        normalizers: ModelNormalizers,
        seed: Option<u64>,
    ) -> Result<Self> {
        let inference = Arc::new(Inference::new(graph, parameters)?);
        Ok(Self { inference, normalizers, seed, model: PhantomData })
    }

    /// Reads a model file of this graph.
    pub(crate) fn read(graph: Graph, path: &Path) -> Result<Self> {
        let model_file::Contents { parameters, normalizers, seed } = model_file::read(path, &graph)?;
        Self::new(graph, parameters, normalizers, seed)
    }

    /// Writes the model as safetensors: each parameter as f32 under its path, and the normalization of the inputs and the targets.
    /// The write is atomic. Links are followed; a device or a pipe is written to directly.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let inference = &self.inference;
        let (graph, numbers) = (inference.graph(), inference.parameters());
        let file = model_file::model(graph, numbers, &self.normalizers, self.seed)?;
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
    /// where the deviation is 0. If `"missing"` lists elements, NaN in these is a missing value, which becomes 0. A model with several
    /// inputs has a list with such a value for each. What a data set does before that (`Idx` divides pixels by 255) is not in the file.
    ///
    /// If the targets were [normalized](crate::data::Dataset::with_target_normalization), `target_normalization` has the same form. Convert
    /// outputs to the units of the data: `mean + deviation * output`; of [`Gaussians`](crate::Gaussians) the means, and add
    /// `2 ln(deviation)` to the log-variances.
    ///
    /// [`TrainedModel::load`] and `init_from` read it as well. Equal models produce equal bytes. The write is atomic, as in
    /// [`TrainedModel::save`].
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn export(&self, path: impl AsRef<Path>) -> Result<()> {
        let inference = &self.inference;
        let (graph, numbers) = (inference.graph(), inference.parameters());
        let file = model_file::model_for_others(graph, numbers, &self.normalizers, self.seed)?;
        write_output_by(path.as_ref(), |to| file.write(to))
    }

    /// The parameters and running statistics by path, as tensors. They are copied once and cached.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        let paths = self.inference.graph().parameters.iter().map(|parameter| parameter.path.as_str());
        paths.zip(self.inference.tensors())
    }

    /// How inputs are normalized before the model sees them.
    pub fn normalizers(&self) -> &Normalizers {
        &self.normalizers.inputs
    }

    /// How the targets were normalized in training; predictions are converted back.
    pub fn target_normalizers(&self) -> &Normalizers {
        &self.normalizers.targets
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
    M::Input: InputKinds,
{
    /// Reads a model file.
    ///
    /// # Errors
    /// If the file cannot be read, or its tensors are not those of the model; all that differ are named.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::read(M::graph()?, path.as_ref())
    }

    /// Returns the model's outputs for consecutive samples. Both are as in the data: inputs before normalization, and outputs in the units
    /// of the targets. Without samples the result is empty.
    ///
    /// A model with several inputs takes a tuple of slices; one with several outputs returns a tuple of vectors. After the first
    /// calls with a batch size, only the result is allocated.
    ///
    /// ```no_run
    /// use trainspec::prelude::*;
    ///
    /// #[model]
    /// fn Price(photo: Image<1, 8, 8>, facts: Features<2>) -> (Logits<3>, Values<1>) {
    ///     let x = photo.flatten().concat(facts).linear(out = 16).relu();
    ///     let class = x.linear(out = 3);
    ///     let price = x.linear(out = 1);
    ///     (class, price)
    /// }
    ///
    /// let net = Price::load("runs/price/1/model.safetensors")?;
    /// let (classes, prices) = net.predict((&[0.0; 64], &[3.0, 120.0]))?;
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a length is not a multiple of a sample's size, the inputs have different numbers of samples, or a value is invalid: a
    /// real number that is not finite, before or after normalization, or a token outside the vocabulary. The first invalid value
    /// is named.
    pub fn predict(&self, samples: <M::Input as Kinds>::Slices<'_>) -> Result<<M::Output as Kinds>::Columns> {
        let (shapes, inputs) = (<M::Input as Kinds>::SHAPES, <M::Input as Kinds>::numbers(samples));
        let mut count = None;
        for (place, (shape, input)) in shapes.iter().zip(&*inputs).enumerate() {
            let (size, found) = (shape.elements(), input.len());
            let name = ordinal("", place, shapes.len());
            if size == 0 || !found.is_multiple_of(size) {
                return Err(Error::Dataset(format!(
                    "{} takes samples of {size} values, shape {shape}{}; found {found} values",
                    <M as Config>::NAME,
                    if name.is_empty() { name } else { format!(", as its {name}input") },
                )));
            }
            match count {
                Some(count) if count != found / size => {
                    return Err(Error::Dataset(format!(
                        "{} takes the same number of samples of each input; the first has {count}, the {name}input {}",
                        <M as Config>::NAME,
                        found / size
                    )));
                }
                _ => count = Some(found / size),
            }
        }
        let count = count.unwrap_or(0);
        let graph = self.inference.graph();
        let length = |output: usize| count.saturating_mul(graph.shape_of_output(output).elements());
        let mut outputs = <M::Output as Kinds>::with_capacity(&length);
        self.run(count, &inputs, |output, values| {
            <M::Output as Kinds>::extend(&mut outputs, output, values);
        })?;
        Ok(outputs)
    }

    /// Returns the model's outputs for a batch of samples, one tensor for each, from one tensor for each input, before
    /// normalization. The outputs are in the units of the targets.
    ///
    /// Tokens may be `U8`, `U32` or `I64`; real inputs `F32`, `F64`, `F16`, `BF16` or `U8` (pixels). `F64` is rounded to the
    /// nearest f32.
    ///
    /// # Shapes
    /// `[batch, …]` with the shape of the input's kind. The results are `[batch, …]` with the shapes of the outputs', f32 on
    /// the CPU.
    ///
    /// # Errors
    /// If there is not one tensor for each input, a shape or a type does not match the input's kind, and as
    /// [`TrainedModel::predict`].
    pub fn predict_tensors(&self, samples: &[&Tensor]) -> Result<Vec<Tensor>> {
        let shapes = <M::Input as Kinds>::SHAPES;
        if samples.len() != shapes.len() {
            return Err(Error::arity(<M as Config>::NAME, shapes.len(), samples.len()));
        }
        let count = samples.first().and_then(|tensor| tensor.dims().first()).copied().unwrap_or(0);
        let mut inputs = Vec::new();
        for (tensor, shape) in samples.iter().zip(shapes) {
            let axes = tensor.dims();
            if axes.get(1..) != Some(shape.axes()) || axes.first() != Some(&count) {
                return Err(Error::Dataset(format!(
                    "{} takes [batch, …] of {shape}; the tensor is {axes:?}",
                    <M as Config>::NAME
                )));
            }
            let flat = tensor.to_device(&Device::Cpu)?.flatten_all()?;
            inputs.push(match shape.vocabulary() {
                Some(vocabulary) => Elements::Int(tokens(&flat, vocabulary, *shape)?),
                None => Elements::Float(reals::<M>(&flat)?),
            });
        }
        let inputs: Vec<_> = inputs.iter().map(Elements::numbers).collect();
        let graph = self.inference.graph();
        let mut outputs = vec![Vec::new(); graph.outputs.len()];
        self.run(count, &inputs, |output, values| outputs[output].extend_from_slice(values))?;
        let tensor = |(output, values): (usize, Vec<f32>)| {
            let mut axes = vec![count];
            axes.extend_from_slice(graph.shape_of_output(output).axes());
            Ok(Tensor::from_vec(values, axes, &Device::Cpu)?)
        };
        outputs.into_iter().enumerate().map(tensor).collect()
    }

    /// [`TrainedModel::predict_tensors`] for a model with one input and one output.
    ///
    /// # Errors
    /// As [`TrainedModel::predict_tensors`].
    pub fn predict_tensor(&self, samples: &Tensor) -> Result<Tensor>
    where
        M::Input: InputKind,
        M::Output: Kind,
    {
        let output = self.predict_tensors(&[samples])?.pop();
        output.ok_or(Error::Internal("a model without an output"))
    }

    /// Checks the samples as training data are checked, and passes the values of each output to `take`, part by part.
    fn run(&self, count: usize, inputs: &[Numbers<'_>], mut take: impl FnMut(usize, &[f32])) -> Result<()> {
        let name = |sample: usize| format!("sample {sample} (from 0)");
        let shapes = <M::Input as Kinds>::SHAPES;
        for (place, (&shape, &input)) in shapes.iter().zip(inputs).enumerate() {
            let missing = self.normalizers.inputs.of(place).map_or(&[][..], Normalizer::missing);
            let accepted = Accepted { missing, ..Accepted::default() };
            match shapes.len() {
                // Without a copy of the name.
                1 => check("input", &name, (shape, input), &accepted)?,
                all => check(&ordinal("input", place, all), &name, (shape, input), &accepted)?,
            }
        }
        let ModelNormalizers { inputs: of_inputs, targets } = &self.normalizers;
        if targets.is_empty() {
            return self.inference.run(count, inputs, of_inputs, take);
        }
        let forms = <M::Output as Kinds>::NAMES.iter().map(|kind| PredictedAs::of_kind(kind));
        let units = TargetUnits::new(targets.clone(), forms.collect());
        let mut restored = Vec::new();
        self.inference.run(count, inputs, of_inputs, |output, values| {
            restored.clear();
            restored.extend_from_slice(values);
            let shape = self.inference.graph().shape_of_output(output);
            units.restore_predictions(output, shape, &mut restored);
            take(output, &restored);
        })
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
/// It is implemented for every [`Model`] whose inputs data can provide.
pub trait Load: Model {
    /// Reads a trained model.
    ///
    /// # Errors
    /// If the file cannot be read, or its tensors are not those of the model; all that differ are named.
    fn load(path: impl AsRef<Path>) -> Result<TrainedModel<Self>>
    where
        Self::Input: InputKinds,
    {
        TrainedModel::load(path)
    }

    /// Reads a trained model whose keys are these: `Net { depth: 4 }.load_as("model.safetensors")`.
    ///
    /// # Errors
    /// As [`Load::load`].
    fn load_as(&self, path: impl AsRef<Path>) -> Result<TrainedModel<Self>>
    where
        Self::Input: InputKinds,
    {
        TrainedModel::read(self.graph_of()?, path.as_ref())
    }
}

impl<M: Model> Load for M {}
