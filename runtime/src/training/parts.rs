//! What a run is made of.

use serde_json::Value;

use super::Training;
use crate::data::Prepared;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::Model;
use crate::run::Start;
use crate::spec::{Settings, hash};

/// All that a run begins with, made ready one after the other; the engine is opened when the rest was judged.
pub(super) struct Parts {
    name: &'static str,
    spec: Value,
    spec_hash: String,
    overrides: Vec<(String, String)>,
    pub(super) settings: Settings,
    pub(super) graph: Graph,
    pub(super) data: Prepared,
}

impl Parts {
    /// How the run begins under the engine of this name, for its folder.
    pub(super) fn start(&self, engine: &'static str) -> Start<'_> {
        Start {
            name: self.name,
            spec: &self.spec,
            spec_hash: &self.spec_hash,
            overrides: &self.overrides,
            settings: &self.settings,
            graph: &self.graph,
            engine,
            data: &self.data,
        }
    }
}

impl<M: Model> Training<M> {
    /// Takes the parts of the run out of its declaration.
    pub(super) fn parts(&mut self) -> Result<Parts> {
        let spec = self.spec()?;
        let (graph, data) = (self.graph()?, self.data()?);
        let taken = Err(Error::Internal("a run has its settings once"));
        let settings = std::mem::replace(&mut self.settings, taken)?;
        let overrides = std::mem::take(&mut self.overrides);
        Ok(Parts { name: self.name, spec_hash: hash(&spec), spec, overrides, settings, graph, data })
    }
}
