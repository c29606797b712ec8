//! Model files: safetensors with one tensor for each parameter, under its path.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use crate::data::Normalizer;
use crate::error::{Error, Result};
use crate::graph::Graph;

/// Where the normalization of the inputs is kept.
const MEAN: &str = "normalization.mean";
const DEVIATION: &str = "normalization.deviation";

/// A model as the bytes of a safetensors file.
pub(crate) fn encode(
    graph: &Graph,
    parameters: &[Tensor],
    normalizer: Option<&Normalizer>,
) -> Result<Vec<u8>> {
    let mut tensors: Vec<NamedTensor> = Vec::new();
    for (parameter, tensor) in graph.parameters.iter().zip(parameters) {
        let numbers = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        tensors.push((parameter.path.clone(), parameter.shape.axes().to_vec(), numbers));
    }
    if let Some(normalizer) = normalizer {
        for (name, numbers) in [(MEAN, &normalizer.mean), (DEVIATION, &normalizer.deviation)] {
            tensors.push((name.to_owned(), vec![numbers.len()], numbers.clone()));
        }
    }
    encode_tensors(
        &tensors,
        &serde_json::json!({ "model": graph.name, "version": env!("CARGO_PKG_VERSION") }),
    )
}

/// A tensor of a file: its name, axes, and numbers.
pub(crate) type NamedTensor = (String, Vec<usize>, Vec<f32>);

/// Named tensors as the bytes of a safetensors file.
pub(crate) fn encode_tensors(tensors: &[NamedTensor], metadata: &serde_json::Value) -> Result<Vec<u8>> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, numbers)| numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
        .collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, shape, _), bytes)| {
            Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    // One key only: several would be written in the random order of a hash map.
    let metadata = HashMap::from([("trainspec".to_owned(), metadata.to_string())]);
    views
        .and_then(|views| serialize(views, Some(metadata)))
        .map_err(|_| Error::Internal("a tensor whose numbers do not fill its shape"))
}

/// Reads a model file; every tensor that is missing, left over or of another shape is named at once.
pub(super) fn read(path: &Path, graph: &Graph) -> Result<(Vec<Tensor>, Option<Normalizer>)> {
    let bytes = std::fs::read(path).map_err(Error::file(path))?;
    let fault = |problem: String| Error::ModelFile { path: path.to_owned(), problem };
    let file =
        SafeTensors::deserialize(&bytes).map_err(|error| fault(format!("no safetensors file: {error}")))?;
    let mut faults = Vec::new();
    let mut parameters = Vec::new();
    for parameter in &graph.parameters {
        match file.tensor(&parameter.path) {
            Err(_) => faults.push(format!("`{}` is missing", parameter.path)),
            Ok(view) if view.shape() != parameter.shape.axes() || view.dtype() != Dtype::F32 => {
                faults.push(format!(
                    "`{}` is {:?} {:?}, expected F32 {}",
                    parameter.path,
                    view.dtype(),
                    view.shape(),
                    parameter.shape
                ));
            }
            Ok(view) => parameters.push(Tensor::from_vec(numbers(view.data()), view.shape(), &Device::Cpu)?),
        }
    }
    for name in file.names() {
        let is_known = [MEAN, DEVIATION].contains(&name)
            || graph.parameters.iter().any(|parameter| parameter.path == name);
        if !is_known {
            faults.push(format!("`{name}` is no parameter of the model"));
        }
    }
    if !faults.is_empty() {
        faults.sort();
        return Err(fault(format!("not a file of `{}`: {}", graph.name, faults.join("; "))));
    }
    let vector = |name| file.tensor(name).ok().map(|view| numbers(view.data()));
    let normalizer =
        vector(MEAN).zip(vector(DEVIATION)).map(|(mean, deviation)| Normalizer { mean, deviation });
    Ok((parameters, normalizer))
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()
}
