//! A training step of the planned engine allocates nothing.

#![allow(missing_docs, clippy::unwrap_used)]

use trainspec::data::{Digits8x8, InMemory, Mixed};
use trainspec::prelude::*;
use trainspec::trainer::TrainStep;
use trainspec::{Experiment, InputKind, Model, engine};

use crate::meter::allocations;

/// The digits, with every layer of convolutional networks.
#[model]
fn Convolutions(image: Image<1, 8, 8>) -> Logits<10> {
    let x = image.conv2d(out = 16, kernel = 3, padding = 1).batch_norm().relu();
    let around = x.conv2d(out = 16, kernel = 3, padding = 1, bias = false).group_norm(groups = 4).gelu();
    (x + around).max_pool2d(kernel = 2).flatten().dropout(p = 0.2).linear(out = 64).silu().linear(out = 10)
}

train! {
    Digits {
        model: Convolutions,
        data: Digits8x8::embedded(),
        metrics: [Accuracy, TopK { k: 3 }, F1, ConfusionMatrix],
        batch: 64,
        steps: 1000,
        optimizer: AdamW { lr: 1e-3 },
        clip: GlobalNorm { max: 1.0 },
    }
}

/// Sequences of tokens, with every layer that processes them.
#[model]
fn Sequences(tokens: Tokens<32, 64>) -> TokenLogits<32> {
    let x = (tokens.embedding(out = 32) + tokens.position_embedding(out = 32)).dropout(p = 0.1);
    let x = x + x.layer_norm().self_attention(heads = 2, causal = true, dropout = 0.1).dropout(p = 0.1);
    x.rms_norm().lstm(out = 32).gru(out = 32).linear(out = 32)
}

fn echo() -> trainspec::Result<InMemory<Tokens<32, 64>, Tokens<32, 64>>> {
    let tokens: Vec<u32> = (0..64 * 64).map(|place| place * 7919 % 32).collect();
    InMemory::new(tokens.clone(), tokens)
}

train! {
    Echo {
        model: Sequences,
        data: echo(),
        metrics: [Accuracy, Perplexity],
        batch: 16,
        accumulate: 2,
        steps: 1000,
        optimizer: Sgd { lr: 0.1, momentum: 0.9 },
    }
}

train! {
    /// With everything that can accompany the update.
    Surrounded {
        model: Convolutions,
        data: Digits8x8::embedded(),
        batch: 64,
        steps: 1000,
        clip: AdaptiveGrad {},
        gradient_noise: GradientNoise { eta: 0.01 },
        constrain: MaxNorm { max: 1.0 },
        ema: Ema { warmup: true },
    }
}

// Sparse rows of the embedding, and frozen parameters.
train! {
    EchoByRows {
        model: Sequences,
        data: echo(),
        batch: 16,
        steps: 1000,
        optimizer: AdaGrad { sparse: true },
        groups: [Group { pattern: "linear_1.**", freeze: true }, Group { pattern: "gru_1.weight_ih", freeze: true }],
    }
}

train! {
    EchoByLayers { model: Sequences, data: echo(), batch: 16, steps: 1000, optimizer: Lamb { lr: 0.1 } }
}

train! {
    EchoByFactors { model: Sequences, data: echo(), batch: 16, steps: 1000, optimizer: Adafactor }
}

train! {
    EchoByMatrices { model: Sequences, data: echo(), batch: 16, steps: 1000, optimizer: Muon { lr: 0.02 } }
}

train! {
    EchoByEstimate { model: Sequences, data: echo(), batch: 16, steps: 1000, optimizer: Prodigy }
}

train! {
    EchoWithoutSchedule { model: Sequences, data: echo(), batch: 16, steps: 1000, optimizer: ScheduleFreeAdamW }
}

train! {
    /// Two passes, an average of some steps, and parameters that are held.
    SharpDigits {
        model: Convolutions,
        data: Digits8x8::embedded(),
        metrics: [Accuracy],
        batch: 64,
        steps: 1000,
        optimizer: Sam { optimizer: Sgd { lr: 0.1, momentum: 0.9 } },
        ema: Swa { start: Steps(2), every: Steps(3) },
        groups: [Group { pattern: "conv2d_1.**", from: Steps(20) }],
    }
}

/// With the layers whose queries, keys and values are given, and recurrent layers with many parameters.
#[model]
fn Given(tokens: Tokens<32, 16>) -> TokenLogits<32> {
    let x = tokens.embedding(out = 16, padding = 0) + tokens.position_encoding(out = 16);
    let mask = tokens.padding_mask(padding = 0);
    let q = x.linear(out = 16).rotary(heads = 2);
    let x = x + q.masked_attention(x, x, mask, heads = 2);
    let x = x + q.attention(x, x, heads = 2, causal = true).layer_scale();
    x.lstm(out = 8, layers = 2, bidirectional = true)
        .prelu()
        .gru(out = 8, bidirectional = true)
        .mish()
        .linear(out = 32)
}

fn short_echo() -> trainspec::Result<InMemory<Tokens<32, 16>, Tokens<32, 16>>> {
    let tokens: Vec<u32> = (0..64 * 16).map(|place| place * 7919 % 32).collect();
    InMemory::new(tokens.clone(), tokens)
}

train! {
    EchoOfGiven {
        model: Given,
        data: short_echo(),
        batch: 16,
        steps: 1000,
        optimizer: Lookahead { optimizer: AdamW { lr: 1e-3 }, k: 5 },
    }
}

/// Counts the allocations of a hundred steps, after the first ten.
fn count<M: Model>(mut training: Experiment<M>, share: Option<f64>) -> usize {
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    let mut engine = engine::open(&graph, settings).unwrap();
    let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
    let size = settings.batch;
    let window: Vec<_> = (0..settings.accumulate)
        .map(|number| {
            let mut batch = data.batch(&data.train()[number * size..(number + 1) * size]).unwrap();
            batch.mixed = share.map(|share| Mixed { targets: batch.targets.clone(), share });
            batch
        })
        .collect();
    for _ in 0..10 {
        stepper.step(&window).unwrap();
    }
    let before = allocations();
    for _ in 0..100 {
        stepper.step(&window).unwrap();
    }
    allocations() - before
}

/// Counts the allocations of a hundred predictions, after the first: one for each result.
fn predicting<M, I: InputKind>(training: Experiment<M>, samples: &[I::Element]) -> usize
where
    M: Model<Input = I>,
{
    let run = training.set("steps", "1").unwrap().without_folder().run().unwrap();
    run.model.predict(samples).unwrap();
    let before = allocations();
    for _ in 0..100 {
        run.model.predict(samples).unwrap();
    }
    allocations() - before
}

/// Runs on one thread: each thread keeps the scratch memory of the kernels it has run, and with several threads one may run a
/// kernel late.
#[test]
fn training_step_allocates_nothing() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let counts = pool.install(|| {
        let mixed = count(Digits::experiment(), Some(0.3));
        let surrounded = count(Surrounded::experiment(), None);
        let [by_rows, by_layers] =
            [count(EchoByRows::experiment(), None), count(EchoByLayers::experiment(), None)];
        [
            count(Digits::experiment(), None),
            count(Echo::experiment(), None),
            mixed,
            surrounded,
            by_rows,
            by_layers,
            count(EchoOfGiven::experiment(), None),
        ]
    });
    assert_eq!(counts, [0; 7]);
    let counts = pool.install(|| {
        [
            count(EchoByFactors::experiment(), None),
            count(EchoByMatrices::experiment(), None),
            count(EchoByEstimate::experiment(), None),
            count(EchoWithoutSchedule::experiment(), None),
            count(SharpDigits::experiment(), None),
        ]
    });
    assert_eq!(counts, [0; 5]);
    // One sample, and enough samples to be computed in parts.
    let (pixels, tokens) = (vec![0.5; 64 * 300], vec![3; 64 * 300]);
    let predicted = pool.install(|| {
        [1, 300].map(|size| {
            let images = predicting(Digits::experiment(), &pixels[..64 * size]);
            (images, predicting(Echo::experiment(), &tokens[..64 * size]))
        })
    });
    assert_eq!(predicted, [(100, 100); 2], "one result each");
    let in_16_bits = |precision: &str| {
        pool.install(|| {
            let set = "a precision is a key";
            let (digits, echo) = (Digits::experiment(), Echo::experiment());
            [
                count(digits.set("precision", precision).expect(set), None),
                count(echo.set("precision", precision).expect(set), None),
            ]
        })
    };
    assert_eq!(in_16_bits("Bf16"), [0, 0]);
    assert_eq!(in_16_bits(r#"{"type":"F16","loss_scale":1024}"#), [0, 0]);
}
