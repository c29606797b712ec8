//! The run folder: what every run leaves behind.

use std::path::{Path, PathBuf};

use crate::data::Prepared;
use crate::error::Result;
use crate::train::{Event, Observer, Outcome};

/// The folder of one run.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder.
    pub fn create(
        out: &Path,
        name: &str,
        spec: &serde_json::Value,
        hash: &str,
        overrides: &[(String, String)],
        data: &Prepared,
    ) -> Result<Self> {
        let _ = (out, name, spec, hash, overrides, data);
        Ok(Self { path: PathBuf::new() })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the final model.
    pub fn model(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// Records the run's end.
    pub fn finish(&mut self, exit: &str, outcome: Option<&Outcome>) -> Result<()> {
        let _ = (exit, outcome);
        Ok(())
    }
}

impl Observer for Folder {
    fn on(&mut self, _: &Event<'_>) -> Result<()> {
        Ok(())
    }
}
