//! How long a run is, and whether its data allow it.

use super::RunPlan;
use crate::data::PreparedDataset;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::spec::TrainConfig;

/// How many steps there are, and of what.
pub(crate) fn plan(graph: &Graph, settings: &TrainConfig, data: &PreparedDataset) -> Result<RunPlan> {
    check_micro_batches(graph, settings, data.train().len())?;
    check_window(settings, data.train().len())?;
    let (steps, steps_per_epoch) = length(settings, data.train().len());
    if settings.early_stop.is_some() && data.validation().is_empty() {
        return Err(Error::Setting {
            key: "early_stop".to_owned(),
            problem:
                "there are no validation samples to watch; give the data a validation part, or remove the key"
                    .to_owned(),
        });
    }
    if let Some(place) = settings.schedule.iter().position(|phase| phase.monitor().is_some())
        && data.validation().is_empty()
    {
        return Err(Error::Setting {
            key: format!("schedule.{place}"),
            problem: "there are no validation samples to listen to; give the data a validation part, or use \
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
    })
}

/// The optimizer steps of a run on so many training samples, and of an epoch of it.
pub(crate) fn length(settings: &TrainConfig, samples: usize) -> (u64, u64) {
    let batches = samples_of_an_epoch(settings, samples).div_ceil(settings.batch);
    let steps_per_epoch = batches.div_ceil(settings.accumulate) as u64;
    let steps = match (settings.steps, settings.epochs) {
        (Some(steps), _) => steps,
        (None, epochs) => epochs.unwrap_or(1).saturating_mul(steps_per_epoch),
    };
    (steps, steps_per_epoch)
}

/// How many of so many training samples an epoch uses.
pub(super) fn samples_of_an_epoch(settings: &TrainConfig, samples: usize) -> usize {
    if settings.drop_last { samples - samples % settings.batch } else { samples }
}

/// That an epoch has the micro-batches of a whole step.
fn check_window(settings: &TrainConfig, samples: usize) -> Result<()> {
    let batches = samples_of_an_epoch(settings, samples).div_ceil(settings.batch);
    if settings.accumulate <= batches {
        return Ok(());
    }
    let problem = format!(
        "a step has {} micro-batches, but {samples} samples in batches of {} are {batches}: no step would be whole; use at \
         most {batches}, or a smaller `batch`",
        settings.accumulate, settings.batch
    );
    Err(Error::Setting { key: "accumulate".to_owned(), problem })
}

/// That every layer can train on every micro-batch of an epoch, the last and shortest included.
fn check_micro_batches(graph: &Graph, settings: &TrainConfig, samples: usize) -> Result<()> {
    let used = samples_of_an_epoch(settings, samples);
    if used == 0 {
        let problem = format!(
            "of {samples} training samples none fill a micro-batch of {}; remove the key, or change `batch`",
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
                "`{}` trains on at least {least} samples at once, but of {samples} samples in batches of {} the \
                 last is {shortest}; change `batch`, or add `drop_last: true`",
                node.path, settings.batch
            );
            return Err(Error::Setting { key: "batch".to_owned(), problem });
        }
    }
    Ok(())
}
