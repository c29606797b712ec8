//! The checks before the first step, shared by `check` and `run`.

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
use crate::world::World;

/// A run that passed the checks.
pub(super) struct Ready {
    pub(super) engine: Box<dyn Engine>,
    pub(super) check: Check,
}

/// A function that inspects a model before its first step.
pub(super) type Look =
    fn(&mut dyn Engine, &Graph, &TrainConfig, &PreparedDataset) -> Result<Option<FirstLook>>;

/// Runs all checks before the first step, for `check` and for `run`: both reject the same runs with the same messages.
/// `place` is the folder that the run writes to.
pub(super) fn ready(
    world: &World,
    parts: &Parts,
    place: Option<&Path>,
    is_resumed: bool,
    look: Look,
) -> Result<Ready> {
    let Parts { graph, settings, data, .. } = parts;
    if settings.checkpoint.is_some() && place.is_none() && !is_resumed {
        return Err(Error::Setting {
            key: "checkpoint".to_owned(),
            problem: "there is no run folder to save to; set one, or remove the key".to_owned(),
        });
    }
    let work = if is_resumed { Work::Resume } else { Work::Train };
    let (memory, available) =
        (memory::memory(graph, settings, data.train().len(), work), memory::available(settings));
    memory::fits(memory, available)?;
    let mut engine = engine::open_drawn(graph, settings)?;
    if !is_resumed {
        // The checkpoint of a resumed run has all parameters.
        engine::read_init(&mut *engine, graph, settings)?;
    }
    let plan = TrainStep::new(&mut *engine, graph, settings, data)?.in_world(world)?.plan().clone();
    let mut notices = Vec::new();
    if let Some(place) = place.filter(|_| world.is_first()) {
        if !is_resumed {
            notices = disk::writable(place)?;
        }
        disk::fits(disk::needed(graph, settings, &plan, is_resumed), place)?;
    }
    // A resumed run is past its first step.
    let first = if is_resumed { None } else { look(&mut *engine, graph, settings, data)? };
    let graph_with_init = graph.clone().with_init(settings.init);
    let advice =
        advice(&Facts { graph: &graph_with_init, settings, data, plan: &plan, first: first.as_ref() });
    Ok(Ready { engine, check: Check { plan, memory, available, advice, notices } })
}
