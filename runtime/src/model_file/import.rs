//! Initializing a run from a file, possibly of another program: [`InitFrom`].

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::codec::{is_normalization, is_same, listed, shown, tie_fault};
use super::format::no_safetensors;
use crate::error::{Error, Result};
use crate::graph::{Graph, GraphParameter};
use crate::optim::path;
use crate::spec::InitFrom;

/// The initial parameters of a graph: those of the file replace those in `numbers`, which keep their values where the file
/// is not read. The values of a parameter are converted while the file is in memory, and nothing else is copied.
///
/// # Errors
/// If the file cannot be read, or a tensor or a parameter is not accounted for; all of them are named.
pub(crate) fn begin(from: &InitFrom, graph: &Graph, numbers: &mut [Vec<f32>]) -> Result<()> {
    let bytes = from.read()?;
    let fault = |problem: String| Error::ModelFile { path: from.file.into(), problem };
    let file = SafeTensors::deserialize(&bytes).map_err(|error| fault(no_safetensors(&bytes, error)))?;
    let mut tensors = file.tensors();
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut reading = Reading { from, graph, faults: Vec::new(), passed: BTreeSet::new() };
    reading.check_patterns(&tensors);
    let placed = reading.place(&tensors);
    reading.fill(&tensors, &placed, numbers)?;
    if reading.faults.is_empty() {
        return Ok(());
    }
    let faults = listed(&reading.faults);
    Err(fault(format!(
        "`{}` cannot be initialized from it: {faults}. `names` renames tensors, `except` excludes parameters, `ignore` skips tensors",
        graph.name
    )))
}

/// Names and views, in alphabetical order.
type Tensors<'a> = [(String, TensorView<'a>)];

struct Reading<'a> {
    from: &'a InitFrom,
    graph: &'a Graph,
    faults: Vec<String>,
    /// The indices of tensors that need no parameter.
    passed: BTreeSet<usize>,
}

impl Reading<'_> {
    /// Checks that each pattern matches something.
    fn check_patterns(&mut self, tensors: &Tensors<'_>) {
        let from = self.from;
        let paths: Vec<&str> = self.graph.parameters.iter().map(|each| each.path.as_str()).collect();
        let names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
        let renames: Vec<&str> = from.names.iter().map(|rename| rename.from).collect();
        for (key, patterns, known, what) in [
            ("names", renames.as_slice(), &names, "tensor"),
            ("only", from.only, &paths, "parameter"),
            ("except", from.except, &paths, "parameter"),
            ("ignore", from.ignore, &names, "tensor"),
        ] {
            for pattern in patterns {
                if !known.iter().any(|name| path::matches(pattern, name)) {
                    let near = nearest(pattern, known.iter().copied());
                    let hint = if what == "parameter" {
                        path::hint(&self.graph.bindings, pattern)
                    } else {
                        String::new()
                    };
                    self.faults.push(format!("{key}: no {what} matches `{pattern}`{near}{hint}"));
                }
            }
        }
    }

    /// Assigns tensors to parameters, by index.
    fn place(&mut self, tensors: &Tensors<'_>) -> BTreeMap<usize, usize> {
        let mut known = BTreeMap::new();
        for (number, parameter) in self.graph.parameters.iter().enumerate() {
            known.insert(parameter.torch.as_str(), number);
        }
        for (number, parameter) in self.graph.parameters.iter().enumerate() {
            known.extend(parameter.tied_names().map(|name| (name.as_str(), number)));
        }
        // If a name is the path of one parameter and the PyTorch name of another, the path wins.
        for (number, parameter) in self.graph.parameters.iter().enumerate() {
            known.insert(parameter.path.as_str(), number);
        }
        let mut placed: BTreeMap<usize, usize> = BTreeMap::new();
        for (place, (name, _)) in tensors.iter().enumerate() {
            let called =
                self.from.names.iter().find_map(|rename| path::renamed(rename.from, rename.to, name));
            let called = called.as_deref().unwrap_or(name);
            let is_ignored = self.from.ignore.iter().any(|pattern| path::matches(pattern, name));
            let is_count = called
                .strip_suffix("num_batches_tracked")
                .is_some_and(|layer| known.contains_key(format!("{layer}running_mean").as_str()));
            let number = known.get(called).copied();
            let is_left_out =
                number.is_some_and(|number| !self.from.reads(&self.graph.parameters[number].path));
            if is_ignored || is_count || is_left_out || is_normalization(name) {
                self.passed.insert(place);
                continue;
            }
            let Some(number) = number else { continue };
            if let Some(other) = placed.insert(number, place) {
                let parameter = &self.graph.parameters[number];
                let (a, b) = (shown(&tensors[other].0), shown(name));
                if parameter.tied.is_empty() {
                    self.faults.push(format!("`{a}` and `{b}` both map to `{}`", parameter.path));
                } else if !is_same(&tensors[other].1, &tensors[place].1) {
                    let tensor = |place: &&usize| tensors[**place].0 != parameter.path;
                    let other = [other, place].iter().find(tensor).map_or(place, |place| *place);
                    self.faults.push(tie_fault(parameter, &tensors[other].0));
                }
                self.passed.insert(other);
            }
        }
        placed
    }

    /// The parameters, and every fault of a tensor or a parameter.
    fn fill(
        &mut self,
        tensors: &Tensors<'_>,
        placed: &BTreeMap<usize, usize>,
        numbers: &mut [Vec<f32>],
    ) -> Result<()> {
        let used: BTreeSet<usize> = placed.values().copied().collect();
        let spare: Vec<usize> = (0..tensors.len())
            .filter(|place| !used.contains(place) && !self.passed.contains(place))
            .collect();
        let mut missing = Vec::new();
        for (number, parameter) in self.graph.parameters.iter().enumerate() {
            if !self.from.reads(&parameter.path) {
                continue;
            }
            let Some((name, view)) = placed.get(&number).map(|&place| &tensors[place]) else {
                missing.push(parameter.path.as_str());
                let near = nearest(&parameter.path, spare.iter().map(|&place| tensors[place].0.as_str()));
                self.faults.push(format!("`{}` {} is missing{near}", parameter.path, parameter.shape));
                continue;
            };
            match read(parameter, view)? {
                Ok(read) => {
                    if let Some(place) = numbers.get_mut(number) {
                        *place = read;
                    }
                }
                Err(problem) => self.faults.push(format!("`{}` {problem}", shown(name))),
            }
        }
        for (count, &place) in spare.iter().enumerate() {
            let (name, view) = &tensors[place];
            // With so many faults, it is probably the wrong file.
            let near = if count < MOST { nearest(name, missing.iter().copied()) } else { String::new() };
            let (name, shape) = (shown(name), view.shape());
            self.faults.push(format!("`{name}` {shape:?} is not a parameter of the model{near}"));
        }
        Ok(())
    }
}

/// How many names are compared, and with how many.
const MOST: usize = 200;

/// The most similar names, as the end of a sentence.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let short = |name: &str| name.len() < 2 * MOST;
    let near =
        if short(name) { path::nearest(name, names.filter(|name| short(name)).take(MOST)) } else { vec![] };
    let near: Vec<_> = near.into_iter().map(|name| format!("`{}`", shown(name))).collect();
    if near.is_empty() {
        String::new()
    } else {
        format!(" (unmatched, with similar names: {})", near.join(", "))
    }
}

/// Converts a tensor's values for a parameter, or returns what is wrong with it.
fn read(parameter: &GraphParameter, view: &TensorView<'_>) -> Result<Result<Vec<f32>, String>> {
    let dtype = match view.dtype() {
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        Dtype::F64 => DType::F64,
        other => return Ok(Err(format!("is {other:?}; expected F32, F16, BF16 or F64"))),
    };
    let (found, expected) = (view.shape(), parameter.shape.axes());
    if found != expected {
        let is_turned = found.iter().rev().eq(expected);
        let hint = if is_turned { "; is it transposed? weights are [out, in] here" } else { "" };
        return Ok(Err(format!("is {found:?}; `{}` is {}{hint}", parameter.path, parameter.shape)));
    }
    let tensor = Tensor::from_raw_buffer(view.data(), dtype, found, &Device::Cpu)?.to_dtype(DType::F32)?;
    let numbers = tensor.flatten_all()?.to_vec1::<f32>()?;
    Ok(match parameter.fault(&numbers) {
        Some(fault) => Err(fault),
        None => Ok(numbers),
    })
}
