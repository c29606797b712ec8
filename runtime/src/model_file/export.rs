//! Models for other programs: a safetensors file with the names that PyTorch and candle use.

use candle_core::Tensor;
use serde_json::{Value, json};

use super::codec::{encode_tensors, named};
use crate::data::Normalizer;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::spec::canonical;

/// Where a file's metadata say how inputs are normalized: no tensor, so that the tensors are those of the layers alone.
pub(crate) const NORMALIZATION: &str = "normalization";

/// A model as the bytes of a file for PyTorch and candle.
pub(crate) fn encode_for_others(
    graph: &Graph,
    parameters: &[Tensor],
    normalizer: Option<&Normalizer>,
    seed: Option<u64>,
) -> Result<Vec<u8>> {
    let tensors = named(graph, parameters, |parameter| &parameter.torch)?;
    let ours = json!({
        "model": graph.name,
        "seed": seed,
        "version": env!("CARGO_PKG_VERSION"),
        NORMALIZATION: normalizer,
    });
    with_metadata(
        &encode_tensors(&tensors, &json!({}))?,
        json!({ "format": "pt", "trainspec": canonical(&ours) }),
    )
}

/// The same file with these metadata. safetensors writes several keys in the order of a hash map, which is another one each
/// time; here they are sorted.
fn with_metadata(file: &[u8], metadata: Value) -> Result<Vec<u8>> {
    let broken = || Error::Internal("a safetensors file that was just made cannot be read");
    let (length, rest) = file.split_first_chunk::<8>().ok_or_else(broken)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
    let (header, numbers) = rest.split_at_checked(length).ok_or_else(broken)?;
    let mut header: Value = serde_json::from_slice(header).map_err(|_| broken())?;
    header.as_object_mut().ok_or_else(broken)?.insert("__metadata__".to_owned(), metadata);
    let mut header = canonical(&header).into_bytes();
    // So that the numbers begin where a number of any type may.
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok([&(header.len() as u64).to_le_bytes(), header.as_slice(), numbers].concat())
}
