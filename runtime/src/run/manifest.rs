//! `manifest.json`: where a run comes from, what it ran on, and how it ended.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::metrics::Measured;
use super::start::Start;
use super::whole::write_whole;
use crate::error::Result;
use crate::regular::read_regular;
use crate::train::{Outcome, Resumed};

/// The manifest of one run; a key that is not known is `null`.
///
/// It is written when the run starts, with `end` and `exit` null, and again when the run ends; a run that was
/// killed leaves them null.
#[derive(Serialize, Deserialize)]
pub(super) struct Manifest {
    #[serde(skip)]
    path: PathBuf,
    name: String,
    id: String,
    seed: u64,
    overrides: Vec<Override>,
    spec_hash: String,
    data: Data,
    versions: Versions,
    git: Option<Git>,
    device: String,
    threads: usize,
    start: String,
    end: Option<String>,
    exit: Option<String>,
    result: Option<serde_json::Value>,
    /// Each time that the run was taken up again.
    #[serde(default)]
    resumed: Vec<TakenUp>,
}

/// A time at which a run was taken up again.
#[derive(Serialize, Deserialize)]
struct TakenUp {
    time: String,
    /// The checkpoint's step.
    step: u64,
    /// Newer checkpoints that are not whole.
    damaged: Vec<String>,
    /// Keys of the spec that have changed since the checkpoint, as it was permitted.
    spec_changes: Vec<String>,
    versions: Versions,
    git: Option<Git>,
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
}

#[derive(Serialize, Deserialize)]
struct Versions {
    trainspec: String,
    candle: String,
    rustc: String,
}

/// The state of the working folder's repository.
#[derive(Serialize, Deserialize)]
struct Git {
    commit: String,
    /// Whether files differ from the commit; `null` if git does not say.
    is_dirty: Option<bool>,
}

/// The version of candle that this crate is built with.
const CANDLE: &str = "0.11.1";

impl Manifest {
    fn new(path: PathBuf, id: &str, start: &Start<'_>) -> Self {
        Self {
            path,
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
            },
            versions: Versions::current(),
            git: Git::of(Path::new(".")),
            device: start.settings.device.to_string(),
            threads: candle_core::utils::get_num_threads(),
            start: now(),
            end: None,
            exit: None,
            result: None,
            resumed: Vec::new(),
        }
    }

    /// The manifest of a run that is taken up again: what it was, and that. One that cannot be read is made anew, since a
    /// run does not depend on it.
    pub(super) fn write_resumed(path: PathBuf, start: &Start<'_>, resumed: &Resumed) -> Result<Self> {
        let read = read_regular(&path).ok().and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        let mut manifest = read.unwrap_or_else(|| {
            let id = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
            Self::new(PathBuf::new(), &id, start)
        });
        manifest.path = path;
        (manifest.end, manifest.exit, manifest.result) = (None, None, None);
        (manifest.overrides, manifest.spec_hash) = (overrides(start), start.spec_hash.to_owned());
        manifest.resumed.push(TakenUp {
            time: now(),
            step: resumed.step,
            damaged: resumed.damaged.clone(),
            spec_changes: resumed.changes.clone(),
            versions: Versions::current(),
            git: Git::of(Path::new(".")),
            threads: candle_core::utils::get_num_threads(),
        });
        manifest.write()?;
        Ok(manifest)
    }

    pub(super) fn write_start(path: PathBuf, id: &str, start: &Start<'_>) -> Result<Self> {
        let manifest = Self::new(path, id, start);
        manifest.write()?;
        Ok(manifest)
    }

    pub(super) fn write_end(&mut self, exit: &str, outcome: Option<&Outcome>) -> Result<()> {
        self.end = Some(now());
        self.exit = Some(exit.to_owned());
        self.result = outcome.map(|outcome| {
            serde_json::json!({
                "steps": outcome.steps,
                "epochs": outcome.epochs,
                "best_epoch": outcome.best_epoch,
                "skipped_steps": outcome.scaling.skipped,
                "loss_scale": outcome.scaling.loss_scale.map(f64::from),
                "validation": outcome.validation.as_ref().map(Measured::from),
                "test": outcome.test.as_ref().map(Measured::from),
            })
        });
        self.write()
    }

    fn write(&self) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| crate::Error::File { path: self.path.clone(), source: error.into() })?;
        bytes.push(b'\n');
        write_whole(&self.path, &bytes)
    }
}

impl Versions {
    fn current() -> Self {
        Self {
            trainspec: env!("CARGO_PKG_VERSION").to_owned(),
            candle: CANDLE.to_owned(),
            rustc: env!("TRAINSPEC_RUSTC").to_owned(),
        }
    }
}

fn overrides(start: &Start<'_>) -> Vec<Override> {
    let pair = |(key, value): &(String, String)| Override { key: key.clone(), value: value.clone() };
    start.overrides.iter().map(pair).collect()
}

impl Git {
    /// The repository that holds `folder`, if there is one and git is at hand.
    fn of(folder: &Path) -> Option<Self> {
        let ask = |arguments: &[&str]| {
            Command::new("git")
                // Looking must not get in the way of the user's own commands.
                .env("GIT_OPTIONAL_LOCKS", "0")
                .args(arguments)
                .current_dir(folder)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output()
                .ok()
                .filter(|output| output.status.success())
                .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let commit = ask(&["rev-parse", "HEAD"])?;
        let is_dirty = ask(&["status", "--porcelain"]).map(|changes| !changes.is_empty());
        Some(Self { commit, is_dirty })
    }
}

/// The time in UTC as RFC 3339 has it.
fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_candle_is_the_one_in_use() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        let lock = std::fs::read_to_string(lock).unwrap();
        let mut lines = lock.lines().skip_while(|line| *line != "name = \"candle-core\"");
        assert_eq!(lines.nth(1), Some(format!("version = \"{CANDLE}\"").as_str()));
    }

    #[test]
    fn a_folder_outside_any_repository_has_no_commit() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Git::of(folder.path()).is_none());
    }

    #[test]
    fn the_compiler_is_known() {
        assert!(env!("TRAINSPEC_RUSTC").starts_with("rustc "));
    }
}
