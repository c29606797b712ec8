//! The memory that a run needs, and that is available.

use std::fs;
use std::path::Path;

use crate::engine;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::layer::Init;
use crate::plan::{Plan, Storage};
use crate::spec::{Device, InitFrom, TrainConfig};
use crate::summary::{Memory, Summary};

/// A use of a declared run, for [`Experiment::memory`](super::Experiment::memory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// The run from start to end, for any exit.
    Train,
    /// The run from a checkpoint.
    Resume,
    /// The learning-rate range test.
    FindRate,
    /// The evaluation of a model file on a part of the data.
    Evaluate,
    /// A re-run that is compared with the run folder.
    Verify,
    /// A re-run up to the model of a step.
    Replay,
}

/// Returns the memory that `work` needs. The batch is limited to the number of samples.
pub(super) fn memory(graph: &Graph, settings: &TrainConfig, samples: usize, work: Work) -> Memory {
    let batch = settings.batch.min(samples);
    let memory = of_work(graph, settings, batch, work).memory();
    if work != Work::Evaluate {
        return memory;
    }
    let plan = Plan::evaluation_in(graph, batch, Storage::from(settings.precision.format()));
    let activations = match plan {
        Ok(plan) if engine::is_planned(graph, settings) && !plan.has_fallbacks() => planned(&plan),
        _ => memory.activations,
    };
    Memory { gradients: 0, optimizer: 0, activations, ..memory }
}

/// Returns the summary of a model in training: with the plan, if it runs by one, and with all further copies.
pub(crate) fn summary(graph: &Graph, settings: &TrainConfig, batch: usize) -> Summary {
    of_work(graph, settings, batch, Work::Train)
}

fn of_work(graph: &Graph, settings: &TrainConfig, batch: usize, work: Work) -> Summary {
    let state = settings.optimizer.state_elements(&graph.parameters);
    let inputs = graph.shapes_of_inputs().iter().map(|shape| shape.elements() as u64);
    let window = (batch as u64).saturating_mul(settings.accumulate as u64).saturating_mul(inputs.sum());
    let copies = Held::of(graph, settings).besides(graph, settings, work).saturating_add(window);
    let rule = settings.optimizer.model_rule();
    let scratch = rule.map_or(0, |rule| rule.scratch(&graph.parameters) as u64);
    let has_copy = settings.optimizer.perturbation().is_some() && work != Work::Evaluate;
    let perturbed = if has_copy { Held::of(graph, settings).model } else { 0 };
    let copies = copies.saturating_add(scratch).saturating_add(perturbed);
    let summary = graph.summary(batch).with_optimizer_state(state).with_copies(copies);
    let storage = Storage::from(settings.precision.format());
    match Plan::training_in(graph, settings.seed, batch, storage) {
        Ok(plan) if engine::is_planned(graph, settings) && !plan.has_fallbacks() => summary.with_plan(&plan),
        _ => summary,
    }
}

/// Returns the bytes of a plan.
fn planned(plan: &Plan) -> u64 {
    ((plan.length() + plan.rounded_weights()) as u64).saturating_mul(size_of::<f32>() as u64)
}

/// Returns the number of elements of a model and of its optimizer state.
pub(super) fn numbers(graph: &Graph, settings: &TrainConfig) -> (u64, u64) {
    let Held { model, optimizer, .. } = Held::of(graph, settings);
    (model, optimizer)
}

/// Returns how many copies of the model a run keeps: the average, the best weights.
pub(super) fn kept(settings: &TrainConfig) -> u64 {
    let has_best = settings.early_stop.is_some_and(|stop| stop.restore_best);
    u64::from(settings.has_average()) + u64::from(has_best)
}

/// The elements that a run keeps in memory. Code that makes another copy during a run must count it in
/// [`Held::besides`]; `tests/engines/memory.rs` compares the plan with the peak memory of processes.
struct Held {
    /// Parameters and running statistics.
    model: u64,
    /// A gradient for each trained element.
    gradients: u64,
    optimizer: u64,
    /// The average of the weights.
    average: u64,
    /// The average, and the best weights so far.
    kept: u64,
}

impl Held {
    fn of(graph: &Graph, settings: &TrainConfig) -> Self {
        let all = |sum: u64, elements: usize| sum.saturating_add(elements as u64);
        let model = graph.parameters.iter().map(|parameter| parameter.shape.elements()).fold(0, all);
        let gradients = graph.trained_elements() as u64;
        Self {
            model,
            gradients,
            optimizer: settings.optimizer.state_elements(&graph.parameters),
            average: if settings.has_average() { model } else { 0 },
            kept: model.saturating_mul(kept(settings)),
        }
    }

    /// The elements of a checkpoint.
    fn state(&self) -> u64 {
        self.model.saturating_add(self.optimizer).saturating_add(self.kept)
    }

    /// Returns the most elements that are held at one time besides the parameters, the gradients, the optimizer state
    /// and a micro-batch.
    ///
    /// The files of a checkpoint are built in memory while the run waits, and written while it continues. A final model and the
    /// checkpoint of an interrupted run are written without a copy.
    fn besides(&self, graph: &Graph, settings: &TrainConfig, work: Work) -> u64 {
        let Self { model, average, kept, .. } = *self;
        let state = self.state();
        let saved = if settings.checkpoint.is_some() { state } else { 0 };
        // At the start of a run there are no gradients, optimizer state or kept copies yet.
        let first = |held: u64| {
            held.saturating_sub(self.gradients.saturating_add(self.optimizer).saturating_add(kept))
        };
        match work {
            Work::Train => kept.saturating_add(saved.max(first(with_init_from(graph, settings)))),
            // The files and the state that is read from them.
            Work::Resume => kept.saturating_add(saved.max(first(state.saturating_mul(2)))),
            Work::FindRate => average.saturating_add(first(with_init_from(graph, settings))),
            // The model; its file is no longer in memory.
            Work::Evaluate => model,
            // The files of a recorded checkpoint, and those of the re-run.
            Work::Verify => kept.saturating_add(state.saturating_mul(2)),
            Work::Replay => {
                let asked = model.saturating_add(average);
                kept.saturating_add(state.saturating_mul(2)).saturating_add(asked)
            }
        }
    }
}

/// Returns the elements that are held besides the parameters while these are initialized or read from a file.
fn with_init_from(graph: &Graph, settings: &TrainConfig) -> u64 {
    let largest = graph.parameters.iter().map(|parameter| parameter.shape.elements() as u64).max();
    let (largest, number) = (largest.unwrap_or(0), size_of::<f32>() as u64);
    // The file, and one of its tensors with its elements.
    let read = |from: InitFrom| {
        let size = fs::metadata(from.file).map_or(0, |about| about.len());
        (size / number).saturating_add(largest.saturating_mul(2))
    };
    // Orthogonal matrices are computed in f64 from normal samples.
    let is_orthogonal = |init: Init| matches!(init, Init::Orthogonal { .. });
    let drawn = graph.clone().with_init(settings.init).parameters;
    let drawn = drawn.iter().filter(|parameter| is_orthogonal(parameter.init));
    let drawn = drawn.map(|parameter| (parameter.shape.elements() as u64).saturating_mul(3)).max();
    settings.init_from.map_or(0, read).max(drawn.unwrap_or(0))
}

/// Checks that the memory is available, if the available amount is known.
pub(super) fn fits(memory: Memory, available: Option<u64>) -> Result<()> {
    match available {
        Some(available) if memory.total() > available => {
            Err(Error::TooLittleMemory { needed: memory.total(), activations: memory.activations, available })
        }
        _ => Ok(()),
    }
}

/// Returns the available memory in bytes, on Linux: the smaller of what the machine and the control groups of the process
/// have.
pub(super) fn available(settings: &TrainConfig) -> Option<u64> {
    let Device::Cpu = settings.device;
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|meminfo| available_of(&meminfo));
    let groups = fs::read_to_string("/proc/self/cgroup").ok();
    let group = groups.and_then(|groups| left_to(Path::new("/sys/fs/cgroup"), &groups));
    machine.into_iter().chain(group).min()
}

/// Parses the line `MemAvailable:  8000000 kB`.
fn available_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Returns the memory left by the control groups of `/proc/self/cgroup`, mounted at `root`; `None` without a limit.
/// Each parent group may have its own limit. In a container the path may be that of the host and not exist: then its
/// parents are used, of which the topmost is the container's.
///
/// (The known libraries count the page cache as used, which the kernel frees before it refuses an allocation.)
fn left_to(root: &Path, groups: &str) -> Option<u64> {
    let mut least = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (base, [limit, used, cache]) = match controllers {
            "" => (root.to_owned(), ["memory.max", "memory.current", ""]),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (root.join("memory"), ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_"])
            }
            _ => continue,
        };
        for path in Path::new(path.trim_start_matches('/')).ancestors() {
            let folder = base.join(path);
            let number = |file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
            let (Some(limit), Some(used)) = (number(limit), number(used)) else { continue };
            let cached =
                fs::read_to_string(folder.join("memory.stat")).map_or(0, |stat| cached(&stat, cache));
            let left = limit.saturating_sub(used.saturating_sub(cached));
            least = Some(least.map_or(left, |least: u64| least.min(left)));
        }
    }
    least
}

/// Returns the file pages in `memory.stat`, which the kernel frees on demand.
fn cached(stat: &str, prefix: &str) -> u64 {
    let of = |name: &str| {
        let mut lines = stat.lines().filter_map(|line| line.strip_prefix(prefix)?.strip_prefix(name));
        lines.find_map(|rest| rest.strip_prefix(' ')?.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    of("inactive_file").saturating_add(of("active_file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::experiment;

    #[test]
    fn system_memory_is_read() {
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
    fn cgroup_limits_are_read() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let left = |groups: &str| left_to(root.path(), groups);
        assert_eq!(left("0::/a/b\n"), None);
        write("a/memory.max", "1000\n");
        write("a/memory.current", "700\n");
        write("a/memory.stat", "anon 9\ninactive_file 100\nactive_file 50\n");
        write("a/b/memory.max", "max\n");
        write("a/b/memory.current", "600\n");
        // The limit of the parent group applies to both; 150 of the used bytes are file pages.
        assert_eq!(left("0::/a/b\n"), Some(450));
        write("a/b/memory.max", "800\n");
        assert_eq!(left("0::/a/b\n"), Some(200));
        // The path of the host; the container sees its own group at the root.
        assert_eq!(left("0::/elsewhere/c\n"), None);
        write("memory.max", "90\n");
        write("memory.current", "100\n");
        assert_eq!(left("0::/elsewhere/c\n"), Some(0));
        write("memory/x/memory.limit_in_bytes", "500");
        write("memory/x/memory.usage_in_bytes", "400");
        write("memory/x/memory.stat", "inactive_file 1\ntotal_inactive_file 50\ntotal_active_file 7\n");
        assert_eq!(left("5:cpu,memory:/x\n3:cpuset:/x\n"), Some(157));
        assert_eq!(left("5:cpu:/x\nnonsense\n"), None);
    }

    #[test]
    fn insufficient_memory_is_rejected_with_both_figures() {
        let memory = Memory {
            parameters: 1 << 30,
            gradients: 1 << 30,
            optimizer: 1 << 31,
            activations: 1 << 20,
            copies: 0,
        };
        assert!(fits(memory, Some(memory.total())).is_ok());
        assert!(fits(memory, None).is_ok());
        assert_eq!(
            fits(memory, Some(1 << 31)).unwrap_err().to_string(),
            "training needs 4.0 GiB of memory, of which 1.0 MiB are for the activations of a micro-batch, but the system \
             has 2.0 GiB; try a smaller model, or a smaller `batch` with `accumulate`"
        );
    }

    /// Nine elements, of which six are trained, with two optimizer values for each; a micro-batch has four samples of three.
    #[test]
    fn memory_estimate_counts_averages_best_weights_and_checkpoints() {
        let copies = |work: Work, changes: &[(&str, &str)]| {
            let none = [("checkpoint", "null"), ("early_stop", "null"), ("batch", "4")];
            let mut training = experiment();
            for (key, value) in none.iter().chain(changes) {
                training = training.set(key, value).unwrap();
            }
            let graph = training.graph().unwrap();
            memory(&graph, training.settings().unwrap(), 18, work).copies / 4 - 4 * 3
        };
        let ran = |changes: &[(&str, &str)]| copies(Work::Train, changes);
        assert_eq!(ran(&[]), 0);
        assert_eq!(ran(&[("ema", "{}")]), 9);
        assert_eq!(ran(&[("ema", "{}"), ("early_stop", "{}")]), 2 * 9);
        assert_eq!(ran(&[("early_stop", r#"{"restore_best":false}"#)]), 0);
        // The files of the model and the optimizer.
        let saved = ("checkpoint", "{}");
        assert_eq!(ran(&[saved]), 9 + 12);
        assert_eq!(ran(&[saved, ("ema", "{}")]), 9 + (9 + 12 + 9));
        assert_eq!(copies(Work::Resume, &[saved]), 2 * (9 + 12) - (6 + 12));
        assert_eq!(copies(Work::Verify, &[saved]), 2 * (9 + 12));
        assert_eq!(copies(Work::Replay, &[saved]), 2 * (9 + 12) + 9);
        assert_eq!(copies(Work::Evaluate, &[saved, ("ema", "{}")]), 9);
        assert_eq!(copies(Work::FindRate, &[saved, ("ema", "{}")]), 9);
    }
}
