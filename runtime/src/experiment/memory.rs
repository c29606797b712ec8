//! The memory that a run takes, and that the machine has.

use std::fs;
use std::path::Path;

use crate::engine::Planned;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::layer::Init;
use crate::plan::{Plan, Storage};
use crate::spec::{Device, InitFrom, TrainConfig};
use crate::summary::{Memory, Summary};

/// What is done with a declared run, as far as memory goes: [`Experiment::memory`](super::Experiment::memory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// The run, from its beginning to its end, however it ends.
    Train,
    /// The same from a checkpoint.
    Resume,
    /// The search for a learning rate.
    FindRate,
    /// A trained model on a part of the data, read from its file.
    Evaluate,
    /// The run again, compared with its record.
    Verify,
    /// The run again, up to the model of a step.
    Replay,
}

/// What some work takes: for no more samples at once than there are.
pub(super) fn memory(graph: &Graph, settings: &TrainConfig, samples: usize, work: Work) -> Memory {
    let batch = settings.batch.min(samples);
    let memory = of_work(graph, settings, batch, work).memory();
    if work != Work::Evaluate {
        return memory;
    }
    let plan = Plan::evaluation_in(graph, batch, Storage::from(settings.precision.format()));
    let activations = match plan {
        Ok(plan) if Planned::can_run(graph) && !plan.has_fallbacks() => planned(&plan),
        _ => memory.activations,
    };
    Memory { gradients: 0, optimizer: 0, activations, ..memory }
}

/// The summary of a model as a run trains it: planned where it runs by a plan, and with what is held besides.
pub(crate) fn summary(graph: &Graph, settings: &TrainConfig, batch: usize) -> Summary {
    of_work(graph, settings, batch, Work::Train)
}

fn of_work(graph: &Graph, settings: &TrainConfig, batch: usize, work: Work) -> Summary {
    let slots = settings.optimizer.state_names().len();
    let inputs = graph.shapes.iter().take(graph.inputs).map(|shape| shape.elements() as u64);
    let window = (batch as u64).saturating_mul(settings.accumulate as u64).saturating_mul(inputs.sum());
    let copies = Held::of(graph, settings).besides(graph, settings, work).saturating_add(window);
    let summary = graph.summary(batch).with_optimizer(slots).with_copies(copies);
    let storage = Storage::from(settings.precision.format());
    match Plan::training_in(graph, settings.seed, batch, storage) {
        Ok(plan) if Planned::can_run(graph) && !plan.has_fallbacks() => summary.with_plan(&plan),
        _ => summary,
    }
}

/// The bytes of a plan.
fn planned(plan: &Plan) -> u64 {
    ((plan.length() + plan.rounded_weights()) as u64).saturating_mul(size_of::<f32>() as u64)
}

/// Numbers of a model, and of what the optimizer keeps of it.
pub(super) fn numbers(graph: &Graph, settings: &TrainConfig) -> (u64, u64) {
    let Held { model, optimizer, .. } = Held::of(graph, settings);
    (model, optimizer)
}

/// How many copies of the model a run keeps: an average, the best so far.
pub(super) fn kept(settings: &TrainConfig) -> u64 {
    let has_best = settings.early_stop.is_some_and(|stop| stop.restore_best);
    u64::from(settings.ema.is_some()) + u64::from(has_best)
}

/// What there is of a run in memory, in numbers. Whoever makes another copy of one of these on the way of a run counts it in
/// [`Held::besides`]; `tests/engines/memory.rs` compares the plan with what processes take.
struct Held {
    /// Parameters and running statistics.
    model: u64,
    /// A gradient for each trained number.
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
            optimizer: gradients.saturating_mul(settings.optimizer.state_names().len() as u64),
            average: if settings.ema.is_some() { model } else { 0 },
            kept: model.saturating_mul(kept(settings)),
        }
    }

    /// What a checkpoint holds.
    fn state(&self) -> u64 {
        self.model.saturating_add(self.optimizer).saturating_add(self.kept)
    }

    /// The most that is held at one time besides the parameters, the gradients, the optimizer's state and a micro-batch.
    ///
    /// The files of a checkpoint are made in memory, while the run waits, and written while it goes on. A final model, and the
    /// checkpoint of an interruption, are written from where their numbers are.
    fn besides(&self, graph: &Graph, settings: &TrainConfig, work: Work) -> u64 {
        let Self { model, average, kept, .. } = *self;
        let state = self.state();
        let saved = if settings.checkpoint.is_some() { state } else { 0 };
        // When a run begins, there are no gradients yet, nor what the optimizer and the run keep.
        let first = |held: u64| {
            held.saturating_sub(self.gradients.saturating_add(self.optimizer).saturating_add(kept))
        };
        match work {
            Work::Train => kept.saturating_add(saved.max(first(with_init(graph, settings)))),
            // The files, and the state that is read from them.
            Work::Resume => kept.saturating_add(saved.max(first(state.saturating_mul(2)))),
            Work::FindRate => average.saturating_add(first(with_init(graph, settings))),
            // The model that is evaluated, whose file has gone by then.
            Work::Evaluate => model,
            // The files of a checkpoint on record, and the same made again.
            Work::Verify => kept.saturating_add(state.saturating_mul(2)),
            Work::Replay => {
                let asked = model.saturating_add(average);
                kept.saturating_add(state.saturating_mul(2)).saturating_add(asked)
            }
        }
    }
}

/// Numbers that are held besides the parameters while these are drawn or read from a file.
fn with_init(graph: &Graph, settings: &TrainConfig) -> u64 {
    let largest = graph.parameters.iter().map(|parameter| parameter.shape.elements() as u64).max();
    let (largest, number) = (largest.unwrap_or(0), size_of::<f32>() as u64);
    // The file, and a tensor out of it with its numbers.
    let read = |from: InitFrom| {
        let size = fs::metadata(from.file).map_or(0, |about| about.len());
        (size / number).saturating_add(largest.saturating_mul(2))
    };
    // Orthonormal vectors are made in f64, of normal numbers.
    let is_orthogonal = |init: Init| matches!(init, Init::Orthogonal { .. });
    let drawn = graph.clone().with_init(settings.init).parameters;
    let drawn = drawn.iter().filter(|parameter| is_orthogonal(parameter.init));
    let drawn = drawn.map(|parameter| (parameter.shape.elements() as u64).saturating_mul(3)).max();
    settings.init_from.map_or(0, read).max(drawn.unwrap_or(0))
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

/// The memory that the system can give to a run, in bytes, on Linux: of the whole machine, and of the control groups that
/// the process is in, whichever is less.
pub(super) fn available(settings: &TrainConfig) -> Option<u64> {
    let Device::Cpu = settings.device;
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|meminfo| available_of(&meminfo));
    let groups = fs::read_to_string("/proc/self/cgroup").ok();
    let group = groups.and_then(|groups| left_to(Path::new("/sys/fs/cgroup"), &groups));
    machine.into_iter().chain(group).min()
}

/// The line `MemAvailable:  8000000 kB`.
fn available_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// What the control groups of `/proc/self/cgroup` leave, mounted at `root`; none without a limit. Each group above may have
/// a limit of its own. In a container the path may be that of the host, and not to be found: then the groups above it are
/// looked at, of which the topmost is the container's.
///
/// (No library is at hand that does not count the page cache as used, which the kernel gives back before it refuses.)
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

/// Pages of files in `memory.stat`, which the kernel gives back when they are needed.
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
    fn the_limits_of_control_groups_are_read() {
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
        // The limit of the group above holds for both; 150 bytes of what is used are of files.
        assert_eq!(left("0::/a/b\n"), Some(450));
        write("a/b/memory.max", "800\n");
        assert_eq!(left("0::/a/b\n"), Some(200));
        // The path of a host, of which the container sees its own part at the root.
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
    fn what_does_not_fit_is_refused_with_both_figures() {
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
            "training needs 4.0 GiB of memory, of which 1.0 MiB are for the values of a micro-batch, but the system \
             has 2.0 GiB; try a smaller model, or a smaller `batch` with `accumulate`"
        );
    }

    /// Nine numbers, of which six are trained, with two more of each; a micro-batch has four samples of three.
    #[test]
    fn averages_best_weights_and_checkpoints_are_counted() {
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
