//! `manifest.json`: where a run comes from, what it ran on, and how it ended.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::clock::noted_after;
use super::environment::Environment;
use super::metrics::Measured;
use super::start::Start;
use crate::data::DataFile;
use crate::error::{Error, Result};
use crate::files::{is_no_file, read_file, write_atomic};
use crate::trainer::{DataLoad, Outcome, Resumed};

/// The format of manifests that this version writes.
const FORMAT: u32 = 1;

/// The manifest of one run. An unknown value is `null`.
///
/// It is written when the run starts, with `end` and `exit` null, and again when the run ends. A run that was
/// killed leaves them null.
#[derive(Serialize, Deserialize)]
pub(super) struct Manifest {
    #[serde(skip)]
    path: PathBuf,
    /// [`FORMAT`]
    #[serde(default)]
    format: u32,
    name: String,
    id: String,
    seed: u64,
    overrides: Vec<Override>,
    spec_hash: String,
    data: Data,
    #[serde(flatten)]
    environment: Environment,
    start: String,
    end: Option<String>,
    exit: Option<String>,
    result: Option<serde_json::Value>,
    /// How long the steps of the last process waited for their data.
    #[serde(default)]
    data_load: Option<Load>,
    /// Each time that the run was resumed.
    #[serde(default)]
    resumed: Vec<Resumption>,
}

/// A time at which a run was resumed.
#[derive(Serialize, Deserialize)]
struct Resumption {
    time: String,
    /// The checkpoint's step.
    step: u64,
    /// Newer checkpoints that are damaged.
    damaged: Vec<String>,
    /// Keys of the spec that have changed since the checkpoint, with permission.
    spec_changes: Vec<String>,
    #[serde(flatten)]
    environment: Environment,
}

#[derive(Serialize, Deserialize)]
struct Load {
    waited_seconds: f64,
    elapsed_seconds: f64,
    threads: usize,
}

#[derive(Serialize, Deserialize)]
struct Override {
    key: String,
    value: String,
}

#[derive(Serialize, Deserialize)]
struct Data {
    fingerprint: String,
    training_samples: usize,
    validation_samples: usize,
    test_samples: usize,
    /// How many samples were checked before the first step; absent in a manifest from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checked_samples: Option<usize>,
    /// Whether the losses are those of normalized targets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    normalizes_targets: bool,
    /// The files that they were read from, if the program takes others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<DataFile>,
}

impl Manifest {
    fn new(path: PathBuf, id: &str, start: &Start<'_>, environment: Environment) -> Self {
        Self {
            path,
            format: FORMAT,
            name: start.name.to_owned(),
            id: id.to_owned(),
            seed: start.settings.seed,
            overrides: overrides(start),
            spec_hash: start.spec_hash.to_owned(),
            data: Data {
                fingerprint: start.data.fingerprint().to_owned(),
                training_samples: start.data.train().len(),
                validation_samples: start.data.validation().len(),
                test_samples: start.data.test().len(),
                checked_samples: Some(start.data.checked()),
                normalizes_targets: !start.data.target_units().is_empty(),
                files: start.data.files().to_vec(),
            },
            environment,
            start: noted_after(""),
            end: None,
            exit: None,
            result: None,
            data_load: None,
            resumed: Vec::new(),
        }
    }

    /// The manifest of a resumed run: the old one and the new entry. It is not written yet. A damaged one is
    /// rebuilt, because a run does not depend on it.
    pub(super) fn resumed(path: PathBuf, start: &Start<'_>, resumed: &Resumed) -> Result<Self> {
        let environment = Environment::of(start);
        let bytes = match read_file(&path) {
            Err(error) if is_no_file(&error) => Vec::new(),
            bytes => bytes.map_err(Error::file(&path))?,
        };
        let read = serde_json::from_slice::<Self>(&bytes).ok();
        let mut manifest = read.unwrap_or_else(|| {
            let id = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
            Self::new(PathBuf::new(), &id, start, environment.clone())
        });
        manifest.path = path;
        (manifest.end, manifest.exit, manifest.result) = (None, None, None);
        (manifest.overrides, manifest.spec_hash) = (overrides(start), start.spec_hash.to_owned());
        let time = manifest.now();
        manifest.resumed.push(Resumption {
            time,
            step: resumed.step,
            damaged: resumed.damaged.clone(),
            spec_changes: resumed.changes.clone(),
            environment,
        });
        Ok(manifest)
    }

    /// Reads the manifest of an existing run.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = read_file(path).map_err(Error::file(path))?;
        let fault =
            |problem: String| Error::File { path: path.to_owned(), cause: std::io::Error::other(problem) };
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|error| fault(format!("not a run manifest: {error}")))?;
        if manifest.format != FORMAT {
            return Err(fault(format!("has the format {}; this version reads {FORMAT}", manifest.format)));
        }
        Ok(manifest)
    }

    /// The environment of each process that worked on the run, in order.
    pub(super) fn environments(&self) -> impl Iterator<Item = &Environment> {
        std::iter::once(&self.environment).chain(self.resumed.iter().map(|resumed| &resumed.environment))
    }

    /// The steps at which the run was resumed with another spec, and what had changed.
    pub(super) fn spec_changes(&self) -> impl Iterator<Item = (u64, &[String])> {
        let changes = self.resumed.iter().map(|resumed| (resumed.step, resumed.spec_changes.as_slice()));
        changes.filter(|(_, changes)| !changes.is_empty())
    }

    /// The changes to the declared settings: each key and value.
    pub(super) fn overrides(&self) -> impl Iterator<Item = (&str, &str)> {
        self.overrides.iter().map(|change| (change.key.as_str(), change.value.as_str()))
    }

    /// Whether the run came to its own end.
    pub(super) fn is_complete(&self) -> bool {
        self.exit().is_some_and(|exit| exit == "completed" || exit.starts_with("stopped early"))
    }

    pub(super) fn data_fingerprint(&self) -> &str {
        &self.data.fingerprint
    }

    /// The files that the data were read from.
    pub(super) fn data_files(&self) -> &[DataFile] {
        &self.data.files
    }

    /// How the run ended, if it did.
    pub(super) fn exit(&self) -> Option<&str> {
        self.exit.as_deref()
    }

    /// The result of the run, if there is one.
    pub(super) fn result(&self) -> Option<&serde_json::Value> {
        self.result.as_ref()
    }

    pub(super) fn write_start(
        path: PathBuf,
        id: &str,
        start: &Start<'_>,
        environment: Environment,
    ) -> Result<Self> {
        let manifest = Self::new(path, id, start, environment);
        manifest.write()?;
        Ok(manifest)
    }

    pub(super) fn write_end(&mut self, exit: &str, outcome: Option<&Outcome>) -> Result<()> {
        self.end = Some(self.now());
        self.exit = Some(exit.to_owned());
        self.result = outcome.map(result);
        self.write()
    }

    /// Notes how long the steps waited for their data; written at the end.
    pub(super) fn note_load(&mut self, load: &DataLoad) {
        self.data_load = Some(Load {
            waited_seconds: load.waited.as_secs_f64(),
            elapsed_seconds: load.elapsed.as_secs_f64(),
            threads: load.threads,
        });
    }

    /// The time, no earlier than any recorded so far.
    fn now(&self) -> String {
        noted_after(self.resumed.last().map_or(&self.start, |resumption| &resumption.time))
    }

    pub(super) fn write(&self) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::File { path: self.path.clone(), cause: error.into() })?;
        bytes.push(b'\n');
        write_atomic(&self.path, &bytes)
    }
}

/// The result of a run.
pub(super) fn result(outcome: &Outcome) -> serde_json::Value {
    serde_json::json!({
        "steps": outcome.steps,
        "epochs": outcome.epochs,
        "best_epoch": outcome.best_epoch,
        "skipped_steps": outcome.scaling.skipped,
        "loss_scale": outcome.scaling.loss_scale.map(f64::from),
        "validation": outcome.validation.as_ref().map(Measured::from),
        "test": outcome.test.as_ref().map(Measured::from),
    })
}

fn overrides(start: &Start<'_>) -> Vec<Override> {
    let pair = |(key, value): &(String, String)| Override { key: key.clone(), value: value.clone() };
    start.overrides.iter().map(pair).collect()
}
