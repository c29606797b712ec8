//! Checks that the output folder of a run is writable and has enough free space.

use std::path::{Path, PathBuf};

use super::memory::{kept, numbers};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::run_dir::probe;
use crate::spec::TrainConfig;
use crate::trainer::RunPlan;

/// The bytes of an element.
const F32: u64 = 4;

/// The least disk space that a run needs, in bytes, and the number of checkpoints in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needed {
    pub(super) bytes: u64,
    pub(super) checkpoints: u64,
}

/// Returns the space for the model and, at one time, the newest checkpoints, the best one and the one that is being
/// written. A resumed run has its checkpoints already and needs space only for the next one.
pub(super) fn needed(graph: &Graph, settings: &TrainConfig, plan: &RunPlan, is_resumed: bool) -> Needed {
    let (model, optimizer) = numbers(graph, settings);
    let of = |numbers: u64| numbers.saturating_mul(F32);
    let checkpoints = settings.checkpoint.map_or(0, |checkpoint| {
        let written = plan.steps / checkpoint.every.in_steps(plan.steps_per_epoch).max(1);
        let kept = (checkpoint.keep as u64).saturating_add(u64::from(settings.early_stop.is_some()));
        written.min(if is_resumed { 1 } else { kept.saturating_add(1) })
    });
    let each = of(model).saturating_mul(1 + kept(settings)).saturating_add(of(optimizer));
    Needed { bytes: each.saturating_mul(checkpoints).saturating_add(of(model)), checkpoints }
}

/// Checks that the file system of `out` has the space, if it reports its free space.
pub(super) fn fits(needed: Needed, out: &Path) -> Result<()> {
    let place = nearest(out);
    match fs4::available_space(&place) {
        Ok(available) if available < needed.bytes => {
            let Needed { bytes: needed, checkpoints } = needed;
            Err(Error::TooLittleDisk { path: place, needed, checkpoints, available })
        }
        _ => Ok(()),
    }
}

/// Checks that a run folder can be created and written below `out` by trying it; leaves nothing behind. Returns a
/// sentence on each feature that the file system lacks and a run can do without.
pub(super) fn writable(out: &Path) -> Result<Vec<String>> {
    probe(&nearest(out)).map_err(|error| match error {
        Error::File { cause: source, .. } => {
            let problem = format!(
                "the run folder cannot be created ({source}); choose another place with `--out` or `Experiment::out`"
            );
            Error::File { path: out.to_owned(), cause: std::io::Error::new(source.kind(), problem) }
        }
        error => error,
    })
}

/// Returns the folder or its nearest ancestor that exists.
fn nearest(folder: &Path) -> PathBuf {
    let mut nearest = folder;
    while !nearest.exists() {
        nearest = match nearest.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
    }
    nearest.to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::fixture::experiment;

    #[test]
    fn writable_probe_leaves_no_files() {
        let folder = tempfile::tempdir().unwrap();
        writable(&folder.path().join("runs/deep/down")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = writable(&file).unwrap_err().to_string();
        assert!(error.contains("the run folder cannot be created"), "{error}");
    }

    #[test]
    fn insufficient_disk_space_is_rejected_with_both_figures() {
        let folder = tempfile::tempdir().unwrap();
        assert!(fits(Needed { bytes: 1, checkpoints: 0 }, &folder.path().join("runs")).is_ok());
        let error = fits(Needed { bytes: 1 << 60, checkpoints: 5 }, folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("the run needs 1.0 EiB there for 5 checkpoints and the model, but "),
            "{error}"
        );
        assert!(error.contains(" are free; "), "{error}");
    }

    fn sizes(folder: &Path) -> u64 {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let size = |entry: fs::DirEntry| match entry.path() {
            path if path.is_dir() => sizes(&path),
            path if path.extension().is_some_and(|name| name == "safetensors") => {
                entry.metadata().unwrap().len()
            }
            _ => 0,
        };
        entries.map(size).sum()
    }

    /// The required space is no more than a run uses: its final files and one more checkpoint.
    #[test]
    fn run_with_enough_space_is_accepted() {
        let out = tempfile::tempdir().unwrap();
        let with = || {
            let keep = r#"{"every":{"Steps":1},"keep":2}"#;
            experiment().out(out.path()).set("ema", "{}").unwrap().set("checkpoint", keep).unwrap().epochs(1)
        };
        let mut planned = with();
        let graph = planned.graph().unwrap();
        let plan = RunPlan {
            steps: 5,
            steps_per_epoch: 5,
            training_samples: 18,
            validation_samples: 0,
            test_samples: 0,
            checked_samples: None,
            normalizes_targets: false,
        };
        let settings = planned.settings().unwrap();
        let of = |is_resumed| needed(&graph, settings, &plan, is_resumed);
        let has_best = u64::from(settings.early_stop.is_some());
        assert_eq!(of(false).checkpoints, 3 + has_best);
        assert_eq!(of(true).checkpoints, 1);
        let each = (of(false).bytes - of(true).bytes) / (2 + has_best);
        // Nine elements in each copy of the model; two for each of six trained ones.
        assert_eq!(each, 4 * (9 * (1 + kept(settings)) + 12));
        let run = with().run().unwrap();
        let left = sizes(run.folder.as_deref().unwrap());
        assert!(of(false).bytes - (1 + has_best) * each <= left, "{} {left}", of(false).bytes);
    }
}
