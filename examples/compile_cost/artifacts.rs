//! Runs rustc against the artifacts that cargo has built for this workspace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// What the compiler produces.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// Metadata, as for `cargo check`.
    Check,
    /// A program.
    Build,
    /// The source after macro expansion.
    Expansion,
}

/// The compiled runtime and the folder of its dependencies.
pub(crate) struct Artifacts {
    metadata: PathBuf,
    library: PathBuf,
}

impl Artifacts {
    /// Returns the artifacts of `trainspec` in the dev profile; cargo builds what is missing.
    pub(crate) fn of_workspace() -> Result<Self> {
        Ok(Self { metadata: artifact("check", "rmeta")?, library: artifact("build", "rlib")? })
    }

    /// Compiles a file and returns the compiler's output.
    pub(crate) fn compile(&self, file: &Path, goal: Goal) -> Result<Vec<u8>> {
        let runtime = if matches!(goal, Goal::Check) { &self.metadata } else { &self.library };
        // Libraries are also copied one folder above their dependencies; metadata files are not.
        let dependencies = self.metadata.parent().context("an artifact has a folder")?;
        let mut named = OsString::from("trainspec=");
        named.push(runtime);
        let mut found = OsString::from("dependency=");
        found.push(dependencies);
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .args(["--edition", "2024", "--crate-name", "spec"])
            .arg("--extern")
            .arg(named)
            .arg("-L")
            .arg(found);
        match goal {
            Goal::Check => rustc.args(["--emit", "metadata"]),
            Goal::Build => rustc.args(["--emit", "link", "-C", "debuginfo=1"]),
            // A nightly option, which only prints.
            Goal::Expansion => rustc.env("RUSTC_BOOTSTRAP", "1").arg("-Zunpretty=expanded"),
        };
        let folder = file.parent().context("a source has a folder")?;
        if !matches!(goal, Goal::Expansion) {
            rustc.arg("--out-dir").arg(folder);
        }
        let output = rustc.arg(file).stdin(Stdio::null()).output().context("starting rustc")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }
}

/// Returns the file of `trainspec` that a cargo command builds.
fn artifact(command: &str, extension: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([command, "-p", "trainspec", "--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo")?;
    ensure!(output.status.success(), "cargo {command} failed");
    for line in output.stdout.split(|&byte| byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
        if message["reason"] != "compiler-artifact" || message["target"]["name"] != "trainspec" {
            continue;
        }
        let files = message["filenames"].as_array().into_iter().flatten();
        let file = files.filter_map(Value::as_str).find(|file| file.ends_with(extension));
        if let Some(file) = file {
            return Ok(file.into());
        }
    }
    bail!("cargo {command} did not build an {extension} of trainspec")
}
