//! Model files: safetensors with one tensor for each parameter, under its path.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::json;

use super::export::{NORMALIZATION, TARGET_NORMALIZATION};
use super::format::no_safetensors;
use super::write::{NamedTensor, TensorFile};
use crate::data::{ModelNormalizers, Normalizer, Normalizers};
use crate::error::{Error, Result};
use crate::files::read_file;
use crate::format::{count, plain};
use crate::graph::{Graph, GraphParameter};

/// The tensor names of the normalization of each input: `normalization.mean` and `normalization.deviation`, and
/// `normalization.missing` with a 1 for each element that may be missing; in a model with several inputs,
/// `normalization.facts.mean` for the input `facts`.
fn normalization(graph: &Graph) -> impl Iterator<Item = [String; 3]> {
    names(NORMALIZATION, graph.inputs.iter().map(String::as_str).collect())
}

/// The same of each target: `target_normalization.mean`; in a model with several outputs, `target_normalization.price.mean`.
fn target_normalization(graph: &Graph) -> impl Iterator<Item = [String; 3]> {
    names(TARGET_NORMALIZATION, graph.outputs.iter().map(|output| output.name.as_str()).collect())
}

fn names(key: &'static str, values: Vec<&str>) -> impl Iterator<Item = [String; 3]> {
    let is_only = values.len() == 1;
    let prefix = move |name: &str| if is_only { key.to_owned() } else { format!("{key}.{name}") };
    let prefixes: Vec<_> = values.into_iter().map(prefix).collect();
    let parts = ["mean", "deviation", "missing"];
    prefixes.into_iter().map(move |prefix| parts.map(|part| format!("{prefix}.{part}")))
}

/// Whether a tensor belongs to the normalization of the inputs or the targets.
pub(super) fn is_normalization(name: &str) -> bool {
    let part = |key| name.strip_prefix(key).and_then(|part: &str| part.strip_prefix('.'));
    let part = part(NORMALIZATION).or_else(|| part(TARGET_NORMALIZATION));
    part.is_some_and(|part| matches!(part.rsplit('.').next(), Some("mean" | "deviation" | "missing")))
}

/// A model as a safetensors file, with the seed of its run. The values are in the graph's order.
pub(crate) fn model<'a>(
    graph: &Graph,
    numbers: &'a [Vec<f32>],
    normalizers: &'a ModelNormalizers,
    seed: Option<u64>,
) -> Result<TensorFile<'a>> {
    let mut tensors = named(graph, numbers, |parameter| &parameter.path);
    let inputs = (0..).zip(normalization(graph)).map(|(input, names)| (normalizers.inputs.of(input), names));
    let targets =
        (0..).zip(target_normalization(graph)).map(|(target, names)| (normalizers.targets.of(target), names));
    for (normalizer, [mean, deviation, missing]) in inputs.chain(targets) {
        let Some(normalizer) = normalizer else { continue };
        for (name, numbers) in [(mean, normalizer.mean()), (deviation, normalizer.deviation())] {
            tensors.push((name, vec![numbers.len()], Cow::Borrowed(numbers)));
        }
        if !normalizer.missing().is_empty() {
            let mut may_be = vec![0.0; normalizer.mean().len()];
            normalizer.missing().iter().for_each(|&element| may_be[element] = 1.0);
            tensors.push((missing, vec![may_be.len()], Cow::Owned(may_be)));
        }
    }
    let metadata = json!({ "model": graph.name, "seed": seed, "version": env!("CARGO_PKG_VERSION") });
    TensorFile::new(tensors, &metadata)
}

/// The parameters of a graph with these names.
pub(crate) fn named<'a>(
    graph: &Graph,
    numbers: &'a [Vec<f32>],
    name: impl Fn(&GraphParameter) -> &String,
) -> Vec<NamedTensor<'a>> {
    let tensor = |(parameter, numbers): (&GraphParameter, &'a Vec<f32>)| {
        (name(parameter).clone(), parameter.shape.axes().to_vec(), Cow::Borrowed(numbers.as_slice()))
    };
    graph.parameters.iter().zip(numbers).map(tensor).collect()
}

/// The content of a model file.
#[derive(Debug)]
pub(crate) struct Contents {
    /// In the graph's order.
    pub(crate) parameters: Vec<Vec<f32>>,
    pub(crate) normalizers: ModelNormalizers,
    /// The seed of the run that wrote the file; `None` if it was written by others.
    pub(crate) seed: Option<u64>,
}

/// Reads a model file. All tensors that are missing, unexpected or of another shape are named in one error, as are those with
/// values that no trained model has.
pub(crate) fn read(path: &Path, graph: &Graph) -> Result<Contents> {
    let bytes = read_file(path).map_err(Error::file(path))?;
    let contents = decode(&bytes, path, graph)?;
    let fault = |(parameter, values): (&GraphParameter, &Vec<f32>)| {
        parameter.fault(values).map(|fault| format!("`{}` {fault}", parameter.path))
    };
    let faults: Vec<_> = graph.parameters.iter().zip(&contents.parameters).filter_map(fault).collect();
    if faults.is_empty() {
        return Ok(contents);
    }
    let problem = format!("its values are not those of a trained model: {}", listed(&faults));
    Err(Error::ModelFile { path: path.to_owned(), problem })
}

/// The same for the bytes of a file, whose path is for errors.
pub(crate) fn decode(bytes: &[u8], path: &Path, graph: &Graph) -> Result<Contents> {
    let fault = |problem: String| Error::ModelFile { path: path.to_owned(), problem };
    let file = SafeTensors::deserialize(bytes).map_err(|error| fault(no_safetensors(bytes, error)))?;
    let mut faults = Vec::new();
    let mut parameters = Vec::new();
    for parameter in &graph.parameters {
        match named_either(&file, parameter) {
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
            Ok(view) => {
                let differs = |name: &&String| file.tensor(name).is_ok_and(|other| !is_same(&view, &other));
                faults.extend(parameter.tied_names().find(differs).map(|name| tie_fault(parameter, name)));
                parameters.push(numbers(view.data()));
            }
        }
    }
    let known: BTreeSet<_> = graph
        .parameters
        .iter()
        .map(
            |parameter| if file.tensor(&parameter.path).is_ok() { &parameter.path } else { &parameter.torch },
        )
        .chain(graph.parameters.iter().flat_map(GraphParameter::tied_names))
        .collect();
    for (name, view) in file.tensors() {
        if normalization(graph).chain(target_normalization(graph)).any(|names| names.contains(&name)) {
            if view.dtype() != Dtype::F32 {
                faults.push(format!("`{name}` is {:?}, expected F32", view.dtype()));
            }
            continue;
        }
        if !known.contains(&name) {
            faults.push(format!("`{}` is not a parameter of the model", shown(&name)));
        }
    }
    if !faults.is_empty() {
        faults.sort();
        return Err(fault(format!("not a file of `{}`: {}", graph.name, listed(&faults))));
    }
    let ours = metadata(bytes);
    let vector = |name: &str| file.tensor(name).ok().map(|view| numbers(view.data()));
    let normalizer = |[mean, deviation, missing]: [String; 3]| {
        let [mean, deviation, missing] = [mean, deviation, missing].map(|name| vector(&name));
        if let (None, None) = (&mean, &deviation) {
            return Ok(None);
        }
        let missing = missing.unwrap_or_default();
        let missing: Vec<_> =
            (0..).zip(missing).filter(|(_, flag)| *flag != 0.0).map(|(element, _)| element).collect();
        Normalizer::new(mean.unwrap_or_default(), deviation.unwrap_or_default())
            .and_then(|normalizer| normalizer.with_missing(&missing))
            .map(Some)
            .map_err(|error| fault(error.to_string()))
    };
    let read = |key: &str, each: Result<_>| {
        let normalizers = Normalizers::new(each?);
        match ours.as_ref().and_then(|ours| ours.get(key)).filter(|_| normalizers.is_empty()) {
            Some(json) => serde_json::from_value(json.clone())
                .map_err(|error| fault(format!("`{key}` in its metadata: {error}"))),
            None => Ok(normalizers),
        }
    };
    let inputs = read(NORMALIZATION, normalization(graph).map(normalizer).collect())?;
    let targets = read(TARGET_NORMALIZATION, target_normalization(graph).map(normalizer).collect())?;
    for (([mean, ..], shape), input) in normalization(graph).zip(graph.shapes_of_inputs()).zip(0..) {
        let (elements, normalizer) = (shape.elements(), inputs.of(input));
        if let Some(normalizer) = normalizer.filter(|normalizer| !normalizer.fits(elements)) {
            return Err(fault(format!(
                "`{mean}` has {} values; expected 1 or {elements}, the size of an input",
                normalizer.mean().len()
            )));
        }
    }
    for ([mean, ..], output) in target_normalization(graph).zip(0..) {
        let Some(normalizer) = targets.of(output) else { continue };
        // Normal distributions have two values, a mean and a log-variance, for each value of the target.
        let shape = graph.shape_of_output(output);
        let elements = shape.elements() / if shape.rank() == 2 { 2 } else { 1 };
        if !normalizer.fits(elements) {
            return Err(fault(format!(
                "`{mean}` has {} values; expected 1 or {elements}, the size of a target",
                normalizer.mean().len()
            )));
        }
    }
    let normalizers = ModelNormalizers { inputs, targets };
    Ok(Contents { parameters, normalizers, seed: ours.and_then(|ours| ours.get("seed")?.as_u64()) })
}

/// The values of the tensors with these names and shapes, if the file has these tensors and no others; each difference is named.
pub(crate) fn decode_tensors(
    bytes: &[u8],
    path: &Path,
    expected: &[(String, &[usize])],
    what: &str,
) -> Result<Vec<Vec<f32>>> {
    let fault = |problem: String| Error::ModelFile { path: path.to_owned(), problem };
    let file = SafeTensors::deserialize(bytes).map_err(|error| fault(no_safetensors(bytes, error)))?;
    let mut faults = Vec::new();
    let mut tensors = Vec::new();
    for (name, shape) in expected {
        match file.tensor(name) {
            Err(_) => faults.push(format!("`{name}` is missing")),
            Ok(view) if view.shape() != *shape || view.dtype() != Dtype::F32 => {
                let (dtype, found) = (view.dtype(), view.shape());
                faults.push(format!("`{name}` is {dtype:?} {found:?}, expected F32 {shape:?}"));
            }
            Ok(view) => tensors.push(numbers(view.data())),
        }
    }
    let known: BTreeSet<_> = expected.iter().map(|(name, _)| name.as_str()).collect();
    faults.extend(
        file.names()
            .into_iter()
            .filter(|name| !known.contains(name))
            .map(|name| format!("`{}` is not expected", shown(name))),
    );
    if faults.is_empty() {
        return Ok(tensors);
    }
    faults.sort();
    Err(fault(format!("not {what}: {}", listed(&faults))))
}

/// Whether two tensors of a file are equal.
pub(super) fn is_same(a: &TensorView<'_>, b: &TensorView<'_>) -> bool {
    a.shape() == b.shape() && a.dtype() == b.dtype() && a.data() == b.data()
}

/// The fault of a file whose tensor `name` is not equal to the parameter that it is tied to.
pub(super) fn tie_fault(parameter: &GraphParameter, name: &str) -> String {
    let path = &parameter.path;
    format!("`{}` differs from `{path}`, but both are one parameter of the model", shown(name))
}

/// A parameter's tensor: under its path, as runs write it, or under its PyTorch name, as exports write it; or under a name
/// of a layer that it is tied to.
fn named_either<'a>(
    file: &SafeTensors<'a>,
    parameter: &GraphParameter,
) -> Result<TensorView<'a>, SafeTensorError> {
    let own = file.tensor(&parameter.path).or_else(|_| file.tensor(&parameter.torch));
    own.or_else(|error| parameter.tied_names().find_map(|name| file.tensor(name).ok()).ok_or(error))
}

/// The metadata that this crate wrote, if there are any.
fn metadata(bytes: &[u8]) -> Option<serde_json::Value> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).ok()?;
    serde_json::from_str(metadata.metadata().as_ref()?.get("trainspec")?).ok()
}

/// Lists faults in a readable sentence: a file of another model may have any number of them.
pub(super) fn listed(faults: &[String]) -> String {
    const MOST: usize = 40;
    let named = faults[..faults.len().min(MOST)].join("; ");
    match faults.len() - faults.len().min(MOST) {
        0 => named,
        more => format!("{named}; and {} more", count(more as u64)),
    }
}

/// A name in a file, for a message.
pub(crate) fn shown(name: &str) -> String {
    plain(name, 120)
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    /// A model that returns its two features.
    fn graph() -> Graph {
        Graph {
            name: "same",
            nodes: vec![],
            parameters: vec![],
            shapes: vec![Shape::of(&[2])],
            inputs: vec!["input".to_owned()],
            outputs: vec![],
            bindings: crate::graph::Bindings::default(),
        }
    }

    fn bytes(normalizer: Option<&Normalizer>, seed: Option<u64>) -> Vec<u8> {
        let normalizers = ModelNormalizers {
            inputs: Normalizers::new(vec![normalizer.cloned()]),
            ..ModelNormalizers::default()
        };
        model(&graph(), &[], &normalizers, seed).unwrap().to_bytes().unwrap()
    }

    fn problem(path: &Path) -> String {
        let problem = read(path, &graph()).unwrap_err().to_string();
        problem.replace(&path.display().to_string(), "x")
    }

    #[test]
    fn mismatched_normalizer_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        for (elements, fits) in [(1, true), (2, true), (3, false)] {
            let saved = Normalizer::new(vec![0.1; elements], vec![0.3; elements]).unwrap();
            std::fs::write(&path, bytes(Some(&saved), Some(7))).unwrap();
            if fits {
                let contents = read(&path, &graph()).unwrap();
                assert_eq!((contents.normalizers.inputs.of(0), contents.seed), (Some(&saved), Some(7)));
            } else {
                assert_eq!(
                    problem(&path),
                    "x: `normalization.mean` has 3 values; expected 1 or 2, the size of an input"
                );
            }
        }
        std::fs::write(&path, bytes(None, None)).unwrap();
        let contents = read(&path, &graph()).unwrap();
        assert_eq!((contents.normalizers.inputs.of(0), contents.seed), (None, None));
        let half = TensorFile::new(
            vec![("normalization.deviation".to_owned(), vec![2], vec![1.0; 2].into())],
            &json!({}),
        );
        std::fs::write(&path, half.unwrap().to_bytes().unwrap()).unwrap();
        assert_eq!(
            problem(&path),
            "x: data: normalizer: 0 means and 2 deviations; expected the same number of both, at least one"
        );
    }

    #[test]
    fn message_length_is_bounded_with_many_unknown_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let tensors =
            (0..200_000).map(|i| (format!("layers.{i}.weight"), vec![1], vec![0.0].into())).collect();
        std::fs::write(&path, TensorFile::new(tensors, &json!({})).unwrap().to_bytes().unwrap()).unwrap();
        let problem = problem(&path);
        assert!(problem.len() < 4096, "{} bytes", problem.len());
        assert!(
            problem.starts_with("x: not a file of `same`: `layers.0.weight` is not a parameter"),
            "{problem}"
        );
        assert!(problem.ends_with("; and 199,960 more"), "{problem}");
    }
}
