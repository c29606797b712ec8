//! What cargo has built of this workspace, and rustc on top of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// What is asked of the compiler.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// What `cargo check` asks for.
    Check,
    /// A program.
    Build,
    /// The source after all macros.
    Expansion,
}

/// The compiled runtime, and where what it depends on lies.
pub(crate) struct Artifacts {
    metadata: PathBuf,
    library: PathBuf,
}

impl Artifacts {
    /// Those of `trainspec` in the dev profile; cargo makes what is missing.
    pub(crate) fn of_workspace() -> Result<Self> {
        Ok(Self { metadata: artifact("check", "rmeta")?, library: artifact("build", "rlib")? })
    }

    /// Compiles a file, and gives what the compiler prints.
    pub(crate) fn compile(&self, file: &Path, goal: Goal) -> Result<Vec<u8>> {
        let runtime = if matches!(goal, Goal::Check) { &self.metadata } else { &self.library };
        // Libraries are also put one folder above their dependencies; metadata are not.
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
            // An option of the nightly compiler, which only prints.
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

/// The file of `trainspec` that a cargo command makes.
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
    bail!("cargo {command} gives no {extension} of trainspec")
}
