//! What a run runs on: the machine, the programs, and the commit of the user's own repository.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::start::Start;

/// The environment of one process. What is not known is `null`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Environment {
    versions: Versions,
    git: Option<Git>,
    system: System,
    device: String,
    engine: String,
    threads: usize,
    command: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Versions {
    trainspec: String,
    candle: String,
    rustc: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct System {
    /// `linux`
    os: String,
    /// `x86_64`
    arch: String,
    /// The target for which the program was built.
    target: String,
    /// The instruction set level of the kernels.
    simd: String,
    /// The optimization level at which the kernels were compiled: `3`.
    opt_level: String,
    /// The CPU features on which the kernels and candle depend.
    cpu_features: Vec<String>,
}

/// The repository of the user's program: the one that holds the program, or else the working folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Git {
    commit: String,
    /// Whether files differ from the commit; `null` if git does not report it.
    is_dirty: Option<bool>,
    /// Which folder's repository it is.
    #[serde(default)]
    of: String,
}

/// The version of candle with which this crate is built.
const CANDLE: &str = "0.11.1";

impl Environment {
    /// The environment of this process.
    pub(super) fn of(start: &Start<'_>) -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            versions: Versions {
                trainspec: text(env!("CARGO_PKG_VERSION")),
                candle: text(CANDLE),
                rustc: text(env!("TRAINSPEC_RUSTC")),
            },
            git: Git::of_program(),
            system: System {
                os: text(std::env::consts::OS),
                arch: text(std::env::consts::ARCH),
                target: text(env!("TRAINSPEC_TARGET")),
                simd: format!("{:?}", trainspec_kernels::simd::level()),
                opt_level: text(trainspec_kernels::OPT_LEVEL),
                cpu_features: cpu_features(),
            },
            device: start.settings.device.to_string(),
            engine: text(start.engine),
            threads: candle_core::utils::get_num_threads(),
            command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        }
    }

    /// As JSON without the command, which does not affect the results.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let mut json = serde_json::to_value(self).unwrap_or_default();
        if let Some(keys) = json.as_object_mut() {
            keys.remove("command");
        }
        json
    }
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<String> {
    let features = [
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512dq", is_x86_feature_detected!("avx512dq")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
    ];
    features.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(target_arch = "aarch64")]
fn cpu_features() -> Vec<String> {
    use std::arch::is_aarch64_feature_detected;
    let features = [
        ("neon", is_aarch64_feature_detected!("neon")),
        ("fp16", is_aarch64_feature_detected!("fp16")),
        ("dotprod", is_aarch64_feature_detected!("dotprod")),
    ];
    features.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn cpu_features() -> Vec<String> {
    Vec::new()
}

impl Git {
    fn of_program() -> Option<Self> {
        let program = std::env::current_exe().and_then(|program| program.canonicalize()).ok();
        let program =
            program.as_deref().and_then(Path::parent).and_then(|folder| Self::of(folder, "program"));
        program.or_else(|| Self::of(Path::new("."), "working folder"))
    }

    /// The repository that holds `folder`, if there is one and git is available.
    fn of(folder: &Path, whose: &str) -> Option<Self> {
        let ask = |arguments: &[&str]| {
            let variables = std::env::vars_os().map(|(name, _)| name);
            command(folder, variables)
                .args(arguments)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output()
                .ok()
                .filter(|output| output.status.success())
                .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let commit = ask(&["rev-parse", "HEAD"])?;
        let is_dirty = ask(&["status", "--porcelain"]).map(|changes| !changes.is_empty());
        Some(Self { commit, is_dirty, of: whose.to_owned() })
    }
}

/// Runs git in a folder, whatever the environment variables of the process set: a hook or a script sets
/// `GIT_DIR`, `GIT_WORK_TREE` or `GIT_INDEX_FILE` for everything that it starts.
fn command(folder: &Path, variables: impl Iterator<Item = OsString>) -> Command {
    let mut git = Command::new("git");
    for name in variables.filter(|name| name.as_encoded_bytes().starts_with(b"GIT_")) {
        git.env_remove(name);
    }
    // Reading the state must not interfere with the user's own commands, nor run a program that the repository configures.
    git.env("GIT_OPTIONAL_LOCKS", "0").args(["-c", "core.fsmonitor=false"]).current_dir(folder);
    git
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_candle_version_matches_lock_file() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        let lock = std::fs::read_to_string(lock).unwrap();
        let mut lines = lock.lines().skip_while(|line| *line != "name = \"candle-core\"");
        assert_eq!(lines.nth(1), Some(format!("version = \"{CANDLE}\"").as_str()));
    }

    #[test]
    fn folder_outside_repository_has_no_commit() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Git::of(folder.path(), "nothing").is_none());
    }

    /// Two repositories: git reads the one that holds the folder, and does not run its monitor.
    #[cfg(unix)]
    #[test]
    fn git_environment_variables_are_ignored() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let git = |folder: &Path, words: &[&str]| {
            let identity =
                ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"];
            let mut git = command(folder, std::env::vars_os().map(|(name, _)| name));
            git.args(identity).args(words).output().is_ok_and(|output| output.status.success())
        };
        for (folder, message) in folders.iter().zip(["one", "other"]) {
            let is_made = git(folder.path(), &["init", "-q"])
                && git(folder.path(), &["commit", "-q", "--allow-empty", "-m", message]);
            if !is_made {
                // Git is not found.
                return;
            }
        }
        let ran = folders[0].path().join("ran");
        let monitor = format!("touch {}; false", ran.display());
        assert!(git(folders[0].path(), &["config", "core.fsmonitor", &monitor]));
        let names =
            ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CONFIG_COUNT", "HOME"].map(OsString::from);
        let mut own = command(folders[0].path(), names.into_iter());
        let removed: Vec<_> =
            own.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        assert_eq!(removed, ["GIT_CONFIG_COUNT", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"]);
        assert!(own.args(["status", "--porcelain"]).output().unwrap().status.success());
        let [one, other] = folders.each_ref().map(|folder| Git::of(folder.path(), "program").unwrap());
        assert_ne!(one.commit, other.commit);
        assert_eq!((one.is_dirty, ran.exists()), (Some(false), false));
    }

    #[test]
    fn compiler_and_target_are_recorded() {
        assert!(env!("TRAINSPEC_RUSTC").starts_with("rustc "));
        assert!(env!("TRAINSPEC_TARGET").starts_with(std::env::consts::ARCH));
    }

    /// What an older version did not record is missing, which is not an error.
    #[test]
    fn missing_environment_fields_are_empty() {
        let read: Environment = serde_json::from_str(r#"{ "threads": 2, "git": null }"#).unwrap();
        assert_eq!((read.threads, read.engine.as_str()), (2, ""));
    }
}
