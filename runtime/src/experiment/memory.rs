//! The memory that a run takes, and that the machine has.

use std::fs;
use std::path::Path;

use crate::engine::Planned;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::plan::{Plan, Storage};
use crate::spec::{Device, InitFrom, Settings};
use crate::summary::{Memory, Summary};

/// What training takes: for no more samples at once than there are.
pub(super) fn memory(graph: &Graph, settings: &Settings, samples: usize) -> Memory {
    summary(graph, settings, settings.batch.min(samples)).memory()
}

/// The summary of a model as a run trains it: planned where it runs by a plan, and with what is held besides.
pub(crate) fn summary(graph: &Graph, settings: &Settings, batch: usize) -> Summary {
    let slots = settings.optimizer.state_names().len();
    let summary = graph.summary(batch).with_optimizer(slots).with_copies(copies(graph, settings));
    match Plan::training_in(graph, settings.seed, batch, Storage::from(settings.precision.format())) {
        Ok(plan) if Planned::can_run(graph) && !plan.has_islands() => summary.with_plan(&plan),
        _ => summary,
    }
}

/// Numbers of a model, and of what the optimizer keeps of it.
pub(super) fn numbers(graph: &Graph, settings: &Settings) -> (u64, u64) {
    let all = |sum: u64, elements: usize| sum.saturating_add(elements as u64);
    let model = graph.parameters.iter().map(|parameter| parameter.shape.elements()).fold(0, all);
    let slots = settings.optimizer.state_names().len() as u64;
    (model, (graph.trained_elements() as u64).saturating_mul(slots))
}

/// Numbers that are held besides what a step needs: the average of the weights and the best ones so far; and what saving
/// takes, which copies the model and makes the files of a checkpoint in memory, each from a copy of what goes into it.
fn copies(graph: &Graph, settings: &Settings) -> u64 {
    let (model, optimizer) = numbers(graph, settings);
    let kept = model.saturating_mul(kept(settings));
    let saved = if settings.checkpoint.is_some() {
        let (copy, files) = (model, model.saturating_add(optimizer).saturating_add(kept));
        copy.saturating_add(files).saturating_add(model.max(optimizer))
    } else {
        model.saturating_mul(2)
    };
    kept.saturating_add(saved.max(begun(graph, settings)))
}

/// Numbers that are held besides while a run begins with a file: what was drawn, the file and what it gives, but no gradients yet.
fn begun(graph: &Graph, settings: &Settings) -> u64 {
    let size = |from: InitFrom| fs::metadata(from.file).map_or(0, |about| about.len());
    let Some(size) = settings.init_from.map(size) else { return 0 };
    let (model, _) = numbers(graph, settings);
    let copies = model.saturating_mul(2).saturating_sub(graph.trained_elements() as u64);
    copies.saturating_add(size / size_of::<f32>() as u64)
}

/// How many copies of the model a run keeps: an average, the best so far.
pub(super) fn kept(settings: &Settings) -> u64 {
    let has_best = settings.early_stop.is_some_and(|stop| stop.restore_best);
    u64::from(settings.ema.is_some()) + u64::from(has_best)
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
pub(super) fn available(settings: &Settings) -> Option<u64> {
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
    use crate::fixture::training;

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

    /// Nine numbers, of which six are trained, with two more of each.
    #[test]
    fn averages_best_weights_and_checkpoints_are_counted() {
        let copies = |changes: &[(&str, &str)]| {
            let none = [("checkpoint", "null"), ("early_stop", "null")];
            let mut training = training();
            for (key, value) in none.iter().chain(changes) {
                training = training.set(key, value).unwrap();
            }
            let graph = training.graph().unwrap();
            memory(&graph, training.settings().unwrap(), 18).copies / 4
        };
        assert_eq!(copies(&[]), 2 * 9);
        assert_eq!(copies(&[("ema", "{}")]), 3 * 9);
        assert_eq!(copies(&[("ema", "{}"), ("early_stop", "{}")]), 4 * 9);
        assert_eq!(copies(&[("early_stop", r#"{"restore_best":false}"#)]), 2 * 9);
        // A copy, the files of the model and the optimizer, and while the latter is made a copy of it.
        let saved = ("checkpoint", "{}");
        assert_eq!(copies(&[saved]), 9 + (9 + 12) + 12);
        assert_eq!(copies(&[saved, ("ema", "{}")]), 9 + 9 + (9 + 12 + 9) + 12);
    }
}
