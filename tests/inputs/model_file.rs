//! Model files: of a run, exported, and for `init_from`.

use std::path::PathBuf;

use proptest::prelude::*;
use trainspec::data::InMemory;
use trainspec::engine;
use trainspec::prelude::*;

use super::campaign::{Campaign, Work, scratch};
use super::edit::{Edit, edited, edits};
use crate::meter::metered;

#[model]
pub(crate) fn Net(x: Features<3>) -> Logits<2> {
    x.linear(out = 4).batch_norm().relu().linear(out = 2)
}

pub(crate) fn points() -> trainspec::Result<impl Dataset<Input = Features<3>, Target = Class<2>>> {
    let inputs = (0..60_u16).map(|i| f32::from(i * 7 % 11)).collect();
    Ok(InMemory::new(inputs, (0..20).map(|i| i % 2).collect())?.with_normalization(Normalization::PerElement))
}

train! { pub(crate) Points { model: Net, data: points(), batch: 4, steps: 1 } }

/// Returns the file with another header of the correct length.
fn with_header(file: &[u8], edits: &[Edit]) -> Vec<u8> {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header = edited(&file[8..8 + length], edits);
    [&(header.len() as u64).to_le_bytes(), header.as_slice(), &file[8 + length..]].concat()
}

/// Reads a file with each reader.
fn read(path: &PathBuf, begins: bool) -> Result<(), String> {
    let read = || -> trainspec::Result<()> {
        if begins {
            let mut training =
                Points::experiment().set("init_from.file", path.to_str().unwrap_or_default())?;
            let graph = training.graph()?;
            engine::open(&graph, training.settings()?).map(|_| ())
        } else {
            Net::load(path).map(|_| ())
        }
    };
    read().map_err(|error| error.to_string())
}

#[test]
fn random_model_files_do_not_panic() {
    let folder = scratch();
    let path = folder.path().join("file");
    let model = Points::experiment().without_folder().run().unwrap().model;
    let files = [folder.path().join("ours"), folder.path().join("theirs")];
    model.save(&files[0]).unwrap();
    model.export(&files[1]).unwrap();
    let files = files.map(|path| std::fs::read(path).unwrap());
    let campaign = Campaign { target: "safetensors", cases: 6000, each: 64, besides: 1 << 16 };
    let cases = (edits(), any::<bool>(), any::<bool>(), 0..4_u8);
    campaign.run(&cases, |(edits, exported, begins, how)| -> Work<'static> {
        let file = &files[usize::from(exported)];
        let bytes = if how == 0 { edited(file, &edits) } else { with_header(file, &edits) };
        let size = bytes.len();
        std::fs::write(&path, bytes).unwrap();
        let path = path.clone();
        (size, Box::new(move || read(&path, begins)))
    });
}

fn file(header: &str, numbers: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; numbers]].concat()
}

/// Invalid headers: with a length beyond the file, with offsets that overlap, exceed the data or run backward, with duplicate
/// names, with very many tensors, with nested JSON.
#[test]
fn crafted_model_files_are_rejected() {
    let folder = scratch();
    let path = folder.path().join("file");
    let tensor = |name: &str, shape: &str, from: &str, to: &str| {
        format!(r#""{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}"#)
    };
    let one =
        |shape: &str, from: &str, to: &str| format!("{{{}}}", tensor("linear_1.weight", shape, from, to));
    let most = "18446744073709551615";
    let many: Vec<_> = (0..20_000).map(|i| tensor(&format!("t{i}"), "[0]", "0", "0")).collect();
    let twice =
        [tensor("linear_1.bias", "[4]", "0", "16"), tensor("linear_1.bias", "[4]", "16", "32")].join(",");
    let overlapping =
        [tensor("linear_1.bias", "[4]", "0", "16"), tensor("linear_2.bias", "[2]", "8", "16")].join(",");
    let strange = ["../../../x", "/etc/passwd", "a\\u0000b", "\\u001b[2J", ""]
        .map(|name| tensor(name, "[0]", "0", "0"))
        .join(",");
    for (bytes, words) in [
        (vec![], "not a safetensors file"),
        (vec![255; 8], "not a safetensors file"),
        ((1_u64 << 40).to_le_bytes().to_vec(), "not a safetensors file"),
        ([99_999_999_u64.to_le_bytes().as_slice(), b"{}"].concat(), "not a safetensors file"),
        (file("", 0), "not a safetensors file"),
        (file("[]", 0), "not a safetensors file"),
        (file(&"[".repeat(100_000), 0), "not a safetensors file"),
        (file(&format!("{{\"a\":{}", "{\"a\":".repeat(100_000)), 0), "not a safetensors file"),
        (file("{}", 16), "not a safetensors file"),
        (file(&one("[4]", "0", "17"), 17), "not a safetensors file"),
        (file(&one("[4]", "16", "0"), 16), "not a safetensors file"),
        (file(&one("[4]", most, most), 16), "not a safetensors file"),
        (file(&one(&format!("[{most},{most}]"), "0", "16"), 16), "not a safetensors file"),
        (
            file(&one(&format!("[0,{most}]"), "0", "0"), 0),
            "is F32 [0, 18446744073709551615], expected F32 [4, 3]",
        ),
        (file(&format!("{{{twice}}}"), 32), "not a safetensors file"),
        (file(&format!("{{{overlapping}}}"), 16), "not a safetensors file"),
        (file(&format!("{{{strange}}}"), 0), "`../../../x` is not a parameter"),
        (file(&format!("{{{}}}", many.join(",")), 0), "`t10000` is not a parameter"),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        for begins in [false, true] {
            let (outcome, peak) = metered(|| read(&path, begins));
            let problem = outcome.unwrap_err();
            assert!(begins || problem.contains(words), "{words}: {}", &problem[..problem.len().min(500)]);
            assert!(!problem.chars().any(char::is_control), "{problem:?}");
            let allowed = 64 * bytes.len() + (1 << 16);
            assert!(peak <= allowed, "{words}: {peak} bytes for {}; expected at most {allowed}", bytes.len());
        }
    }
    if cfg!(unix) {
        for begins in [false, true] {
            let problem = read(&PathBuf::from("/dev/zero"), begins).unwrap_err();
            assert!(problem.contains("not a regular file"), "{problem}");
        }
    }
}
