//! Ten models from the literature, declared as a user declares them: ten steps of training agree with PyTorch's from the same
//! weights, which are read from a file with the names of PyTorch's state dict.
//!
//! `models.py` has the same models in PyTorch. The reference is PyTorch in f64. PyTorch in f32 rounds as often as ours, in another
//! order, so its error over several orders measures how much a model amplifies roundings; ours may be a few times as large. Losses are sums over a
//! batch, so a few roundings of the largest one are added.

#![allow(missing_docs, clippy::unwrap_used)]

mod models;

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use serde_json::Value as Json;
use trainspec::data::InMemory;
use trainspec::prelude::*;
use trainspec::trainer::Event;
use trainspec::{Experiment, InputKinds, Result, TargetKinds};

/// 24 bits of an index.
fn mixed(index: u32) -> u32 {
    let hash = index.wrapping_mul(2_654_435_761);
    let hash = (hash ^ hash >> 16).wrapping_mul(2_246_822_519);
    (hash ^ hash >> 13) >> 8
}

/// From -1 to 1: multiples of 2^-23.
fn numbers(count: usize, salt: u32) -> Vec<f32> {
    (0..count as u32)
        .map(|index| (f64::from(mixed(index + salt)) / f64::from(1 << 23) - 1.0) as f32)
        .collect()
}

fn whole(count: usize, salt: u32, below: u32) -> Vec<u32> {
    (0..count as u32).map(|index| mixed(index + salt) % below).collect()
}

/// The initial tensors of a state dict, as `models.py` makes them.
fn state(json: &Json) -> HashMap<String, Tensor> {
    let shapes = json["state"].as_object().unwrap();
    let tied = shapes.contains_key("wte.weight");
    let mut tensors: HashMap<String, Tensor> = HashMap::new();
    for (name, shape) in shapes {
        let place = json["order"].as_array().unwrap().iter().position(|other| other == name).unwrap();
        let axes: Vec<usize> =
            shape.as_array().unwrap().iter().map(|axis| axis.as_u64().unwrap() as usize).collect();
        if name.ends_with("num_batches_tracked") {
            tensors.insert(name.clone(), Tensor::new(0_i64, &Device::Cpu).unwrap());
            continue;
        }
        let count: usize = axes.iter().product();
        let drawn = (0..count as u32)
            .map(|index| f64::from(mixed(index + 7919 * place as u32)) / f64::from(1 << 23) - 1.0);
        let fan_in = axes.iter().skip(1).product::<usize>() as f64;
        let mut values: Vec<f32> = if name.ends_with("running_mean") {
            vec![0.0; count]
        } else if name.ends_with("running_var") {
            vec![1.0; count]
        } else if axes.len() > 1 {
            drawn.map(|value| (value / fan_in.sqrt()) as f32).collect()
        } else if name.contains("norm") && name.ends_with("weight") {
            drawn.map(|value| (1.0 + value / 8.0) as f32).collect()
        } else {
            drawn.map(|value| (value / 8.0) as f32).collect()
        };
        if json["padded"].as_str() == Some(name) {
            values[..axes[1]].fill(0.0);
        }
        tensors.insert(name.clone(), Tensor::from_vec(values, axes, &Device::Cpu).unwrap());
    }
    if tied {
        let table = tensors["wte.weight"].clone();
        tensors.insert("head.weight".to_owned(), table);
    }
    tensors
}

/// Trains a model from PyTorch's weights, and compares its losses and its outputs.
fn agrees<M: Model>(
    name: &str,
    experiment: Experiment<M>,
    predict: impl Fn(&trainspec::TrainedModel<M>) -> Result<Vec<f32>>,
) where
    M::Input: InputKinds,
{
    let all: Json = serde_json::from_str(include_str!("models.json")).unwrap();
    let json = &all["models"][name];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.safetensors");
    candle_core::safetensors::save(&state(json), &file).unwrap();
    let mut losses = Vec::new();
    let mut observer = |event: &Event<'_>| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
        Ok(())
    };
    let experiment = experiment.set("init_from", file.to_str().unwrap()).unwrap().without_folder();
    let run = experiment.run_with(&mut observer).unwrap();
    let number = |json: &Json| json.as_f64().unwrap();
    let list = |json: &Json| json.as_array().unwrap().iter().map(number).collect::<Vec<f64>>();
    let close = |what: &str, found: &[f64], expected: &[f64], error: f64| {
        let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let allowed = 8.0 * error + 16.0 * largest * f64::from(f32::EPSILON) / 2.0;
        for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
            let off = (found - expected).abs();
            assert!(off <= allowed, "{name}, {what} {place}: {found} is not {expected}, within {allowed:e}");
        }
        assert!(allowed < 1e-3 * largest, "{name}, {what}: the bound {allowed:e} says nothing");
    };
    let expected = list(&json["losses"]);
    assert_eq!(losses.len(), expected.len(), "{name}: the steps");
    close("loss", &losses, &expected, number(&json["loss_error"]));
    assert!(losses.last() < losses.first(), "{name} learns");
    let outputs: Vec<f64> = predict(&run.model).unwrap().into_iter().map(f64::from).collect();
    let expected = list(&json["outputs"]);
    close("output", &outputs[..expected.len()], &expected, number(&json["output_error"]));
}

/// Data of which all samples are for training.
fn all<I: InputKinds, T: TargetKinds>(
    inputs: I::Columns,
    targets: T::Columns,
) -> Result<impl Dataset<Input = I, Target = T>> {
    Ok(InMemory::<I, T>::new(inputs, targets)?.with_split(Split::Random { validation: 0.0, test: 0.0 }))
}

fn images<const C: usize, const S: usize>(count: usize, salt: u32) -> Vec<f32> {
    numbers(count * C * S * S, salt)
}

fn next_tokens(tokens: &[u32]) -> Vec<u32> {
    tokens.chunks(8).flat_map(|row| row.iter().cycle().skip(1).take(8).copied()).collect()
}

fn tags() -> (Vec<u32>, Vec<u32>) {
    let end = |place: usize| place % 8 >= 6;
    let tokens =
        whole(4 * 8, 3, 23).into_iter().enumerate().map(|(place, token)| if end(place) { 0 } else { token });
    let tags =
        whole(4 * 8, 5, 4).into_iter().enumerate().map(|(place, tag)| if end(place) { 4 } else { tag });
    (tokens.collect(), tags.collect())
}

type Facts = (Tokens<23, 3>, Features<12>, Features<3>);

fn facts() -> (Vec<u32>, Vec<f32>, Vec<f32>) {
    (whole(6 * 3, 4, 23), numbers(6 * 12, 16), numbers(6 * 3, 17))
}

/// One run for each model: a step is an epoch, so that the order of the samples changes only the order of sums.
macro_rules! runs {
    ($($run:ident: $model:ident, $data:expr, $batch:literal, $lr:literal, $loss:expr;)*) => { $(
        train! {
            $run {
                model: models::$model,
                data: $data,
                loss: $loss,
                batch: $batch,
                epochs: 10,
                optimizer: Sgd { lr: $lr, momentum: 0.9 },
            }
        }
    )* };
}

runs! {
    TrainLeNet: LeNet, all::<Image<1, 16, 16>, Class<10>>(images::<1, 16>(6, 11), whole(6, 1, 10)), 6, 0.02, CrossEntropy;
    TrainResNet: ResNet18, all::<Image<3, 32, 32>, Class<10>>(images::<3, 32>(16, 12), whole(16, 1, 10)), 16, 0.002, CrossEntropy;
    TrainMobileNet: MobileNetV2, all::<Image<3, 32, 32>, Class<10>>(images::<3, 32>(16, 13), whole(16, 1, 10)), 16, 0.002, CrossEntropy;
    TrainUNet: UNet, all::<Image<1, 8, 8>, ClassMap<3, 8, 8>>(images::<1, 8>(3, 14), whole(3 * 64, 2, 3)), 3, 0.02, CrossEntropy;
    TrainAutoencoder: Autoencoder, all::<Image<1, 8, 8>, Values<64>>(images::<1, 8>(6, 31), images::<1, 8>(6, 31)), 6, 0.02, MeanSquaredError;
    TrainGpt2: Gpt2, all::<Tokens<23, 8>, Tokens<23, 8>>(whole(32, 3, 23), next_tokens(&whole(32, 3, 23))), 4, 0.02, CrossEntropy;
    TrainLlama: Llama, all::<Tokens<23, 8>, Tokens<23, 8>>(whole(32, 3, 23), next_tokens(&whole(32, 3, 23))), 4, 0.02, CrossEntropy;
    TrainTagger: Tagger, all::<Tokens<23, 8>, Tokens<5, 8>>(tags().0, tags().1), 4, 0.02, CrossEntropy { ignore_index: Some(4) };
    TrainTcn: Tcn, all::<Series<2, 12>, Class<4>>(numbers(5 * 24, 15), whole(5, 1, 4)), 5, 0.02, CrossEntropy;
    TrainWideAndDeep: WideAndDeep, all::<Facts, Class<2>>(facts(), whole(6, 1, 2)), 6, 0.02, CrossEntropy;
}

#[test]
fn lenet_trains_as_in_pytorch() {
    agrees("lenet", TrainLeNet::experiment(), |model| model.predict(&images::<1, 16>(6, 11)));
}

#[test]
fn resnet18_trains_as_in_pytorch() {
    agrees("resnet18", TrainResNet::experiment(), |model| model.predict(&images::<3, 32>(16, 12)));
}

#[test]
fn mobilenet_v2_trains_as_in_pytorch() {
    agrees("mobilenet_v2", TrainMobileNet::experiment(), |model| model.predict(&images::<3, 32>(16, 13)));
}

#[test]
fn unet_trains_as_in_pytorch() {
    agrees("unet", TrainUNet::experiment(), |model| model.predict(&images::<1, 8>(3, 14)));
}

#[test]
fn autoencoder_trains_as_in_pytorch() {
    agrees("autoencoder", TrainAutoencoder::experiment(), |model| model.predict(&images::<1, 8>(6, 31)));
}

#[test]
fn gpt2_trains_as_in_pytorch() {
    agrees("gpt2", TrainGpt2::experiment(), |model| model.predict(&whole(32, 3, 23)));
}

#[test]
fn llama_trains_as_in_pytorch() {
    agrees("llama", TrainLlama::experiment(), |model| model.predict(&whole(32, 3, 23)));
}

#[test]
fn bilstm_tagger_trains_as_in_pytorch() {
    agrees("bilstm_tagger", TrainTagger::experiment(), |model| model.predict(&tags().0));
}

#[test]
fn tcn_trains_as_in_pytorch() {
    agrees("tcn", TrainTcn::experiment(), |model| model.predict(&numbers(5 * 24, 15)));
}

#[test]
fn wide_and_deep_trains_as_in_pytorch() {
    let (tokens, crossed, numbers) = facts();
    agrees("wide_and_deep", TrainWideAndDeep::experiment(), |model| {
        model.predict((&tokens, &crossed, &numbers))
    });
}
