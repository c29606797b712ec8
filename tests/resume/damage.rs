//! Damaged files of a run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use sha2::{Digest, Sha256};

use trainspec_tests::run_files::scratch;

use super::{Averaged, assert_equal, checkpoint, ended, files, killed, resumed, write};

/// Each file of the newest checkpoint is truncated, has a flipped bit, is empty or missing: the previous checkpoint is used,
/// and the run produces the same files.
#[test]
fn damaged_checkpoint_is_skipped() {
    let (out, folder, whole) = ended();
    let newest = format!("{}/", checkpoint(20));
    let names: Vec<_> = whole.keys().filter(|name| name.starts_with(&newest)).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    for (place, name) in names.into_iter().enumerate() {
        for (kind, what) in ["cut", "flipped", "empty", "gone"].into_iter().enumerate() {
            let folder = out.path().join(format!("{place}-{kind}"));
            killed(&whole, 20, &folder);
            let mut bytes = whole[name].clone();
            match what {
                "cut" => bytes.truncate(bytes.len() / 3),
                "flipped" => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 4;
                }
                _ => bytes.clear(),
            }
            fs::write(folder.join(name), bytes).unwrap();
            if what == "gone" {
                fs::remove_file(folder.join(name)).unwrap();
            }
            let said = resumed(Averaged::experiment(), &folder).unwrap();
            assert_eq!((said.step, said.damaged.len()), (19, 1), "{name} {what}");
            let sentence = &said.damaged[0];
            let file = name.strip_prefix(&newest).unwrap();
            assert!(sentence.starts_with("step-00000020 is damaged: `"), "{sentence}");
            assert!(sentence.contains(file) || file == "SHA256SUMS", "{name} {what}: {sentence}");
            let mut found = files(&folder);
            found.retain(|name, _| !name.contains(".damaged/"));
            assert_equal(&found, &whole, &format!("{name} {what}"));
            let manifest: serde_json::Value =
                serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
            assert_eq!(manifest["resumed"][0]["damaged"][0], *sentence);
            assert_eq!(
                (&manifest["resumed"][0]["step"], &manifest["exit"]),
                (&19.into(), &"completed".into())
            );
        }
    }
    drop(folder);
}

/// A damaged log invalidates the checkpoints after the damage.
#[test]
fn checkpoint_with_truncated_log_is_skipped() {
    let (_out, folder, whole) = ended();
    let state: serde_json::Value =
        serde_json::from_slice(&whole[&format!("{}/state.json", checkpoint(11))]).unwrap();
    let length = state["metrics"]["bytes"].as_u64().unwrap() as usize;
    fs::write(folder.join("metrics.jsonl"), &whole["metrics.jsonl"][..length]).unwrap();
    let said = resumed(Averaged::experiment(), &folder).unwrap();
    assert_eq!((said.step, said.damaged.len()), (11, 9));
    assert!(said.damaged[0].contains("at the checkpoint it had"), "{:?}", said.damaged);
    fs::remove_file(folder.join("metrics.jsonl")).unwrap();
    let problem = resumed(Averaged::experiment(), &folder).unwrap_err().to_string();
    assert!(problem.contains("no checkpoint can be used: step-00000024 is damaged: "), "{problem}");
}

/// Files with valid checksums that no run has written: changes each value of the state and each byte of the tensor headers.
/// The result is an error or a run, never a panic.
#[test]
fn corrupted_checkpoint_bytes_do_not_panic() {
    let out = scratch();
    let training = || Averaged::experiment().set("checkpoint.every", r#"{ "Steps": 30 }"#).unwrap();
    let whole = files(&Averaged::experiment().out(out.path()).run().unwrap().folder.unwrap());
    let place = checkpoint(20);
    let try_with = |name: &str, bytes: Vec<u8>| {
        let folder = out.path().join("changed");
        let _ = fs::remove_dir_all(&folder);
        let mut changed: BTreeMap<_, _> = whole
            .iter()
            .filter(|(name, _)| !name.starts_with("checkpoints/") || name.starts_with(&place))
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .collect();
        changed.insert(format!("{place}/{name}"), bytes);
        let mut sums = String::new();
        for (name, bytes) in &changed {
            let name = name.strip_prefix(&format!("{place}/")).filter(|name| *name != "SHA256SUMS");
            if let Some(name) = name {
                for byte in Sha256::digest(bytes) {
                    write!(sums, "{byte:02x}").unwrap();
                }
                writeln!(sums, "  {name}").unwrap();
            }
        }
        changed.insert(format!("{place}/SHA256SUMS"), sums.into_bytes());
        for (name, bytes) in &changed {
            write(&folder.join(name), bytes);
        }
        training().allow_spec_change("checkpoint").resume(&folder).run().map(|_| ())
    };
    let text = &whole[&format!("{place}/state.json")];
    let state: serde_json::Value = serde_json::from_slice(text).unwrap();
    try_with("state.json", text.clone()).unwrap();
    let mut paths = Vec::new();
    leaves(&state, String::new(), &mut paths);
    paths.retain(|path| !path.starts_with("/spec/") && !path.starts_with("/metrics/"));
    assert!(paths.len() > 30, "{paths:?}");
    let (mut errors, mut runs) = (0, 0);
    for path in &paths {
        for value in
            ["null", "0", "-1", "18446744073709551615", "1e308", "\"NaN\"", "[]", "{}", "[[1],[2,3]]"]
        {
            let mut changed = state.clone();
            *changed.pointer_mut(path).unwrap() = serde_json::from_str(value).unwrap();
            match try_with("state.json", serde_json::to_vec(&changed).unwrap()) {
                Ok(()) => runs += 1,
                Err(_) => errors += 1,
            }
        }
    }
    assert!(errors > runs, "{errors} errors, {runs} runs");
    for name in ["model.safetensors", "optimizer.safetensors"] {
        let bytes = &whole[&format!("{place}/{name}")];
        for byte in (0..160).step_by(3).chain([usize::MAX]) {
            let mut changed = bytes.clone();
            match changed.get_mut(byte) {
                Some(byte) => *byte ^= 0x11,
                None => changed.truncate(100),
            }
            let _ = try_with(name, changed);
        }
    }
}

/// Returns the paths of all nested values as JSON pointers.
fn leaves(json: &serde_json::Value, path: String, paths: &mut Vec<String>) {
    match json {
        serde_json::Value::Object(keys) => {
            keys.iter().for_each(|(key, value)| leaves(value, format!("{path}/{key}"), paths));
        }
        serde_json::Value::Array(list) => {
            list.iter()
                .take(3)
                .enumerate()
                .for_each(|(key, value)| leaves(value, format!("{path}/{key}"), paths));
        }
        _ => {}
    }
    paths.push(path);
}

/// A damaged manifest or spec does not matter: both are rewritten.
#[test]
fn damaged_manifest_and_spec_are_rewritten_on_resume() {
    let (_out, folder, whole) = ended();
    fs::write(folder.join("manifest.json"), "{").unwrap();
    fs::write(folder.join("spec.json"), "").unwrap();
    resumed(Averaged::experiment(), &folder).unwrap();
    assert_equal(&files(&folder), &whole, "without manifest and spec");
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((&manifest["id"], &manifest["exit"]), (&"killed".into(), &"completed".into()));
}

/// An unreadable checkpoint is not treated as damaged: it is neither skipped nor renamed.
#[cfg(unix)]
#[test]
fn unreadable_checkpoint_is_kept_in_place() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use trainspec_tests::run_files::every_file;

    let (_out, folder, whole) = ended();
    let name = format!("{}/optimizer.safetensors", checkpoint(20));
    let path = folder.join(&name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let is_superuser = fs::read(&path).is_ok();
    if is_superuser {
        // Even root cannot read a link to itself.
        fs::remove_file(&path).unwrap();
        symlink(&path, &path).unwrap();
    }
    let listed = || -> Vec<_> {
        let entries = fs::read_dir(folder.join("checkpoints")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = listed();
    let problem = resumed(Averaged::experiment(), &folder).unwrap_err().to_string();
    assert!(problem.contains(&format!("{name}: ")) && !problem.contains("is damaged"), "{problem}");
    assert_eq!(listed(), before);
    if is_superuser {
        fs::remove_file(&path).unwrap();
        fs::write(&path, &whole[&name]).unwrap();
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(resumed(Averaged::experiment(), &folder).unwrap().step, 20);
    assert_equal(&files(&folder), &whole, "readable again");
    assert!(every_file(&folder).keys().all(|name| !name.contains("damaged")));
}

/// A checkpoint of a later version with valid checksums.
#[test]
fn checkpoint_of_another_format_is_rejected_as_unsupported() {
    let (_out, folder, _) = ended();
    let place = folder.join(checkpoint(20));
    changed(&place, "state.json", |text| {
        let text = String::from_utf8(text).unwrap();
        text.replacen("\"format\": 1", "\"format\": 2", 1).into_bytes()
    });
    let problem = resumed(Averaged::experiment(), &folder).unwrap_err().to_string();
    assert!(
        problem.contains("state.json: the checkpoint has the format 2; this version reads 1"),
        "{problem}"
    );
    assert!(place.is_dir());
}

/// NaN weights and a negative variance in files with valid checksums are rejected.
#[test]
fn checkpoint_with_non_finite_values_is_rejected_with_position() {
    let (_out, folder, whole) = ended();
    let place = folder.join(checkpoint(20));
    for (file, path, number, expected) in [
        (
            "model.safetensors",
            "linear_1.bias",
            f32::NAN,
            "has NaN at element 2; expected values that are finite in f32",
        ),
        (
            "model.safetensors",
            "linear_1.bias",
            f32::INFINITY,
            "has inf at element 2; expected values that are finite in f32",
        ),
        (
            "best.safetensors",
            "linear_1.bias",
            f32::NEG_INFINITY,
            "has -inf at element 2; expected values that are finite in f32",
        ),
        (
            "ema.safetensors",
            "batch_norm_1.running_mean",
            f32::NAN,
            "has NaN at element 2; expected values that are finite in f32",
        ),
        (
            "model.safetensors",
            "batch_norm_1.running_var",
            -0.5,
            "has -0.5 at element 2; expected a value of at least 0",
        ),
    ] {
        let name = format!("{}/{file}", checkpoint(20));
        fs::write(place.join(file), &whole[&name]).unwrap();
        changed(&place, file, |mut bytes| {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
            let begin = 8 + length + header[path]["data_offsets"][0].as_u64().unwrap() as usize + 2 * 4;
            bytes[begin..begin + 4].copy_from_slice(&number.to_le_bytes());
            bytes
        });
        let problem = resumed(Averaged::experiment(), &folder).unwrap_err().to_string();
        assert!(
            problem.contains(&format!("{name}: ")) && problem.contains(&format!("`{path}` {expected}")),
            "{problem}"
        );
        fs::write(place.join(file), &whole[&name]).unwrap();
        changed(&place, file, |bytes| bytes);
    }
    assert_eq!(resumed(Averaged::experiment(), &folder).unwrap().step, 20);
}

/// Changes a file of a checkpoint and its checksum.
fn changed(place: &std::path::Path, file: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let bytes = change(fs::read(place.join(file)).unwrap());
    let mut sum = String::new();
    for byte in Sha256::digest(&bytes) {
        write!(sum, "{byte:02x}").unwrap();
    }
    fs::write(place.join(file), bytes).unwrap();
    let sums = fs::read_to_string(place.join("SHA256SUMS")).unwrap();
    let lines = sums.lines().map(|line| match line.split_once("  ") {
        Some((_, name)) if name == file => format!("{sum}  {name}"),
        _ => line.to_owned(),
    });
    fs::write(place.join("SHA256SUMS"), lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
}
