//! Loads exported files in another library: modules of candle-nn with the names of our layers compute the same values.
//!
//! `torch.py` does the same with PyTorch and is run manually; README.md describes how, and its results.
//!
//! Seen to fail: with our own names in the file, with a peer whose batch norm normalizes by the batch, with the input
//! normalization missing from the metadata.

#![allow(missing_docs, clippy::unwrap_used)]

mod models;
mod peers;

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use trainspec::data::{InMemory, Normalization};
use trainspec::prelude::*;
use trainspec::{Model, TrainedModel};

/// Returns the largest difference of two tensors.
fn distance(a: &Tensor, b: &Tensor) -> f64 {
    let in_f64 = |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap();
    let difference = (in_f64(a) - in_f64(b)).unwrap().abs().unwrap();
    difference.max_all().unwrap().to_scalar().unwrap()
}

/// Compares a trained model with its peer, and writes both to files for `torch.py` if requested.
///
/// The peer in f64 is accurate to 1e-14. In f32 it sums the same products as our layers in another order, so both have errors
/// of one size. Ours may be eight times that of the peer, since the largest of some hundreds of errors with one deviation is
/// within a factor of two or three of another such maximum, plus half a unit in the last place of the largest logit, for
/// peers that are exact by chance.
fn compare<M: Model>(name: &str, trained: &TrainedModel<M>, samples: &Tensor, peer: peers::Peer)
where
    M::Input: trainspec::InputKind,
    M::Output: trainspec::Kind,
{
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    trained.export(&file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let ours = trained.predict_tensor(samples).unwrap();
    let normalized = peers::normalized(&bytes, samples);
    let theirs = |dtype| {
        let weights = VarBuilder::from_buffered_safetensors(bytes.clone(), dtype, &Device::Cpu).unwrap();
        let input = match normalized.dtype() {
            DType::U32 => normalized.clone(),
            _ => normalized.to_dtype(dtype).unwrap(),
        };
        peer(&input, &weights).unwrap()
    };
    let (exact, single) = (theirs(DType::F64), theirs(DType::F32));
    let largest: f64 = exact.abs().unwrap().max_all().unwrap().to_scalar().unwrap();
    let bound = 8.0 * distance(&single, &exact) + largest * f64::from(f32::EPSILON) / 2.0;
    let found = distance(&ours, &exact);
    assert!(found <= bound, "{name}: {found:e} from candle's logits in f64; expected at most {bound:e}");
    assert!(bound < 1e-4 * largest, "{name}: the bound {bound:e} says nothing");

    // The exported file is read back as the same model.
    let back = trained_again::<M>(&file);
    assert_eq!(distance(&back.predict_tensor(samples).unwrap(), &ours).to_bits(), 0.0_f64.to_bits());
    back.export(folder.path().join("again")).unwrap();
    assert_eq!(std::fs::read(folder.path().join("again")).unwrap(), bytes, "{name}");

    if let Some(out) = std::env::var_os("INTEROP_OUT") {
        let path = |kind: &str| Path::new(&out).join(format!("{name}{kind}.safetensors"));
        std::fs::copy(&file, path("")).unwrap();
        let case = [("samples".to_owned(), samples.clone()), ("logits".to_owned(), ours)];
        candle_core::safetensors::save(&case.into(), path(".expected")).unwrap();
    }
}

fn trained_again<M: Model>(file: &Path) -> TrainedModel<M>
where
    M::Input: trainspec::InputKind,
    M::Output: trainspec::Kind,
{
    TrainedModel::load(file).unwrap()
}

/// Returns pseudo-random values between -1 and 1.
fn numbers(count: usize, salt: u32) -> Vec<f32> {
    (0..count as u32)
        .map(|place| (place + salt).wrapping_mul(2_654_435_761) >> 8)
        .map(|hash| hash as f32 / (1_u32 << 23) as f32 - 1.0)
        .collect()
}

fn tokens(count: usize, salt: u32) -> Vec<u32> {
    (0..count as u32).map(|place| ((place + salt).wrapping_mul(2_654_435_761) >> 8) % 11).collect()
}

fn reals(axes: &[usize]) -> Tensor {
    Tensor::from_vec(numbers(axes.iter().product(), 77), axes, &Device::Cpu).unwrap()
}

pub(crate) fn points() -> trainspec::Result<impl Dataset<Input = Features<6>, Target = Class<3>>> {
    let inputs = numbers(60 * 6, 1).into_iter().map(|x| 3.0 * x + 5.0).collect();
    Ok(InMemory::new(inputs, (0..60).map(|i| i % 3).collect())?.with_normalization(Normalization::PerElement))
}

pub(crate) fn sequences() -> trainspec::Result<InMemory<Tokens<11, 8>, Tokens<11, 8>>> {
    InMemory::new(tokens(32 * 8, 3), tokens(32 * 8, 4))
}

#[test]
fn exported_perceptron_with_normalizer_matches_pytorch() {
    let run = models::Points::experiment().without_folder().run().unwrap();
    assert!(!run.model.normalizers().is_empty());
    compare("mlp", &run.model, &reals(&[9, 6]), peers::mlp);
}

#[test]
fn exported_convolution_and_batch_norm_match_pytorch() {
    let run = models::Digits::experiment().without_folder().run().unwrap();
    compare("digits", &run.model, &reals(&[5, 1, 8, 8]), peers::digits);
}

#[test]
fn exported_transformer_matches_pytorch() {
    let run = models::Characters::experiment().without_folder().run().unwrap();
    let samples = Tensor::from_vec(tokens(4 * 8, 9), (4, 8), &Device::Cpu).unwrap();
    compare("gpt", &run.model, &samples, peers::gpt);
}

#[test]
fn exported_recurrent_layers_match_pytorch() {
    let run = models::Recurring::experiment().without_folder().run().unwrap();
    let samples = Tensor::from_vec(tokens(4 * 8, 5), (4, 8), &Device::Cpu).unwrap();
    compare("recurrent", &run.model, &samples, peers::recurrent);
}

/// PyTorch's module with a tied weight has it under both names.
#[test]
fn exported_tied_weights_match_pytorch() {
    let run = models::Tying::experiment().without_folder().run().unwrap();
    let samples = Tensor::from_vec(tokens(4 * 8, 7), (4, 8), &Device::Cpu).unwrap();
    compare("tied", &run.model, &samples, peers::tied);
}

/// The header is sorted, and its length aligns the values.
#[test]
fn exported_file_has_sorted_aligned_header() {
    let run = models::Recurring::experiment().without_folder().run().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    run.model.export(&file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    assert_eq!(length % 8, 0);
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    assert_eq!(header["__metadata__"]["format"], "pt");
    let ours: serde_json::Value =
        serde_json::from_str(header["__metadata__"]["trainspec"].as_str().unwrap()).unwrap();
    assert_eq!((&ours["model"], &ours["normalization"]), (&"recurrent".into(), &serde_json::Value::Null));
    let names: Vec<_> = header.as_object().unwrap().keys().filter(|name| *name != "__metadata__").collect();
    let expected = [
        "embedding_1.weight",
        "gru_1.bias_hh_l0",
        "gru_1.bias_ih_l0",
        "gru_1.weight_hh_l0",
        "gru_1.weight_ih_l0",
        "linear_1.bias",
        "linear_1.weight",
        "lstm_1.bias_hh_l0",
        "lstm_1.bias_ih_l0",
        "lstm_1.weight_hh_l0",
        "lstm_1.weight_ih_l0",
    ];
    assert_eq!(names, expected);
}
