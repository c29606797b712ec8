//! The two examples of the design, as printed there, a recurrent one, and training steps of each.

#![allow(missing_docs, clippy::unwrap_used)]

use trainspec::Experiment;
use trainspec::engine::initial;
use trainspec::graph::Graph;
use trainspec::prelude::*;
use trainspec::trainer::Event;

/// Two convolutions and a small head for 8x8 gray digits.
#[model]
pub fn DigitNet(image: Image<1, 8, 8>) -> Logits<10> {
    image
        .conv2d(out = 32, kernel = 3, padding = 1, bias = false)
        .batch_norm()
        .relu()
        .max_pool2d(kernel = 2)
        .flatten()
        .dropout(p = 0.25)
        .linear(out = 10)
}

train! {
    /// Classifies handwritten digits.
    pub Digits {
        model: DigitNet,
        data: Digits8x8::embedded(),
        loss: CrossEntropy { label_smoothing: 0.05 },
        metrics: [Accuracy],
        batch: 64,
        accumulate: 2,
        epochs: 40,
        seed: 42,
        optimizer: AdamW { lr: 3e-3, weight_decay: 0.05 },
        schedule: [Warmup { steps: 50 }, Cosine { floor: 1e-5 }],
        clip: GlobalNorm { max: 1.0 },
        precision: F32,
        early_stop: EarlyStop { monitor: ValLoss, patience: 8 },
        checkpoint: Checkpoint { every: Epochs(1), keep: 3 },
    }
}

/// The program's `main`, which is compiled and not run here.
#[allow(dead_code)]
fn main() -> trainspec::Result<()> {
    Digits::main()
}

#[model]
fn Block(x: Value, heads: usize) -> Value {
    let x = x + x.layer_norm().self_attention(heads = heads, causal = true, dropout = 0.1);
    x + x.layer_norm().linear(out = 1024).gelu().linear(out = 256).dropout(p = 0.1)
}

#[model]
pub fn CharGpt<const DEPTH: usize>(tokens: Tokens<65, 128>) -> TokenLogits<65> {
    let mut x = tokens.embedding(out = 256) + tokens.position_embedding(out = 256);
    for _ in 0..DEPTH {
        x = x.block(heads = 4);
    }
    x.layer_norm().linear(out = 65)
}

/// Eight sequences that count upward, and the next token at each position.
fn counting() -> trainspec::Result<InMemory<Tokens<65, 128>, Tokens<65, 128>>> {
    let tokens = |first: u32| (0..8).flat_map(move |row| (0..128).map(move |i| (row * 7 + first + i) % 65));
    InMemory::new(tokens(0).collect(), tokens(1).collect())
}

train! {
    /// Learns to count.
    Characters {
        model: CharGpt<2>,
        data: counting(),
        metrics: [Accuracy],
        batch: 2,
        steps: 2,
        optimizer: AdamW { lr: 1e-3 },
        clip: GlobalNorm { max: 1.0 },
        allow: [Advice::AttentionWithoutWarmup],
    }
}

#[model]
pub fn CharLstm<const WIDTH: usize>(tokens: Tokens<65, 128>) -> TokenLogits<65> {
    tokens.embedding(out = 16).lstm(out = WIDTH).linear(out = 65)
}

train! {
    /// Learns to count with a memory.
    Remembered {
        model: CharLstm<24>,
        data: counting(),
        batch: 2,
        steps: 2,
        optimizer: AdamW { lr: 1e-3, weight_decay: 0.0 },
        clip: GlobalNorm { max: 1.0 },
    }
}

#[test]
fn examples_cause_no_advice() {
    assert_eq!(Digits::experiment().check().unwrap().advice, []);
    assert_eq!(Characters::experiment().check().unwrap().advice, []);
    assert_eq!(Remembered::experiment().check().unwrap().advice, []);
}

#[test]
fn digits_example_trains_one_epoch() {
    let run = Digits::experiment()
        .set("checkpoint", "null")
        .and_then(|run| run.set("schedule.0.steps", "2"))
        .unwrap()
        .epochs(1)
        .without_folder()
        .run()
        .unwrap();
    assert!(run.outcome.test.unwrap().metrics["accuracy"] > 0.3);
}

#[test]
fn transformer_example_trains_steps() {
    let paths = takes_steps(Characters::experiment(), &CharGpt::<2>::graph().unwrap());
    for path in ["block.0.linear_2.bias", "block.1.self_attention_1.in_weight"] {
        assert!(paths.iter().any(|known| known == path), "{paths:?}");
    }
}

#[test]
fn recurrent_example_trains_steps() {
    let paths = takes_steps(Remembered::experiment(), &CharLstm::<24>::graph().unwrap());
    for path in ["lstm_1.weight_ih", "lstm_1.weight_hh", "lstm_1.bias_ih", "lstm_1.bias_hh"] {
        assert!(paths.iter().any(|known| known == path), "{paths:?}");
    }
}

/// Takes two steps, asserts that every parameter changes, and returns the paths of the parameters.
fn takes_steps<M: Model>(training: Experiment<M>, graph: &Graph) -> Vec<String> {
    let mut losses = Vec::new();
    let run = training
        .without_folder()
        .run_with(&mut |event: &Event<'_>| {
            if let Event::Step(step) = event {
                assert!(step.gradient_norm > 0.0);
                losses.push(step.loss);
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(run.outcome.steps, 2);
    // The input of the last linear layer is at most 1 in size, and so, with its initial weights, are the logits:
    // the first loss is near that of a random guess among 65 tokens.
    assert!((losses[0] - 65_f64.ln()).abs() < 0.5, "{losses:?}");
    assert!(losses[1].is_finite());
    // A gradient reaches every parameter: none equals its initial value.
    let first = initial(graph, 0, &candle_core::Device::Cpu).unwrap();
    let numbers = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for ((path, last), first) in run.model.parameters().zip(&first) {
        assert_ne!(numbers(last), numbers(first), "{path} has not moved");
    }
    run.model.parameters().map(|(path, _)| path.to_owned()).collect()
}
