//! What is known of a run before its first step, and what the machine must have for it.

use std::fs;
use std::path::Path;

use crate::advice::Finding;
use crate::engine::Planned;
use crate::error::{Error, Result};
use crate::graph::{Graph, Memory};
use crate::plan::{Plan, Storage};
use crate::spec::{Device, Settings};
use crate::train::RunPlan;

/// A run that was looked at and not started: every rule holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Check {
    /// What the run would do.
    pub plan: RunPlan,
    /// What it would need.
    pub memory: Memory,
    /// What the system can give, in bytes; `None` where that is not known.
    pub available: Option<u64>,
    /// What gives reason to doubt.
    pub advice: Vec<Finding>,
}

/// What training takes: for no more samples at once than there are, and planned where the graph runs by a plan.
pub(super) fn memory(graph: &Graph, settings: &Settings, samples: usize) -> Memory {
    let batch = settings.batch.min(samples);
    let summary = graph.summary(batch).with_optimizer(settings.optimizer.state_names().len());
    let storage = Storage::from(settings.precision.format());
    match Plan::training_in(graph, settings.seed, batch, storage) {
        Ok(plan) if Planned::can_run(graph) && !plan.has_islands() => summary.with_plan(&plan).memory(),
        _ => summary.memory(),
    }
}

/// That the machine has the memory, where it says how much it has.
pub(super) fn fits(memory: Memory, available: Option<u64>) -> Result<()> {
    match available {
        Some(available) if memory.total() > available => {
            Err(Error::TooLittleMemory { needed: memory.total(), activations: memory.activations, available })
        }
        _ => Ok(()),
    }
}

/// The memory that the system can give to a run, in bytes, on Linux; what a control group allows may be less.
pub(super) fn available(settings: &Settings) -> Option<u64> {
    let Device::Cpu = settings.device;
    available_of(&fs::read_to_string("/proc/meminfo").ok()?)
}

/// The line `MemAvailable:  8000000 kB`.
fn available_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// That a run's folder could be made below `out`; leaves nothing behind.
pub(super) fn writable(out: &Path) -> Result<()> {
    let mut nearest = out;
    while !nearest.exists() {
        nearest = match nearest.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
    }
    let probe = nearest.join(format!(".trainspec-{}", std::process::id()));
    fs::create_dir(&probe).and_then(|()| fs::remove_dir(&probe)).map_err(|source| {
        let problem = format!(
            "the folder of the run cannot be made ({source}); give another place with `--out` or `Training::out`"
        );
        Error::File { path: nearest.to_owned(), source: std::io::Error::new(source.kind(), problem) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_system_is_read() {
        assert_eq!(
            available_of("MemTotal:  9 kB\nMemAvailable:    8000 kB\nBuffers: 1 kB\n"),
            Some(8_192_000)
        );
        for text in ["", "MemTotal: 9 kB\n", "MemAvailable: much\n", "MemAvailable: 99999999999999999999 kB"]
        {
            assert_eq!(available_of(text), None, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_both_figures() {
        let memory =
            Memory { parameters: 1 << 30, gradients: 1 << 30, optimizer: 1 << 31, activations: 1 << 20 };
        assert!(fits(memory, Some(memory.total())).is_ok());
        assert!(fits(memory, None).is_ok());
        assert_eq!(
            fits(memory, Some(1 << 31)).unwrap_err().to_string(),
            "training needs 4.0 GiB of memory, of which 1.0 MiB are for the values of a micro-batch, but the system \
             has 2.0 GiB; try a smaller model, or a smaller `batch` with `accumulate`"
        );
    }

    #[test]
    fn a_place_is_tried_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        writable(&folder.path().join("runs/deep/down")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = writable(&file).unwrap_err().to_string();
        assert!(error.contains("the folder of the run cannot be made"), "{error}");
    }
}
