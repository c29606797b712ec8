//! Two programs that are killed and resumed, on either engine: digits, and a small transformer.
//!
//! `resumable PROGRAM ENGINE FOLDER EPOCHS`: resumes the run below the folder, or starts one.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use trainspec::data::{Digits8x8, InMemory};
use trainspec::engine::{self, Engine, Tape};
use trainspec::prelude::*;
use trainspec::run_dir::{Folder, Start};
use trainspec::spec::hash;
use trainspec::{Error, Experiment, trainer};
use trainspec_tests::run_files::only;

/// A small network for digits.
#[model]
fn DigitNet(image: Image<1, 8, 8>) -> Logits<10> {
    let x = image.conv2d(out = 8, kernel = 3, bias = false).batch_norm().relu().max_pool2d(kernel = 2);
    x.flatten().dropout(p = 0.25).linear(out = 10)
}

train! {
    /// Classifies handwritten digits.
    Digits {
        model: DigitNet,
        data: Digits8x8::embedded(),
        metrics: [Accuracy],
        batch: 64,
        seed: 11,
        optimizer: AdamW { lr: 3e-3, weight_decay: 0.05 },
        schedule: [Warmup { steps: 5 }, Cosine { floor: 1e-5 }],
        clip: GlobalNorm { max: 1.0 },
        ema: Ema { decay: 0.9, warmup: true },
        checkpoint: Checkpoint { every: Steps(1), keep: 2 },
    }
}

/// A block of a transformer.
#[model]
fn Block(x: Value) -> Value {
    let x = x + x.layer_norm().self_attention(heads = 2, causal = true, dropout = 0.1);
    x + x.layer_norm().linear(out = 32).gelu().linear(out = 16).dropout(p = 0.1)
}

/// A small transformer over characters.
#[model]
fn Letters(tokens: Tokens<27, 16>) -> TokenLogits<27> {
    let x = tokens.embedding(out = 16) + tokens.position_embedding(out = 16);
    x.block().block().layer_norm().linear(out = 27)
}

/// Pieces of a text of five words in a fixed order; the target is the next character.
fn words() -> trainspec::Result<InMemory<Tokens<27, 16>, Tokens<27, 16>>> {
    let words = ["the", "model", "learns", "what", "follows"];
    let text: Vec<u32> = (0..900_usize)
        .flat_map(|i| words[(i * i + i / 3) % 5].bytes().map(|letter| u32::from(letter - b'a')).chain([26]))
        .collect();
    let count = (text.len() - 1) / 16;
    InMemory::new(text[..count * 16].to_vec(), text[1..=count * 16].to_vec())
}

train! {
    /// Predicts the next character.
    Transformer {
        model: Letters,
        data: words(),
        metrics: [Accuracy],
        batch: 8,
        accumulate: 2,
        seed: 5,
        optimizer: AdamW { lr: 3e-3, weight_decay: 0.1 },
        schedule: [Warmup { steps: 5 }, Cosine { floor: 1e-5 }],
        clip: GlobalNorm { max: 1.0 },
        ema: Ema { half_life: 8.0 },
        early_stop: EarlyStop { patience: 9 },
        checkpoint: Checkpoint { every: Steps(1), keep: 2 },
    }
}

fn main() -> trainspec::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [program, engine, out, epochs] = &*words else {
        return Err(Error::Rule("expected PROGRAM ENGINE FOLDER EPOCHS".to_owned()));
    };
    match program.as_str() {
        "digits" => live(Digits::experiment().set("epochs", epochs)?, engine, Path::new(out)),
        "transformer" => live(Transformer::experiment().set("epochs", epochs)?, engine, Path::new(out)),
        other => Err(Error::Rule(format!("{other} is not a program"))),
    }
}

/// Starts or resumes a run on the engine of this name, up to its final model.
fn live<M: Model>(mut training: Experiment<M>, engine: &str, out: &Path) -> trainspec::Result<()> {
    let name = training.name();
    let (graph, data, spec) = (training.graph()?, training.data()?, training.spec()?);
    let settings = training.settings()?;
    let mut engine: Box<dyn Engine> = match engine {
        "tape" => {
            let objective = Box::new(Arc::clone(&settings.loss[0]));
            Box::new(Tape::new(graph.clone(), objective, settings.seed, Device::Cpu)?)
        }
        _ => engine::open(&graph, settings)?,
    };
    let start = Start {
        name,
        spec: &spec,
        spec_hash: &hash(&spec),
        overrides: &[],
        settings,
        graph: &graph,
        engine: engine.name(),
        data: &data,
    };
    let taken_up = only(&out.join(name)).map(|run| Folder::resume(&run, &start, &[])).transpose();
    let (mut folder, outcome) = match taken_up {
        Ok(Some((mut folder, saved, _))) => {
            let outcome = trainer::resume(&mut *engine, &graph, settings, &data, saved, &mut folder)?;
            (folder, outcome)
        }
        // It was killed before its first checkpoint.
        _ => {
            let _ = std::fs::remove_dir_all(out.join(name));
            let mut folder = Folder::create(out, &start)?;
            let outcome = trainer::run(&mut *engine, &graph, settings, &data, &mut folder)?;
            (folder, outcome)
        }
    };
    folder.finish("completed", Some(&outcome))
}
