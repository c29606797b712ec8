//! Runs that are initialized from a file of this or another program.
//!
//! Seen to fail: with a file that is not read, with one error reported where there are several, with values that become
//! infinite, with a resumed run that reads the file.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use trainspec::data::InMemory;
use trainspec::engine;
use trainspec::prelude::*;
use trainspec::trainer::Event;
use trainspec::{Experiment, Result};

#[model]
fn Net(image: Image<1, 4, 4>) -> Logits<3> {
    let stem = image.conv2d(out = 2, kernel = 3, bias = false);
    let norm = stem.batch_norm();
    let features = norm.relu().flatten();
    let head = features.linear(out = 3);
    head
}

/// A recurrent model, whose parameters have other names in PyTorch.
#[model]
fn Reader(tokens: Tokens<5, 4>) -> TokenLogits<5> {
    tokens.embedding(out = 2).lstm(out = 3).linear(out = 5)
}

/// A table that is also the weight of the output layer.
#[model]
fn Tied(tokens: Tokens<5, 4>) -> TokenLogits<5> {
    let embed = embedding(out = 2);
    let x = tokens.embed();
    let head = x.linear(out = 5, weight = embed.weight);
    head
}

fn images() -> Result<InMemory<Image<1, 4, 4>, Class<3>>> {
    let pixel = |place: u32| (place.wrapping_mul(2_654_435_761) >> 20) as f32 / 4096.0;
    InMemory::new((0..30 * 16).map(pixel).collect(), (0..30).map(|i| i % 3).collect())
}

fn tokens() -> Result<InMemory<Tokens<5, 4>, Tokens<5, 4>>> {
    InMemory::new((0..40).map(|i| i % 5).collect(), (0..40).map(|i| (i + 1) % 5).collect())
}

train! { SmallImages { model: Net, data: images(), batch: 8, steps: 2 } }
train! { Again { model: Net, data: images(), batch: 8, steps: 2, init_from: "nowhere.safetensors" } }
train! { Tying { model: Tied, data: tokens(), batch: 4, steps: 1 } }
train! { Reading { model: Reader, data: tokens(), batch: 4, steps: 1 } }
train! {
    FineTuned {
        model: Net,
        data: images(),
        batch: 8,
        steps: 4,
        init_from: InitFrom {
            file: "nowhere.safetensors",
            names: &[
                Rename { from: "backbone.0.*", to: "stem.*" },
                Rename { from: "backbone.1.*", to: "norm.*" },
            ],
            except: &["head.*"],
            ignore: &["classifier.**"],
        },
        groups: [Group { pattern: "stem.*", freeze: true }],
        ema: Ema { decay: 0.5 },
        optimizer: Sgd { lr: 0.1 },
        checkpoint: Checkpoint { every: Steps(1), keep: 10 },
    }
}

/// A file of tensors and its path.
struct Saved {
    folder: tempfile::TempDir,
    tensors: HashMap<String, Tensor>,
}

impl Saved {
    fn new(tensors: &[(&str, &[usize])]) -> Self {
        let tensor = |(number, (name, axes)): (usize, &(&str, &[usize]))| {
            let count: usize = axes.iter().product();
            let values: Vec<f32> = (0..count).map(|i| (i + number + 1) as f32 / 16.0).collect();
            ((*name).to_owned(), Tensor::from_vec(values, *axes, &Device::Cpu).unwrap())
        };
        let tensors = tensors.iter().enumerate().map(tensor).collect();
        Self { folder: tempfile::tempdir().unwrap(), tensors }
    }

    /// All parameters of [`Net`].
    fn whole() -> Self {
        Self::new(&[
            ("stem.weight", &[2, 1, 3, 3]),
            ("norm.weight", &[2]),
            ("norm.bias", &[2]),
            ("norm.running_mean", &[2]),
            ("norm.running_var", &[2]),
            ("head.weight", &[3, 8]),
            ("head.bias", &[3]),
        ])
    }

    /// A body and another head, in PyTorch's format.
    fn theirs() -> Self {
        let mut saved = Self::new(&[
            ("backbone.0.weight", &[2, 1, 3, 3]),
            ("backbone.1.weight", &[2]),
            ("backbone.1.bias", &[2]),
            ("backbone.1.running_mean", &[2]),
            ("backbone.1.running_var", &[2]),
            ("classifier.weight", &[1000, 8]),
            ("classifier.bias", &[1000]),
        ]);
        let count = Tensor::new(7_i64, &Device::Cpu).unwrap();
        saved.tensors.insert("backbone.1.num_batches_tracked".to_owned(), count);
        saved
    }

    fn file(&self) -> PathBuf {
        let path = self.folder.path().join("file.safetensors");
        candle_core::safetensors::save(&self.tensors, &path).unwrap();
        path
    }
}

/// Returns the initial parameters of a run by path.
fn beginning<M: Model>(mut training: Experiment<M>) -> Result<HashMap<String, Vec<f32>>> {
    let graph = training.graph()?;
    let engine = engine::open(&graph, training.settings()?)?;
    let parameters = graph.parameters.iter().map(|parameter| parameter.path.clone());
    Ok(parameters.zip(engine.parameters()?).map(|(path, tensor)| (path, flat(&tensor))).collect())
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn from<M: Model>(training: Experiment<M>, file: &Path) -> Experiment<M> {
    training.set("init_from.file", file.to_str().unwrap()).unwrap()
}

fn said<T>(result: Result<T>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn every_parameter_is_loaded_from_file() {
    let saved = Saved::whole();
    let file = saved.file();
    for training in [from(Again::experiment(), &file), from(SmallImages::experiment(), &file)] {
        let found = beginning(training).unwrap();
        assert_eq!(found.len(), 7);
        for (path, numbers) in found {
            assert_eq!(numbers, flat(&saved.tensors[&path]), "{path}");
        }
    }
    let bare = SmallImages::experiment().set("init_from", file.to_str().unwrap()).unwrap();
    assert_eq!(beginning(bare).unwrap()["head.bias"], flat(&saved.tensors["head.bias"]));
    let none = from(Again::experiment(), &file).set("init_from", "null").unwrap();
    assert_eq!(beginning(none).unwrap(), beginning(SmallImages::experiment()).unwrap());
}

#[test]
fn file_types_are_widened_exactly_and_rounded_to_nearest() {
    for (dtype, given, expected) in [
        (DType::F16, 0.333_251_953_125, 0.333_251_95),
        (DType::BF16, 0.333_984_375, 0.333_984_38),
        (DType::F64, 1.0 / 3.0, 1.0_f32 / 3.0),
        (DType::F32, 1.0 / 3.0, 1.0 / 3.0),
    ] {
        let mut saved = Saved::whole();
        let bias = Tensor::new(&[given, -given, 0.0_f64], &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        saved.tensors.insert("head.bias".to_owned(), bias);
        let found = beginning(from(SmallImages::experiment(), &saved.file())).unwrap();
        assert_eq!(found["head.bias"], [expected, -expected, 0.0], "{dtype:?}");
    }
    let mut saved = Saved::whole();
    let huge = Tensor::new(&[1e300_f64, 0.0, 0.0], &Device::Cpu).unwrap();
    saved.tensors.insert("head.bias".to_owned(), huge);
    let problem = said(beginning(from(SmallImages::experiment(), &saved.file())));
    assert!(problem.contains("expected values that are finite in f32"), "{problem}");
    saved.tensors.insert("head.bias".to_owned(), Tensor::new(&[1_i64, 2, 3], &Device::Cpu).unwrap());
    let problem = said(beginning(from(SmallImages::experiment(), &saved.file())));
    assert!(problem.contains("`head.bias` is I64; expected F32, F16, BF16 or F64"), "{problem}");
}

#[test]
fn model_file_and_exported_file_load_equally() {
    let folder = tempfile::tempdir().unwrap();
    let run = Reading::experiment().without_folder().run().unwrap();
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    run.model.save(&ours).unwrap();
    run.model.export(&theirs).unwrap();
    let of = |file: &Path| beginning(from(Reading::experiment(), file)).unwrap();
    assert_eq!(of(&ours), of(&theirs));
    for (path, tensor) in run.model.parameters() {
        assert_eq!(of(&theirs)[path], flat(tensor), "{path}");
    }
}

#[test]
fn tied_tensor_loads_under_one_name_or_under_both() {
    let mut both = Saved::new(&[("embed.weight", &[5, 2]), ("head.weight", &[5, 2]), ("head.bias", &[5])]);
    let table = both.tensors["embed.weight"].clone();
    both.tensors.insert("head.weight".to_owned(), table.clone());
    let (mut first, mut second) = (Saved::new(&[("head.bias", &[5])]), Saved::new(&[("head.bias", &[5])]));
    first.tensors.insert("embed.weight".to_owned(), table.clone());
    second.tensors.insert("head.weight".to_owned(), table.clone());
    for saved in [&both, &first, &second] {
        let found = beginning(from(Tying::experiment(), &saved.file())).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found["embed.weight"], flat(&table));
    }
    both.tensors.insert("head.weight".to_owned(), (table * 2.0).unwrap());
    let problem = said(beginning(from(Tying::experiment(), &both.file())));
    assert!(
        problem.contains("`head.weight` differs from `embed.weight`, but both are one parameter"),
        "{problem}"
    );
}

#[test]
fn file_of_tied_model_has_one_tensor_and_export_has_each_name() {
    let folder = tempfile::tempdir().unwrap();
    let run = Tying::experiment().without_folder().run().unwrap();
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    run.model.save(&ours).unwrap();
    run.model.export(&theirs).unwrap();
    let names = |file: &Path| {
        let mut names: Vec<_> =
            candle_core::safetensors::load(file, &Device::Cpu).unwrap().into_keys().collect();
        names.sort();
        names
    };
    assert_eq!(names(&ours), ["embed.weight", "head.bias"]);
    assert_eq!(names(&theirs), ["embed.weight", "head.bias", "head.weight"]);
    let of = |file: &Path| beginning(from(Tying::experiment(), file)).unwrap();
    assert_eq!(of(&ours), of(&theirs));
}

#[test]
fn renamed_body_is_loaded_without_head() {
    let saved = Saved::theirs();
    let found = beginning(from(FineTuned::experiment(), &saved.file())).unwrap();
    let drawn = beginning(FineTuned::experiment().set("init_from", "null").unwrap()).unwrap();
    for (ours, theirs) in [
        ("stem.weight", "backbone.0.weight"),
        ("norm.weight", "backbone.1.weight"),
        ("norm.running_var", "backbone.1.running_var"),
    ] {
        assert_eq!(found[ours], flat(&saved.tensors[theirs]), "{ours}");
    }
    assert_eq!(found["head.weight"], drawn["head.weight"]);
    assert_ne!(found["stem.weight"], drawn["stem.weight"]);
    // Excluded parameters may be in the file with another shape.
    let mut saved = Saved::whole();
    saved.tensors.insert("head.weight".to_owned(), Tensor::zeros((9, 8), DType::F32, &Device::Cpu).unwrap());
    let training = from(SmallImages::experiment(), &saved.file());
    let left_out = training.set("init_from.except", r#"["head.weight"]"#).unwrap();
    let found = beginning(left_out).unwrap();
    assert_eq!(
        (&found["head.weight"], &found["head.bias"]),
        (&drawn["head.weight"], &flat(&saved.tensors["head.bias"]))
    );
}

#[test]
fn every_mismatch_is_reported_at_once() {
    let mut saved = Saved::theirs();
    saved.tensors.remove("backbone.1.bias");
    saved.tensors.insert("backbone.1.weight".to_owned(), Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap());
    saved.tensors.insert("norms.bias".to_owned(), Tensor::zeros(2, DType::F32, &Device::Cpu).unwrap());
    saved
        .tensors
        .insert("stem.weight".to_owned(), Tensor::zeros((2, 1, 3, 3), DType::F32, &Device::Cpu).unwrap());
    let file = saved.file();
    let training =
        from(FineTuned::experiment(), &file).set("init_from.except", r#"["head.weight", "haed.*"]"#);
    let problem = said(training.unwrap().without_folder().set("checkpoint", "null").unwrap().run());
    assert!(
        problem.starts_with(&format!("init_from: {}: `net` cannot be initialized from it: ", file.display())),
        "{problem}"
    );
    for sentence in [
        "except: no parameter matches `haed.*` (unmatched, with similar names: `head.weight`, `head.bias`, `stem.weight`)",
        "`backbone.0.weight` and `stem.weight` both map to `stem.weight`",
        "`backbone.1.weight` is [3]; `norm.weight` is [2]",
        "`norm.bias` [2] is missing (unmatched, with similar names: `norms.bias`)",
        "`head.bias` [3] is missing",
        "`norms.bias` [2] is not a parameter of the model (unmatched, with similar names: `norm.bias`, `head.bias`)",
        "`names` renames tensors",
    ] {
        assert!(problem.contains(sentence), "`{sentence}` is not in: {problem}");
    }
    // `check` reports the same and takes no step.
    let training =
        from(FineTuned::experiment(), &file).set("init_from.except", r#"["head.weight", "haed.*"]"#);
    assert_eq!(said(training.unwrap().out(saved.folder.path()).check()), problem);
    let turned = Tensor::zeros((8, 3), DType::F32, &Device::Cpu).unwrap();
    let mut saved = Saved::whole();
    saved.tensors.insert("head.weight".to_owned(), turned);
    let problem = said(beginning(from(SmallImages::experiment(), &saved.file())));
    assert!(problem.contains("`head.weight` is [3, 8]; is it transposed?"), "{problem}");
}

#[test]
fn missing_or_damaged_file_is_rejected_before_first_step() {
    let problem = said(Again::experiment().without_folder().run());
    assert!(problem.starts_with("init_from: nowhere.safetensors: No such file"), "{problem}");
    assert!(said(Again::experiment().check()).starts_with("init_from: nowhere.safetensors: "));
    let out = tempfile::tempdir().unwrap();
    assert!(Again::experiment().out(out.path()).run().is_err());
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "no folder was made");
    let saved = Saved::whole();
    let file = saved.file();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let problem = said(from(SmallImages::experiment(), &file).without_folder().run());
    assert!(problem.contains("not a safetensors file: "), "{problem}");
}

#[test]
fn init_from_keys_are_checked_when_set() {
    let set = |key: &str, value: &str| said(Again::experiment().set(key, value).map(|_| ()));
    let problem = set("init_from.file", "\"\"");
    assert!(problem.contains("file is empty; expected a safetensors file"), "{problem}");
    let problem = set("init_from.names", r#"[{ "from": "a.*", "to": "b" }]"#);
    assert!(problem.contains("which has different wildcards"), "{problem}");
    let problem = set("init_from.fill", "x");
    assert!(problem.contains("unknown key `fill`; did you mean `file`? expected one of"), "{problem}");
    let problem = said(SmallImages::experiment().set("init_from.except", r#"["a"]"#).map(|_| ()));
    assert!(problem.contains("file is empty"), "{problem}");
}

/// Frozen parameters keep the values of the file, and the average starts from them.
#[test]
fn groups_and_average_start_from_file_values() {
    let saved = Saved::theirs();
    let run = from(FineTuned::experiment(), &saved.file());
    let run = run.without_folder().set("checkpoint", "null").unwrap().set("steps", "1").unwrap();
    let graph = run.graph().unwrap();
    let mut first = None;
    let model = run
        .run_with(&mut |event: &Event<'_>| {
            if let Event::Step(report) = event {
                first = Some(report.step);
            }
            Ok(())
        })
        .unwrap()
        .model;
    assert_eq!(first, Some(1));
    let ends: HashMap<_, _> = model.parameters().map(|(path, tensor)| (path, flat(tensor))).collect();
    assert_eq!(ends["stem.weight"], flat(&saved.tensors["backbone.0.weight"]));
    // With a decay of 0.5, half of the average is its initial value: it differs from the file by at most one step.
    let (began, ended) = (flat(&saved.tensors["backbone.1.weight"]), &ends["norm.weight"]);
    let moved = began.iter().zip(ended).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(moved > 0.0 && moved < 0.1, "{began:?} {ended:?}");
    assert!(graph.parameters[0].frozen);
}

/// The spec has the checksum of the file. A run can be resumed without the file, but not with a different one.
#[test]
fn resumed_run_ignores_file_and_rejects_changed_checksum() {
    let saved = Saved::theirs();
    let file = saved.file();
    let training = || from(FineTuned::experiment(), &file);
    let sum = |training: &mut Experiment<Net>| training.spec().unwrap()["init_from"]["sha256"].clone();
    let first = sum(&mut training());
    assert_eq!(first.as_str().unwrap().len(), 64);
    let run = training().out(saved.folder.path()).run().unwrap().folder.unwrap();
    let files = |run: &Path| {
        ["spec.json", "metrics.jsonl", "model.safetensors"].map(|name| std::fs::read(run.join(name)).unwrap())
    };
    let whole = files(&run);
    let cut = || {
        for step in [3, 4] {
            std::fs::remove_dir_all(run.join(format!("checkpoints/step-{step:08}"))).unwrap();
        }
    };
    cut();
    std::fs::remove_file(&file).unwrap();
    training().resume(&run).run().unwrap();
    assert!(files(&run) == whole, "without the file");
    cut();
    let mut other = Saved::theirs();
    other.tensors.insert("backbone.1.bias".to_owned(), Tensor::zeros(2, DType::F32, &Device::Cpu).unwrap());
    std::fs::copy(other.file(), &file).unwrap();
    assert_ne!(sum(&mut training()), first);
    let problem = said(training().resume(&run).run());
    assert!(problem.contains("`init_from.sha256` was \""), "{problem}");
    training().resume(&run).allow_spec_change("init_from").run().unwrap();
    assert!(files(&run)[1..] == whole[1..], "the parameters are the checkpoint's");
}
