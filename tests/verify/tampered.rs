//! Changed run folders: the error names the change and its position.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use trainspec::run_dir::Verified;

use super::{Averaged, checkpoint, ended, files, json, killed, write};

/// Changes one file of a run; returns the result of verifying it from some step.
fn verified(name: &str, from: Option<u64>, change: impl Fn(&mut Vec<u8>)) -> Verified {
    let (_out, folder) = ended();
    let mut bytes = fs::read(folder.join(name)).unwrap();
    change(&mut bytes);
    fs::write(folder.join(name), bytes).unwrap();
    if let Some((place, _)) = name.rsplit_once('/') {
        repair_sums(&folder.join(place));
    }
    let verified = Averaged::experiment().verify(&folder, from).unwrap();
    assert!(!verified.is_same(), "a change of {name} is not seen");
    verified
}

/// Corrects the checksums of a checkpoint.
fn repair_sums(folder: &Path) {
    let list = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let mut repaired = String::new();
    for line in list.lines() {
        let name = line.split_once("  ").unwrap().1;
        for byte in Sha256::digest(fs::read(folder.join(name)).unwrap()) {
            write!(repaired, "{byte:02x}").unwrap();
        }
        writeln!(repaired, "  {name}").unwrap();
    }
    fs::write(folder.join("SHA256SUMS"), repaired).unwrap();
}

/// Flips the lowest bit of the mantissa of an element of a tensor.
fn flip(bytes: &mut [u8], tensor: &str, number: usize) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let start = json(&bytes[8..8 + length])[tensor]["data_offsets"][0].as_u64().unwrap() as usize;
    bytes[8 + length + start + 4 * number] ^= 1;
}

/// Replaces a part of the log line of a step.
fn replace(bytes: &mut Vec<u8>, step: u64, old: &str, new: &str) {
    let text = String::from_utf8(std::mem::take(bytes)).unwrap();
    let line = text.lines().find(|line| line.contains(&format!(r#""step":{step},"#))).unwrap();
    assert!(line.contains(old), "{line}");
    *bytes = text.replacen(line, &line.replacen(old, new, 1), 1).into_bytes();
}

const CONV: &str = "conv2d_1.weight";
const LINEAR: &str = "linear_1.bias";

/// In each parameter of a checkpoint, including its running statistics.
#[test]
fn changed_bit_in_checkpoint_parameter_is_detected() {
    let (_out, folder) = ended();
    let model = Averaged::experiment().load(folder.join("model.safetensors")).unwrap();
    let paths: Vec<_> = model.parameters().map(|(path, _)| path.to_owned()).collect();
    assert_eq!(paths.len(), 7, "{paths:?}");
    let name = format!("{}/model.safetensors", checkpoint(12));
    for path in paths {
        for from in [None, Some(6)] {
            let found = verified(&name, from, |bytes| flip(bytes, &path, 1));
            let first = found.first.unwrap();
            assert_eq!((first.step, &first.what, &first.file), (12, &path, &name));
            assert!(first.old.contains(" at index 1") && first.old != first.new, "{first}");
            assert_eq!(found.parameter, Some(first), "from {from:?}");
        }
        // If verification starts there, the hashes of that step detect it.
        let found = verified(&name, Some(12), |bytes| flip(bytes, &path, 1));
        let first = found.first.unwrap();
        assert_eq!((first.step, &first.what, first.file.as_str()), (12, &path, checkpoint(12).as_str()));
        assert_eq!(found.parameter, Some(first));
    }
}

#[test]
fn changed_bit_in_optimizer_state_is_detected() {
    for (file, tensor) in
        [("optimizer", "linear_1.bias.v"), ("ema", CONV), ("best", "batch_norm_1.running_mean")]
    {
        let name = format!("{}/{file}.safetensors", checkpoint(18));
        let found = verified(&name, None, |bytes| flip(bytes, tensor, 0));
        let first = found.first.unwrap();
        assert_eq!((first.step, first.what.as_str(), &first.file), (18, tensor, &name));
        assert!(found.parameter.is_some());
    }
    let key = |file: &str| format!("{}/{file}.safetensors", checkpoint(18));
    let found = verified(&key("optimizer"), Some(18), |bytes| flip(bytes, "linear_1.bias.v", 0));
    assert_eq!(found.first.unwrap().what, "optimizer");
    let found = verified(&key("ema"), Some(18), |bytes| flip(bytes, LINEAR, 0));
    assert_eq!(found.first.unwrap().what, "average");
}

#[test]
fn changed_number_in_checkpoint_state_is_detected() {
    let name = format!("{}/state.json", checkpoint(12));
    let found = verified(&name, None, |bytes| {
        let mut state = json(bytes);
        state["scaling"]["good_steps"] = 99.into();
        *bytes = serde_json::to_vec(&state).unwrap();
    });
    assert_eq!(
        found.first.unwrap().to_string(),
        format!("step 12: `scaling.good_steps` in {name} was 99, is 0")
    );
    assert_eq!(found.parameter, None);
}

#[test]
fn changed_number_in_log_is_detected() {
    for (step, old, key) in
        [(1, "\"loss\":", "loss"), (5, "\"lr\":", "lr"), (24, "\"gradient_norm\":", "gradient_norm")]
    {
        let found = verified("metrics.jsonl", None, |bytes| replace(bytes, step, old, &format!("{old}1")));
        let first = found.first.unwrap();
        assert_eq!((first.step, first.what.as_str(), first.file.as_str()), (step, key, "metrics.jsonl"));
        assert_eq!(found.parameter, None);
    }
    // A line that was changed, removed, added, or formatted differently.
    let line = |bytes: &[u8], number: usize| -> Vec<u8> {
        bytes.split_inclusive(|&byte| byte == b'\n').nth(number).unwrap().to_vec()
    };
    let without = |bytes: &mut Vec<u8>, number: usize| {
        let gone = line(bytes, number);
        let place = bytes.windows(gone.len()).position(|part| part == gone).unwrap();
        bytes.drain(place..place + gone.len());
    };
    let found = verified("metrics.jsonl", None, |bytes| without(bytes, 2));
    assert_eq!(found.first.unwrap().step, 3);
    let found = verified("metrics.jsonl", None, |bytes| {
        let last = bytes.split_inclusive(|&byte| byte == b'\n').count() - 1;
        without(bytes, last);
    });
    assert_eq!(found.first.unwrap().old, "missing");
    let found = verified("metrics.jsonl", None, |bytes| bytes.extend_from_slice(b"{}\n"));
    assert_eq!(found.first.unwrap().what, "lines after the end");
    let found = verified("metrics.jsonl", None, |bytes| replace(bytes, 4, "\"epoch\":1", "\"epoch\": 1"));
    assert_eq!(found.first.unwrap().old, "formatted differently");
}

#[test]
fn changed_hash_in_trace_is_detected() {
    let hash = |bytes: &[u8], path: &str| {
        let line =
            bytes.split(|&byte| byte == b'\n').find(|line| line.starts_with(br#"{"step":16,"#)).unwrap();
        json(line)["parameters"][path].as_str().unwrap().to_owned()
    };
    let found = verified("trace.jsonl", None, |bytes| {
        let old = hash(bytes, LINEAR);
        replace(bytes, 16, &old, "0123456789abcdef");
    });
    let first = found.first.unwrap();
    assert_eq!(
        (first.step, first.what.as_str(), first.old.as_str()),
        (16, LINEAR, "hashed as 0123456789abcdef")
    );
    assert_eq!(found.parameter, Some(first));
    let found = verified("trace.jsonl", None, |bytes| replace(bytes, 16, "\"chain\":\"", "\"chain\":\"0"));
    assert_eq!((found.first.unwrap().what.as_str(), found.parameter), ("chain", None));
    let found = verified("trace.jsonl", None, |bytes| bytes.truncate(bytes.len() / 2));
    assert!(found.first.unwrap().file == "trace.jsonl");
}

#[test]
fn changed_final_model_or_metadata_is_detected() {
    let found = verified("model.safetensors", Some(24), |bytes| flip(bytes, CONV, 2));
    let first = found.first.unwrap();
    assert_eq!((first.step, first.what.as_str(), first.file.as_str()), (24, CONV, "model.safetensors"));
    let found = verified("manifest.json", None, |bytes| {
        let mut manifest = json(bytes);
        manifest["result"]["test"]["accuracy"] = 1.5.into();
        *bytes = serde_json::to_vec(&manifest).unwrap();
    });
    let first = found.first.unwrap().to_string();
    assert!(first.starts_with("step 24: `result.test.accuracy` in manifest.json was 1.5, is "), "{first}");
    let (_out, folder) = ended();
    fs::remove_file(folder.join("model.safetensors")).unwrap();
    let found = Averaged::experiment().verify(&folder, None).unwrap();
    assert_eq!(found.first.unwrap().old, "missing");
}

/// A run that was resumed from a changed checkpoint is consistent after it, but does not follow from its start.
#[test]
fn run_resumed_from_changed_weights_is_detected() {
    let (out, folder) = ended();
    let other = out.path().join("other");
    write(&other, &killed(&files(&folder), 12));
    let path = other.join(checkpoint(12)).join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    flip(&mut bytes, LINEAR, 1);
    fs::write(&path, bytes).unwrap();
    repair_sums(path.parent().unwrap());
    Averaged::experiment().resume(&other).run().unwrap();
    for from in [None, Some(6), Some(12)] {
        let found = Averaged::experiment().verify(&other, from).unwrap();
        let first = found.first.unwrap();
        assert_eq!((first.step, first.what.as_str()), (12, LINEAR), "from {from:?}");
    }
    // From a later checkpoint on it is consistent.
    assert!(Averaged::experiment().verify(&other, Some(18)).unwrap().is_same());
}
