//! The parts of a run.

use serde_json::Value;

use super::Experiment;
use crate::data::{PreparedDataset, Reads};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::Model;
use crate::run_dir::Start;
use crate::spec::{TrainConfig, hash};

/// The settings, graph and data of a run.
pub(super) struct Parts {
    pub(super) settings: TrainConfig,
    pub(super) graph: Graph,
    pub(super) data: PreparedDataset,
}

/// What identifies a run in its folder.
pub(super) struct Identity {
    name: &'static str,
    spec: Value,
    spec_hash: String,
    overrides: Vec<(String, String)>,
}

impl Identity {
    pub(super) fn spec_hash(&self) -> &str {
        &self.spec_hash
    }
}

impl Parts {
    /// Returns the start record of the run for its folder, with the engine of this name.
    pub(super) fn start<'a>(&'a self, identity: &'a Identity, engine: &'static str) -> Start<'a> {
        Start {
            name: identity.name,
            spec: &identity.spec,
            spec_hash: &identity.spec_hash,
            overrides: &identity.overrides,
            settings: &self.settings,
            graph: &self.graph,
            engine,
            data: &self.data,
        }
    }
}

impl<M: Model> Experiment<M> {
    /// Returns the run's identity. It reads the `init_from` file, if there is one, for its hash; a check does not need it.
    pub(super) fn identity(&mut self) -> Result<Identity> {
        let spec = self.spec()?;
        let overrides = self.overrides.clone();
        Ok(Identity { name: self.name, spec_hash: hash(&spec), spec, overrides })
    }

    /// Takes the parts of the run out of the experiment. It reads so much of the data.
    pub(super) fn parts(&mut self, reads: Reads) -> Result<Parts> {
        let (graph, data) = (self.graph()?, self.prepared(reads)?);
        let taken = Err(Error::Internal("a run has its settings once"));
        let settings = std::mem::replace(&mut self.settings, taken)?;
        Ok(Parts { settings, graph, data })
    }
}
