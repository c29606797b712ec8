//! Reading a run folder without changing it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::checkpoint_store::Slot;
use super::checksums::Fault;
use super::data_files::differing_files;
use super::difference::{Change, changes};
use super::folder::SPEC_FORMAT;
use super::lock::Lock;
use super::logs::Logs;
use super::manifest::Manifest;
use super::restore::{IntactCheckpoint, slots};
use super::start::Start;
use crate::error::{Error, Result};
use crate::files::read_file;
use crate::spec::hash;

/// The evaluation of the final model of a run on its validation samples, as in the manifest; `None` if the run did not come to its own end.
pub(crate) fn finished_validation(run: &Path) -> Option<Value> {
    let manifest = Manifest::read(&run.join("manifest.json")).ok().filter(Manifest::is_complete)?;
    manifest.result()?.get("validation").filter(|validation| validation.is_object()).cloned()
}

/// The files of a run.
pub(crate) struct Record {
    pub(super) path: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) spec: Value,
    pub(super) logs: Logs,
    /// The checkpoints, complete or damaged.
    pub(super) slots: Vec<Slot>,
    _lock: Option<Lock>,
}

impl Record {
    /// Reads the folder of a run that no process is using.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            let source = std::io::Error::other("not a folder; expected a run folder");
            return Err(Error::File { path: path.to_owned(), cause: source });
        }
        let lock = Lock::take_shared(path)?;
        Ok(Self {
            path: path.to_owned(),
            manifest: Manifest::read(&path.join("manifest.json"))?,
            spec: spec(&path.join("spec.json"))?,
            logs: Logs::read(path)?,
            slots: slots(&path.join("checkpoints"))?,
            _lock: lock,
        })
    }

    /// The changes to the declared settings with which the run was started.
    pub(crate) fn overrides(&self) -> impl Iterator<Item = (&str, &str)> {
        self.manifest.overrides()
    }

    /// Returns whether the run came to its own end.
    pub(super) fn is_complete(&self) -> bool {
        self.manifest.is_complete()
    }

    /// Returns whether this error ended the run.
    pub(crate) fn failed_by(&self, error: &Error) -> bool {
        self.manifest.exit() == Some(format!("failed: {error}").as_str())
    }

    /// The last step that has a line.
    pub(super) fn last_step(&self) -> u64 {
        let lines = self.logs.metrics.rsplit(|&byte| byte == b'\n');
        let steps =
            lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok()?.get("step")?.as_u64());
        // The step of a skipped one is the next.
        let is_taken = |step: &u64| !self.is_skipped(*step);
        let mut steps = steps.filter(is_taken);
        steps.next().unwrap_or(0)
    }

    fn is_skipped(&self, step: u64) -> bool {
        let taken = format!(r#"{{"kind":"step","step":{step},"#);
        !self.logs.metrics.split(|&byte| byte == b'\n').any(|line| line.starts_with(taken.as_bytes()))
    }

    /// How this process differs from those that worked on the run, one sentence each.
    pub(crate) fn environment(&self, start: &Start<'_>) -> Vec<String> {
        let now = super::environment::Environment::of(start).to_json();
        let mut sentences = Vec::new();
        for environment in self.manifest.environments() {
            for change in changes(&environment.to_json(), &now) {
                let sentence = change.to_string();
                if !sentences.contains(&sentence) {
                    sentences.push(sentence);
                }
            }
        }
        sentences
    }

    /// Selects the checkpoint to start from, and checks that the spec and the data are those of the run. `from` is the step of a
    /// checkpoint, or `None` for the start, `to` the last requested step, and `what` the command.
    pub(crate) fn begin(
        &self,
        what: &'static str,
        start: &Start<'_>,
        from: Option<u64>,
        to: u64,
    ) -> Result<Option<IntactCheckpoint>> {
        let refused = |problem: String| Error::Setting { key: what.to_owned(), problem };
        let first = from.unwrap_or(0);
        let later = self.manifest.spec_changes().filter(|(step, _)| (first..to).contains(step));
        if let Some((step, sentences)) = later.filter(|(step, _)| from != Some(*step)).last() {
            // Suggest only what exists, and only where the starting point can be chosen.
            let later = self.slots.iter().find(|slot| what == "verify" && slot.step >= step);
            let way = later.map_or_else(String::new, |slot| {
                format!("; start from the checkpoint of step {} or a later one, with `--from`", slot.step)
            });
            return Err(refused(format!(
                "{} was resumed at step {step} with another spec ({}), so its later steps do not follow from its start{way}",
                self.path.display(),
                sentences.join("; ")
            )));
        }
        let checkpoint = from.map(|step| self.checkpoint(step).map_err(&refused)).transpose()?;
        let (was, fingerprint) = match &checkpoint {
            Some(checkpoint) => (&checkpoint.state.spec, checkpoint.state.data_fingerprint.as_str()),
            None => (&self.spec, self.manifest.data_fingerprint()),
        };
        let other: Vec<_> = changes(was, start.spec).iter().map(Change::to_string).collect();
        let is_on_record =
            self.manifest.spec_changes().any(|(step, known)| from == Some(step) && *known == other);
        if !other.is_empty() && !is_on_record {
            return Err(refused(format!(
                "{} was recorded with a different spec: {}; use the program and the settings that the run was started with",
                self.path.display(),
                other.join("; ")
            )));
        }
        let found = start.data.fingerprint_like(fingerprint)?;
        if found != fingerprint {
            return Err(Error::Dataset(format!(
                "the data set differs from that of {} (fingerprint {fingerprint}, now {found}); use the data that the run was \
                 started with{}",
                self.path.display(),
                differing_files(&self.path, start)
            )));
        }
        Ok(checkpoint)
    }

    /// Returns the checkpoint of a step, if it is intact and the logs belong to its run.
    pub(super) fn checkpoint(&self, step: u64) -> Result<IntactCheckpoint, String> {
        let place = self.path.join("checkpoints");
        let Some(slot) = self.slots.iter().rfind(|slot| slot.step == step) else {
            let mut known: Vec<_> = self.slots.iter().map(|slot| slot.step.to_string()).collect();
            known.dedup();
            let known = if known.is_empty() {
                "there are none; start from the beginning".to_owned()
            } else {
                format!("expected one of {}, or the start", known.join(", "))
            };
            return Err(format!("{} has no checkpoint of step {step}; {known}", place.display()));
        };
        let path = place.join(slot.name());
        let shown = path.display().to_string();
        IntactCheckpoint::read(path, step, &self.logs).map_err(|fault| match fault {
            Fault::Damaged(problem) => format!("{shown} is damaged: {problem}"),
            Fault::Unknown(error) => error.to_string(),
        })
    }

    /// The newest intact checkpoint at or before this step.
    pub(crate) fn newest_until(&self, step: u64) -> Option<u64> {
        // A checkpoint of an interruption before the first step is the start.
        let earlier =
            self.slots.iter().rev().map(|slot| slot.step).filter(|found| (1..=step).contains(found));
        earlier.into_iter().find(|&found| self.checkpoint(found).is_ok())
    }

    /// Returns an error for a step that the run has not taken.
    pub(crate) fn has_step(&self, what: &'static str, step: u64) -> Result<()> {
        let last = self.last_step();
        if (1..=last).contains(&step) {
            return Ok(());
        }
        let problem = format!(
            "{} has no step {step}; expected a step from 1 to {last}, the last recorded one",
            self.path.display()
        );
        Err(Error::Setting { key: what.to_owned(), problem })
    }

    /// Reads a file of the folder, if it exists.
    pub(super) fn file(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        match read_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            bytes => bytes.map(Some).map_err(Error::file(&path)),
        }
    }
}

/// Reads the spec in a file, and checks its hash.
fn spec(path: &Path) -> Result<Value> {
    let bytes = read_file(path).map_err(Error::file(path))?;
    let fault =
        |problem: String| Error::File { path: path.to_owned(), cause: std::io::Error::other(problem) };
    let mut json: Value =
        serde_json::from_slice(&bytes).map_err(|error| fault(format!("not a run spec: {error}")))?;
    let format = json.get("format").and_then(Value::as_u64);
    if format != Some(SPEC_FORMAT.into()) {
        let found = format.map_or_else(|| "none".to_owned(), |format| format.to_string());
        return Err(fault(format!("has the format {found}; this version reads {SPEC_FORMAT}")));
    }
    let spec = json.get_mut("spec").map(Value::take).unwrap_or_default();
    if json.get("hash").and_then(Value::as_str) != Some(hash(&spec).as_str()) {
        return Err(fault("the spec has changed since it was written: its hash differs".to_owned()));
    }
    Ok(spec)
}
