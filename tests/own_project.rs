//! A user project, made of the code blocks in README.md.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Returns the first block in this language.
fn block<'a>(page: &'a str, language: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/{path}")).unwrap()
}

#[test]
fn documented_manifests_are_equal() {
    let (readme, crate_docs) = (read("README.md"), read("runtime/src/docs/project.md"));
    assert_eq!(block(&readme, "toml"), block(&crate_docs, "toml"));
    let first = readme.find("```").unwrap();
    assert!(readme[first..].starts_with("```toml"), "the manifest comes first");
}

/// The documented profile optimizes the kernels, and the program reports it.
///
/// The project uses the workspace's lock file and target folder, so that dependencies with equal features are compiled once.
/// Those with other features in the workspace, such as candle, and this crate are compiled again, which takes minutes: so the
/// test runs only where `TRAINSPEC_OWN_PROJECT` is set, as `.ci/run` does.
#[test]
fn readme_project_builds_optimized_kernels() {
    if std::env::var_os("TRAINSPEC_OWN_PROJECT").is_none() {
        eprintln!("skipped: it compiles candle again; set TRAINSPEC_OWN_PROJECT to run it");
        return;
    }
    let readme = read("README.md");
    let project = tempfile::tempdir().unwrap();
    let version = "trainspec = \"0.1.0\"";
    let manifest = block(&readme, "toml");
    assert_eq!(manifest.matches(version).count(), 1);
    let root = Path::new(ROOT).canonicalize().unwrap();
    let path = format!("trainspec = {{ path = {:?} }}", root.join("runtime"));
    std::fs::write(project.path().join("Cargo.toml"), manifest.replace(version, &path)).unwrap();
    std::fs::create_dir(project.path().join("src")).unwrap();
    std::fs::write(project.path().join("src/main.rs"), block(&readme, "rust")).unwrap();
    std::fs::copy(root.join("Cargo.lock"), project.path().join("Cargo.lock")).unwrap();

    let output = Command::new(env!("CARGO"))
        .args(["run", "--offline", "--", "--epochs", "2", "--out", "runs"])
        .current_dir(project.path())
        .env("CARGO_TARGET_DIR", root.join("target"))
        .output()
        .unwrap();
    let (shown, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown}{errors}");
    assert!(!shown.contains("UnoptimizedKernels"), "{shown}");
    let run = std::fs::read_dir(project.path().join("runs/digits")).unwrap().next().unwrap().unwrap().path();
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["system"]["opt_level"], "3");
}
