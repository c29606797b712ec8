//! Exported models: safetensors files with the names that PyTorch and candle use.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::codec::named;
use super::write::TensorFile;
use crate::data::ModelNormalizers;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::spec::canonical;

/// The metadata key of the normalization. It is not a tensor, so that the tensors are those of the layers alone.
pub(crate) const NORMALIZATION: &str = "normalization";

/// The same for the normalization of the targets.
pub(crate) const TARGET_NORMALIZATION: &str = "target_normalization";

/// A model as a file for PyTorch and candle. The values are in the graph's order. A parameter that is tied has a tensor for
/// each of its names, as in PyTorch's `state_dict`.
pub(crate) fn model_for_others<'a>(
    graph: &Graph,
    numbers: &'a [Vec<f32>],
    normalizers: &ModelNormalizers,
    seed: Option<u64>,
) -> Result<TensorFile<'a>> {
    let mut tensors = named(graph, numbers, |parameter| &parameter.torch);
    for (parameter, numbers) in graph.parameters.iter().zip(numbers) {
        let axes = parameter.shape.axes();
        let copies = parameter.tied.iter();
        tensors.extend(
            copies.map(|tied| (tied.torch.clone(), axes.to_vec(), Cow::Borrowed(numbers.as_slice()))),
        );
    }
    let mut ours = json!({
        "model": graph.name,
        "seed": seed,
        "version": env!("CARGO_PKG_VERSION"),
        NORMALIZATION: normalizers.inputs,
    });
    if !normalizers.targets.is_empty() {
        ours[TARGET_NORMALIZATION] = json!(normalizers.targets);
    }
    let metadata = json!({ "format": "pt", "trainspec": canonical(&ours) });
    TensorFile::new(tensors, &json!({}))?.with_header(|header| with_metadata(header, metadata))
}

/// Adds metadata to the header, with sorted keys: safetensors writes several keys in the order of a hash map, which
/// changes each time.
fn with_metadata(header: &[u8], metadata: Value) -> Result<Vec<u8>> {
    let broken = || Error::Internal("a safetensors file that was just made cannot be read");
    let mut header: Value = serde_json::from_slice(header).map_err(|_| broken())?;
    header.as_object_mut().ok_or_else(broken)?.insert("__metadata__".to_owned(), metadata);
    Ok(canonical(&header).into_bytes())
}
