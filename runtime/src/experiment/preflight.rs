//! What is judged before the first step, for a check as for a run.

use std::path::Path;

use super::parts::Parts;
use super::{Check, Work, disk, memory};
use crate::advice::{Facts, FirstLook, advice};
use crate::data::PreparedDataset;
use crate::engine::{self, Engine};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::spec::TrainConfig;
use crate::trainer::TrainStep;

/// A run that may begin.
pub(super) struct Ready {
    pub(super) engine: Box<dyn Engine>,
    pub(super) check: Check,
}

/// How a model is looked at before its first step.
pub(super) type Look =
    fn(&mut dyn Engine, &Graph, &TrainConfig, &PreparedDataset) -> Result<Option<FirstLook>>;

/// Judges all that is known before the first step, for a check as for a run: what one refuses the other does, and in the
/// same words. `place` is where the run writes.
pub(super) fn ready(parts: &Parts, place: Option<&Path>, is_resumed: bool, look: Look) -> Result<Ready> {
    let Parts { graph, settings, data, .. } = parts;
    if settings.checkpoint.is_some() && place.is_none() && !is_resumed {
        return Err(Error::Setting {
            key: "checkpoint".to_owned(),
            problem: "there is no run folder to save to; give the run one, or remove the key".to_owned(),
        });
    }
    let work = if is_resumed { Work::Resume } else { Work::Train };
    let (memory, available) =
        (memory::memory(graph, settings, data.train().len(), work), memory::available(settings));
    memory::fits(memory, available)?;
    let mut engine = engine::open_drawn(graph, settings)?;
    if !is_resumed {
        // Of one that is taken up, the checkpoint has all parameters.
        engine::read_init(&mut *engine, graph, settings)?;
    }
    let plan = TrainStep::new(&mut *engine, graph, settings, data)?.plan().clone();
    let mut notices = Vec::new();
    if let Some(place) = place {
        if !is_resumed {
            notices = disk::writable(place)?;
        }
        disk::fits(disk::needed(graph, settings, &plan, is_resumed), place)?;
    }
    // A run that is taken up is not at its beginning.
    let first = if is_resumed { None } else { look(&mut *engine, graph, settings, data)? };
    let with_init = graph.clone().with_init(settings.init);
    let advice = advice(&Facts { graph: &with_init, settings, data, plan: &plan, first: first.as_ref() });
    Ok(Ready { engine, check: Check { plan, memory, available, advice, notices } })
}
