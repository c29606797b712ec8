//! How two runs differ.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::checksums::MODEL;
use super::difference::{Change, changes};
use super::record::Record;
use super::replay::number;
use super::tensors::first_difference;
use crate::error::Result;

/// The comparison of two runs: [`diff`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// Their folders.
    pub folders: [PathBuf; 2],
    /// How each ended; `None` if its process was killed.
    pub exits: [Option<String>; 2],
    /// The changes to the declared settings, in order.
    pub overrides: [Vec<(String, String)>; 2],
    /// The keys of the spec that differ. The seed is one of them.
    pub spec: Vec<Change>,
    /// The fingerprints of the data, if they differ.
    pub data: Option<Change>,
    /// How the machines and programs differ on which they were started.
    pub environment: Vec<Change>,
    /// The last step of each run.
    pub steps: [u64; 2],
    /// The first step whose losses differ bit for bit.
    pub first: Option<Losses>,
    /// The step with the largest difference of the losses, among the steps of both runs.
    pub largest: Option<Losses>,
    /// The final measurements of each, by name: `validation loss`.
    pub results: Vec<Results>,
    /// The first tensor of the final models that differs, and how. `None` if none differs, or one run has no model.
    pub model: Option<Change>,
}

/// The losses of two runs at a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Losses {
    /// The step, from 1.
    pub step: u64,
    /// The losses; NaN where the loss was not finite.
    pub losses: [f64; 2],
}

impl Losses {
    /// The absolute difference; infinity if one of them is NaN.
    #[must_use]
    pub fn distance(&self) -> f64 {
        let [one, other] = self.losses;
        let distance = (one - other).abs();
        let is_same = one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan();
        match is_same {
            true => 0.0,
            false if distance.is_nan() => f64::INFINITY,
            false => distance,
        }
    }

    fn differ(&self) -> bool {
        let [one, other] = self.losses;
        one.to_bits() != other.to_bits() && !(one.is_nan() && other.is_nan())
    }
}

/// A final measurement of two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// `test accuracy`
    pub name: String,
    /// The values; `None` where a run has none.
    pub values: [Option<f64>; 2],
}

impl Comparison {
    /// Returns whether the runs are equal except for where and when they ran.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.spec.is_empty()
            && self.data.is_none()
            && self.steps[0] == self.steps[1]
            && self.first.is_none()
            && self.model.is_none()
            && self
                .results
                .iter()
                .all(|result| result.values[0].map(f64::to_bits) == result.values[1].map(f64::to_bits))
    }
}

/// Compares the specs, the environments and the curves of two runs, of the same program or of two programs.
///
/// ```no_run
/// use std::path::Path;
///
/// let runs = trainspec::run_dir::diff(Path::new("runs/digits/1"), Path::new("runs/digits/2"))?;
/// for change in &runs.spec {
///     println!("{change}");
/// }
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Errors
/// If a folder is not a run folder, another process is using it, or a file cannot be read.
pub fn diff(one: &Path, other: &Path) -> Result<Comparison> {
    let records = [Record::open(one)?, Record::open(other)?];
    let [old, new] = &records;
    let environments = records.each_ref().map(|record| {
        record
            .manifest
            .environments()
            .next()
            .map(super::environment::Environment::to_json)
            .unwrap_or_default()
    });
    let data = records.each_ref().map(|record| Value::from(record.manifest.data_fingerprint()));
    let steps = records.each_ref().map(losses);
    let both = || {
        let both = steps[0].iter().filter_map(|(&step, &loss)| Some((step, [loss, *steps[1].get(&step)?])));
        both.map(|(step, losses)| Losses { step, losses }).filter(Losses::differ)
    };
    let largest = both().fold(None, |largest: Option<Losses>, here| match largest {
        Some(largest) if largest.distance() >= here.distance() => Some(largest),
        _ => Some(here),
    });
    let models = [old.file(MODEL)?, new.file(MODEL)?];
    let model = match &models {
        [Some(old), Some(new)] => first_difference(old, new, &[]),
        _ => None,
    };
    Ok(Comparison {
        folders: records.each_ref().map(|record| record.path.clone()),
        exits: records.each_ref().map(|record| record.manifest.exit().map(ToOwned::to_owned)),
        overrides: records.each_ref().map(|record| {
            record.overrides().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        }),
        spec: changes(&old.spec, &new.spec),
        data: changes(&data[0], &data[1])
            .into_iter()
            .next()
            .map(|change| Change { key: "fingerprint".to_owned(), ..change }),
        environment: changes(&environments[0], &environments[1]),
        steps: steps.each_ref().map(|steps| steps.keys().last().copied().unwrap_or(0)),
        first: both().next(),
        largest,
        results: results(&records),
        model: model.map(|(key, old, new)| Change { key, old, new }),
    })
}

/// The loss of each step.
fn losses(record: &Record) -> BTreeMap<u64, f64> {
    let lines = record.logs.metrics.split(|&byte| byte == b'\n');
    let lines = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let steps = lines.filter(|line| line.get("kind").is_some_and(|kind| kind == "step"));
    steps.filter_map(|line| Some((line.get("step")?.as_u64()?, number(line.get("loss")?)?))).collect()
}

/// The final measurements of both: of the run's result, or of the last epoch if there is none.
fn results(records: &[Record; 2]) -> Vec<Results> {
    let mut found: BTreeMap<String, [Option<f64>; 2]> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        let lines = record.logs.metrics.rsplit(|&byte| byte == b'\n');
        let mut epochs = lines
            .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
            .filter(|line| line.get("kind").is_some_and(|kind| kind == "epoch"));
        let epoch = epochs.next().unwrap_or_default();
        let result = record.manifest.result().unwrap_or(&epoch);
        for (part, measured) in [
            ("training", epoch.get("training")),
            ("validation", result.get("validation")),
            ("test", result.get("test")),
        ] {
            let measured = measured.and_then(Value::as_object).into_iter().flatten();
            // Tables are not compared here; their content shows in the other values.
            for (name, value) in measured.filter(|(name, _)| *name != "samples") {
                if let Some(value) = number(value) {
                    found.entry(format!("{part} {name}")).or_default()[place] = Some(value);
                }
            }
        }
    }
    found.into_iter().map(|(name, values)| Results { name, values }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::experiment;

    #[test]
    fn loss_distance_handles_nan_and_infinity() {
        let distance = |one, other| Losses { step: 1, losses: [one, other] }.distance();
        assert!(distance(1.0, f64::NAN).is_infinite() && distance(f64::INFINITY, 1.0).is_infinite());
        for same in [1.0, f64::NAN, f64::INFINITY] {
            assert!(distance(same, same).abs() < f64::MIN_POSITIVE);
        }
        assert!(!Losses { step: 1, losses: [f64::NAN, f64::NAN] }.differ());
        assert!(Losses { step: 1, losses: [0.0, -0.0] }.differ());
    }

    #[test]
    fn diff_reports_changed_seed_and_learning_rate() {
        let out = tempfile::tempdir().unwrap();
        let run = |seed: u64, lr: &str| {
            let training = experiment().out(out.path()).seed(seed).set("optimizer.lr", lr).unwrap();
            training.run().unwrap().folder.unwrap()
        };
        let (one, same, seed, rate) = (run(1, "0.1"), run(1, "0.1"), run(2, "0.1"), run(1, "0.2"));
        let found = diff(&one, &same).unwrap();
        assert!(found.is_same() && found.environment.is_empty() && found.largest.is_none(), "{found:?}");
        assert_eq!((found.steps, found.overrides[0].len()), ([15, 15], 2));

        let found = diff(&one, &seed).unwrap();
        let keys: Vec<_> = found.spec.iter().map(|change| change.key.as_str()).collect();
        assert!(!found.is_same() && keys == ["seed"], "{found:?}");
        assert_eq!(found.first.unwrap().step, 1, "the initial weights differ");
        assert!(found.model.is_some());

        let found = diff(&one, &rate).unwrap();
        assert_eq!(found.spec[0].to_string(), "`optimizer.lr` was 0.1, is 0.2");
        assert_eq!(found.overrides[1][1], ("optimizer.lr".to_owned(), "0.2".to_owned()));
        // Both runs take the first step from equal weights.
        let (first, largest) = (found.first.unwrap(), found.largest.unwrap());
        assert_eq!(first.step, 2);
        assert!(largest.distance() >= first.distance());
        let names: Vec<_> = found.results.iter().map(|result| result.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "test accuracy",
                "test loss",
                "training accuracy",
                "training loss",
                "validation accuracy",
                "validation loss"
            ]
        );
        assert!(found.results.iter().all(|result| result.values.iter().all(Option::is_some)));

        let problem = diff(&one, &out.path().join("nowhere")).unwrap_err().to_string();
        assert!(problem.contains("expected a run folder"), "{problem}");
    }
}
