//! The number of steps of a run, and whether the data have enough samples.

use super::RunPlan;
use crate::data::PreparedDataset;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::spec::TrainConfig;

/// Plans the steps of a run.
pub(crate) fn plan(graph: &Graph, settings: &TrainConfig, data: &PreparedDataset) -> Result<RunPlan> {
    check_micro_batches(graph, settings, data.train().len())?;
    check_window(settings, data.train().len())?;
    let (steps, steps_per_epoch) = length(settings, data.train().len());
    if settings.early_stop.is_some() && data.validation().is_empty() {
        return Err(Error::Setting {
            key: "early_stop".to_owned(),
            problem:
                "there are no validation samples to monitor; add a validation part to the data, or remove the key"
                    .to_owned(),
        });
    }
    if let Some(place) = settings.schedule.iter().position(|phase| phase.monitor().is_some())
        && data.validation().is_empty()
    {
        return Err(Error::Setting {
            key: format!("schedule.{place}"),
            problem: "there are no validation samples to monitor; add a validation part to the data, or use \
                      another phase"
                .to_owned(),
        });
    }
    Ok(RunPlan {
        steps,
        steps_per_epoch,
        training_samples: data.train().len(),
        validation_samples: data.validation().len(),
        test_samples: data.test().len(),
        checked_samples: data.checked_in_part(),
        normalizes_targets: !data.target_units().is_empty(),
    })
}

/// Returns the optimizer steps of a run on this many training samples, and of one epoch.
pub(crate) fn length(settings: &TrainConfig, samples: usize) -> (u64, u64) {
    let batches = samples_of_an_epoch(settings, samples).div_ceil(settings.batch);
    let steps_per_epoch = batches.div_ceil(settings.accumulate) as u64;
    let steps = match (settings.steps, settings.epochs) {
        (Some(steps), _) => steps,
        (None, epochs) => epochs.unwrap_or(1).saturating_mul(steps_per_epoch),
    };
    (steps, steps_per_epoch)
}

/// Returns how many of the training samples an epoch uses.
pub(super) fn samples_of_an_epoch(settings: &TrainConfig, samples: usize) -> usize {
    if settings.drop_last { samples - samples % settings.batch } else { samples }
}

/// Checks that an epoch has the micro-batches of a complete step.
fn check_window(settings: &TrainConfig, samples: usize) -> Result<()> {
    let batches = samples_of_an_epoch(settings, samples).div_ceil(settings.batch);
    if settings.accumulate <= batches {
        return Ok(());
    }
    let problem = format!(
        "a step has {} micro-batches, but {samples} samples in batches of {} are {batches}: no step would be complete; use at \
         most {batches}, or a smaller `batch`",
        settings.accumulate, settings.batch
    );
    Err(Error::Setting { key: "accumulate".to_owned(), problem })
}

/// Checks that every layer can train on every micro-batch of an epoch, including the last and shortest.
fn check_micro_batches(graph: &Graph, settings: &TrainConfig, samples: usize) -> Result<()> {
    let used = samples_of_an_epoch(settings, samples);
    if used == 0 {
        let problem = format!(
            "{samples} training samples do not fill a micro-batch of {}; remove the key, or change `batch`",
            settings.batch
        );
        return Err(Error::Setting { key: "drop_last".to_owned(), problem });
    }
    let shortest = match used % settings.batch {
        0 => settings.batch.min(used),
        rest => rest,
    };
    for node in &graph.nodes {
        let least = node.layer.least_batch(&graph.input_shapes(node));
        if shortest < least {
            let problem = format!(
                "`{}` needs at least {least} samples per batch, but with {samples} samples in batches of {} the \
                 last has {shortest}; change `batch`, or add `drop_last: true`",
                node.path, settings.batch
            );
            return Err(Error::Setting { key: "batch".to_owned(), problem });
        }
    }
    Ok(())
}
