//! `trace.jsonl`: hashes that show where two runs diverge.
//!
//! The first line has the file's format. Each further line is for a step: the last of an epoch, one after which a
//! checkpoint is due, and every [`TRACED_EVERY`]th. It has a hash of each parameter and running statistic, one of the
//! optimizer's state and one of the average, and the *chain*: a hash over everything that the run has reported so far, each
//! step's loss, learning rate and norm bit for bit and each evaluation. It changes with any earlier difference.
//!
//! ```json
//! {"format":1,"every":100}
//! {"step":100,"epoch":2,"chain":"…32 digits…","parameters":{"linear_1.weight":"…16 digits…"},"optimizer":"…","average":null}
//! ```
//!
//! The hashes are XXH3 over f32 values in order, in little-endian bytes. They are the same on every machine and fast
//! to compute. They do not protect against deliberate forgery of a folder.

use std::hash::Hasher;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use twox_hash::{XxHash3_64, XxHash3_128};

use super::append_log::{AppendLog, Log, Recorded};
use super::tensors::TensorDifference;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::trainer::{EpochReport, Evaluation, StepReport, TRACED_EVERY, TracePoint};

/// The name of the file.
pub(super) const TRACE: &str = "trace.jsonl";
/// The format of the file that this version writes.
const FORMAT: u32 = 1;

/// The open file.
pub(super) struct Trace {
    journal: AppendLog,
    paths: Vec<String>,
    chain: Chain,
}

/// The length of the file and the chain at a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Traced {
    file: Recorded,
    chain: String,
}

impl Traced {
    /// Returns whether both records have the same length.
    pub(super) fn is_as_long_as(&self, other: &Self) -> bool {
        self.file.is_as_long_as(&other.file)
    }

    /// Reads the recorded part of the file, or returns why it does not match.
    pub(super) fn part<'a>(&self, file: &'a [u8]) -> Result<&'a [u8], String> {
        let fault = || format!("the saved chain is `{}`; expected 32 hexadecimal digits", self.chain);
        Chain::read(&self.chain).ok_or_else(fault)?;
        self.file.part(TRACE, file)
    }
}

#[derive(Serialize)]
struct Head {
    format: u32,
    every: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    step: u64,
    epoch: u64,
    chain: String,
    #[serde(serialize_with = "by_path")]
    parameters: (&'a [String], &'a [u64]),
    optimizer: String,
    average: Option<String>,
}

fn by_path<S: Serializer>((paths, hashes): &(&[String], &[u64]), serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(paths.iter().zip(hashes.iter().copied().map(digits)))
}

fn digits(hash: u64) -> String {
    format!("{hash:016x}")
}

impl Trace {
    /// Creates the lines of a run from its start.
    pub(super) fn begin(mut journal: AppendLog, graph: &Graph) -> Result<Self> {
        journal.write(&Head { format: FORMAT, every: TRACED_EVERY })?;
        journal.flush()?;
        Ok(Self { journal, paths: paths(graph), chain: Chain::default() })
    }

    /// Continues after the lines of a checkpoint.
    pub(super) fn resume(journal: AppendLog, graph: &Graph, traced: &Traced) -> Result<Self> {
        let missing = Error::Internal("a checkpoint's chain is not checked");
        let chain = Chain::read(&traced.chain).ok_or(missing)?;
        Ok(Self { journal, paths: paths(graph), chain })
    }

    /// [`AppendLog::cut`]
    pub(super) fn cut(&self) -> Result<()> {
        self.journal.cut()
    }

    /// A step that was taken or skipped.
    pub(super) fn step(&mut self, report: &StepReport) {
        let &StepReport { step, epoch, loss, lr, gradient_norm, samples, .. } = report;
        let is_skipped = u64::from(report.skip.is_some());
        let scale = report.loss_scale.map_or(0, f32::to_bits).into();
        self.chain.add(&[
            is_skipped,
            step,
            epoch,
            bits(loss),
            bits(lr),
            bits(gradient_norm),
            samples as u64,
            scale,
        ]);
    }

    /// An epoch that ended.
    pub(super) fn epoch(&mut self, report: &EpochReport) {
        let EpochReport { epoch, step, training, validation, lr, is_best } = report;
        self.chain.add(&[2, *epoch, *step, bits(*lr), u64::from(*is_best), 0, 0, 0]);
        for evaluation in [Some(training), validation.as_ref()] {
            self.chain.add_evaluation(evaluation);
        }
    }

    /// A step that gets a line.
    pub(super) fn point(&mut self, point: &TracePoint<'_>) -> Result<()> {
        let Hashes { parameters, optimizer, average } = Hashes::of(point);
        let words: Vec<_> = parameters.iter().copied().chain([optimizer, average.unwrap_or(0)]).collect();
        for words in words.chunks(Chain::WORDS) {
            let mut padded = [0; Chain::WORDS];
            padded[..words.len()].copy_from_slice(words);
            self.chain.add(&padded);
        }
        self.journal.write(&Line {
            step: point.step,
            epoch: point.epoch,
            chain: self.chain.to_string(),
            parameters: (&self.paths, &parameters),
            optimizer: digits(optimizer),
            average: average.map(digits),
        })?;
        // This is rare enough, and shows how far a killed run got.
        self.journal.flush()
    }

    /// The length of the file and the chain.
    pub(super) fn recorded(&self) -> Traced {
        Traced { file: self.journal.recorded(), chain: self.chain.to_string() }
    }

    /// The file, to be synced before a checkpoint relies on it.
    pub(super) fn log(&mut self) -> Result<Log> {
        self.journal.log()
    }

    /// How a line that was read differs from these values, except for the chain; and whether the difference is in a parameter.
    pub(super) fn difference(
        &self,
        line: &Value,
        point: &TracePoint<'_>,
    ) -> Option<(TensorDifference, bool)> {
        let Hashes { parameters, optimizer, average } = Hashes::of(point);
        let parameters: serde_json::Map<_, _> =
            self.paths.iter().cloned().zip(parameters.into_iter().map(|hash| digits(hash).into())).collect();
        let is = json!({
            "parameters": parameters, "optimizer": digits(optimizer), "average": average.map(digits),
        });
        line_difference(line, &is, &self.paths)
    }

    /// The paths of the parameters.
    pub(super) fn paths(&self) -> &[String] {
        &self.paths
    }

    /// The last line.
    pub(super) fn line(&self) -> &[u8] {
        self.journal.line()
    }
}

/// The hashes of a run's tensors.
struct Hashes {
    parameters: Vec<u64>,
    optimizer: u64,
    average: Option<u64>,
}

impl Hashes {
    fn of(point: &TracePoint<'_>) -> Self {
        Self {
            parameters: point.parameters.iter().map(|numbers| hash([numbers.as_slice()])).collect(),
            optimizer: hash(point.optimizer_state.iter().flatten().map(Vec::as_slice)),
            average: point.average.map(|average| hash(average.iter().map(Vec::as_slice))),
        }
    }
}

/// The first hash in which two lines differ, in the order of these paths; and whether it is that of a parameter.
pub(super) fn line_difference(was: &Value, is: &Value, paths: &[String]) -> Option<(TensorDifference, bool)> {
    let text = |value: Option<&Value>| match value.and_then(Value::as_str) {
        Some(hash) => format!("hashed as {hash}"),
        None => "missing".to_owned(),
    };
    let differs = |what: &str, was: Option<&Value>, is: Option<&Value>| {
        let (was, is) = (text(was), text(is));
        (was != is).then(|| (what.to_owned(), was, is))
    };
    let of =
        |line: &'_ Value, path: &str| line.get("parameters").and_then(|hashes| hashes.get(path)).cloned();
    let parameter =
        paths.iter().find_map(|path| differs(path, of(was, path).as_ref(), of(is, path).as_ref()));
    parameter.map(|difference| (difference, true)).or_else(|| {
        let others = ["optimizer", "average"].into_iter();
        others.filter_map(|key| differs(key, was.get(key), is.get(key))).map(|found| (found, false)).next()
    })
}

/// The line of a step, if there is one.
pub(super) fn line_of(lines: &[u8], step: u64) -> Option<Value> {
    let lines =
        lines.rsplit(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    lines.into_iter().find(|line| line.get("step").and_then(Value::as_u64) == Some(step))
}

fn paths(graph: &Graph) -> Vec<String> {
    graph.parameters.iter().map(|parameter| parameter.path.clone()).collect()
}

/// Hashes values bit for bit.
pub(super) fn hash<'a>(parts: impl IntoIterator<Item = &'a [f32]>) -> u64 {
    const NUMBERS: usize = 1024;
    let mut hasher = XxHash3_64::new();
    let mut bytes = [0; NUMBERS * size_of::<f32>()];
    for chunk in parts.into_iter().flat_map(|part| part.chunks(NUMBERS)) {
        let (places, _) = bytes.as_chunks_mut::<4>();
        for (place, number) in places.iter_mut().zip(chunk) {
            *place = number.to_le_bytes();
        }
        hasher.write(&bytes[..size_of_val(chunk)]);
    }
    hasher.finish()
}

/// The bits of a value, with one representation for every NaN.
fn bits(number: f64) -> u64 {
    if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() }
}

/// A running hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Chain(u128);

impl Chain {
    /// How much is added at once.
    const WORDS: usize = 8;

    fn add(&mut self, words: &[u64; Self::WORDS]) {
        let mut bytes = [0; size_of::<u128>() + Self::WORDS * size_of::<u64>()];
        let (before, rest) = bytes.split_at_mut(size_of::<u128>());
        before.copy_from_slice(&self.0.to_le_bytes());
        let (places, _) = rest.as_chunks_mut::<8>();
        for (place, word) in places.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        self.0 = XxHash3_128::oneshot(&bytes);
    }

    fn add_evaluation(&mut self, evaluation: Option<&Evaluation>) {
        let Some(Evaluation { loss, metrics, samples, .. }) = evaluation else { return self.add(&[3; 8]) };
        self.add(&[4, bits(*loss), *samples as u64, metrics.len() as u64, 0, 0, 0, 0]);
        for (name, value) in metrics {
            self.add(&[5, XxHash3_64::oneshot(name.as_bytes()), bits(*value), 0, 0, 0, 0, 0]);
        }
    }

    fn read(text: &str) -> Option<Self> {
        let is_whole = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        u128::from_str_radix(text, 16).ok().filter(|_| is_whole).map(Self)
    }
}

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::graph;
    use crate::trainer::StepMetrics;

    fn report() -> StepReport {
        StepReport {
            step: 3,
            epoch: 1,
            loss: 0.5,
            lr: 1e-3,
            gradient_norm: 1.5,
            gradient_norms: Vec::new(),
            samples: 4,
            metrics: StepMetrics::default(),
            loss_scale: None,
            skip: None,
        }
    }

    /// The test vectors of XXH3's own repository for empty input, so that the hash stays XXH3.
    #[test]
    fn known_answers() {
        assert_eq!(hash([]), 0x2d06_8005_38d3_94c2);
        assert_eq!(XxHash3_128::oneshot(&[]), 0x99aa_06d3_0147_98d8_6001_c324_468d_497f);
        let numbers: Vec<f32> = (0..5000).map(|number| number as f32).collect();
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        assert_eq!(hash([&numbers[..1500], &numbers[1500..]]), XxHash3_64::oneshot(&bytes));
    }

    /// Flips one bit of anything that is reported.
    #[test]
    fn trace_hash_covers_every_field() {
        let chain = |change: &dyn Fn(&mut StepReport)| {
            let mut trace = Trace::begin(AppendLog::unwritten(&[]), &graph()).unwrap();
            let mut report = report();
            change(&mut report);
            trace.step(&report);
            trace.chain
        };
        let plain = chain(&|_| {});
        let up = |number: &mut f64| *number = number.next_up();
        let changes: [&dyn Fn(&mut StepReport); 7] = [
            &|report| report.step += 1,
            &|report| report.epoch += 1,
            &|report| up(&mut report.loss),
            &|report| up(&mut report.lr),
            &|report| up(&mut report.gradient_norm),
            &|report| report.samples += 1,
            &|report| report.loss_scale = Some(1.0),
        ];
        for (place, change) in changes.into_iter().enumerate() {
            assert_ne!(chain(change), plain, "{place}");
        }
        assert_eq!(Chain::read(&plain.to_string()), Some(plain));
        for text in ["", "0", "+0000000000000000000000000000000", &"g".repeat(32), &"0".repeat(33)] {
            assert_eq!(Chain::read(text), None, "{text}");
        }
    }

    /// Flips one bit of any value of any tensor.
    #[test]
    fn trace_line_covers_every_tensor_value() {
        let graph = graph();
        let numbers = |part: f32| -> Vec<Vec<f32>> {
            graph.parameters.iter().map(|parameter| vec![part; parameter.shape.elements()]).collect()
        };
        let line = |parameters: &[Vec<f32>], state: &[Vec<Vec<f32>>], average: Option<&[Vec<f32>]>| {
            let mut trace = Trace::begin(AppendLog::unwritten(&[]), &graph).unwrap();
            trace
                .point(&TracePoint { step: 1, epoch: 1, parameters, optimizer_state: state, average })
                .unwrap();
            let line: Value = serde_json::from_slice(trace.line()).unwrap();
            line
        };
        let (parameters, state, average) = (numbers(0.1), vec![numbers(0.2), numbers(0.3)], numbers(0.4));
        let plain = line(&parameters, &state, Some(&average));
        let flipped = |numbers: &[Vec<f32>], place: usize| {
            let mut numbers = numbers.to_vec();
            let last = numbers[place].last_mut().unwrap();
            *last = f32::from_bits(last.to_bits() ^ 1);
            numbers
        };
        for (place, parameter) in graph.parameters.iter().enumerate() {
            let other = line(&flipped(&parameters, place), &state, Some(&average));
            for (path, hash) in plain["parameters"].as_object().unwrap() {
                assert_eq!(other["parameters"][path] != *hash, *path == parameter.path, "{path}");
            }
            assert_ne!(other["chain"], plain["chain"]);
            let states = [flipped(&state[0], place), state[1].clone()];
            let other = line(&parameters, &states, Some(&average));
            assert!(other["optimizer"] != plain["optimizer"] && other["chain"] != plain["chain"]);
            let other = line(&parameters, &state, Some(&flipped(&average, place)));
            assert!(other["average"] != plain["average"] && other["chain"] != plain["chain"]);
        }
    }
}
