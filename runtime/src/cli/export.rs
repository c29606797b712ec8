//! Exports a trained model for other programs.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::arguments::{Export, Format};
use super::say;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::files::{check_output, is_stdout};
use crate::model::Model;
use crate::run_dir::{newest, newest_checkpoint};

/// Reads a model and writes it for other programs.
pub(super) fn export<M: Model>(
    training: &Experiment<M>,
    arguments: &Export,
    out: &mut dyn Write,
) -> Result<()> {
    let Export { source, format: Format::Safetensors, out: file } = arguments;
    let model = source_file(source.as_deref(), training.name())?;
    let same = |path: &Path| path.canonicalize().ok();
    if same(file).is_some_and(|file| Some(file) == same(&model)) {
        return Err(fault("out", format!("{} is the model to export; choose another file", file.display())));
    }
    check_output(file)?;
    let trained = training.load(&model)?;
    trained.export(file)?;
    if is_stdout(file) {
        // What was written there is the model alone.
        return Ok(());
    }
    let (count, numbers) =
        trained.numbers().iter().fold((0, 0), |(count, sum), numbers| (count + 1, sum + numbers.len()));
    let normalized = match (trained.normalizers().is_empty(), trained.target_normalizers().is_empty()) {
        (true, true) => "inputs are not normalized",
        (false, true) => "the normalization of the inputs is in the metadata",
        (true, false) => "the normalization of the targets is in the metadata",
        (false, false) => "the normalizations of the inputs and the targets are in the metadata",
    };
    let (from, to) = (model.display(), file.display());
    say(out, &format!("{from}\n  {count} tensors with {numbers} values; {normalized}\n\n  {to}\n"))
}

/// Returns the model file of a run, or the path itself if it is a file.
fn source_file(source: Option<&Path>, name: &str) -> Result<PathBuf> {
    let run = match source {
        Some(path) if !path.is_dir() => return Ok(path.to_owned()),
        Some(path) => path.to_owned(),
        None => newest(Path::new("runs"), name).map_err(|error| match error {
            Error::Setting { .. } => {
                fault("export", format!("there is no run in runs/{name}; pass a run folder or a model file"))
            }
            other => other,
        })?,
    };
    let model = run.join("model.safetensors");
    if model.exists() {
        return Ok(model);
    }
    let way = match newest_checkpoint(&run) {
        Some(checkpoint) => format!("resume it, or pass the model of a checkpoint, {}", checkpoint.display()),
        None => "there is no checkpoint to resume from, so train again".to_owned(),
    };
    let problem = format!("{} has no model yet, its run has not finished; {way}", run.display());
    Err(fault("export", problem))
}

fn fault(key: &str, problem: String) -> Error {
    Error::Setting { key: key.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn export_finds_model_in_run_folder() {
        let folder = tempfile::tempdir().unwrap();
        let problem = source_file(Some(folder.path()), "line").unwrap_err().to_string();
        assert!(
            problem.contains("has no model yet, its run has not finished; there is no checkpoint"),
            "{problem}"
        );
        for step in ["step-00000010", "step-00000020", "step-00000030.damaged"] {
            std::fs::create_dir_all(folder.path().join("checkpoints").join(step)).unwrap();
        }
        let problem = source_file(Some(folder.path()), "line").unwrap_err().to_string();
        assert!(problem.ends_with("/checkpoints/step-00000020/model.safetensors"), "{problem}");
        let model = folder.path().join("model.safetensors");
        std::fs::write(&model, "").unwrap();
        assert_eq!(source_file(Some(folder.path()), "line").unwrap(), model);
        assert_eq!(source_file(Some(&model), "line").unwrap(), model);
        let problem = source_file(None, "line").unwrap_err().to_string();
        assert_eq!(problem, "export: there is no run in runs/line; pass a run folder or a model file");
    }
}
