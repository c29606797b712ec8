//! The result of a run does not depend on the number of its processes. The processes are threads, connected by a [`Transport`] as a user's
//! program could have it.
//!
//! Seen to fail when micro-batches are numbered within their process, when gradients are added process by process instead of in the
//! order of micro-batches, when rows that other processes read are not updated, and when a process without a
//! micro-batch drops the sum.
//!
//! [`Transport`]: trainspec::world::Transport

#![allow(missing_docs, clippy::unwrap_used)]

mod threads;

use std::sync::Arc;

use trainspec::engine::{Engine, Tape};
use trainspec::interrupt::Interrupt;
use trainspec::prelude::*;
use trainspec::trainer::{self, Event, Exit};
use trainspec::world::World;
use trainspec::{Error, Result, TrainedModel};
use trainspec_tests::run_files::{Files, assert_equal, files, scratch};
use trainspec_tests::small_images::SmallImages;

use threads::each;

#[model]
fn Net(image: Image<1, 6, 6>) -> Logits<3> {
    let x = image.conv2d(out = 4, kernel = 3).group_norm(groups = 2).relu();
    x.flatten().dropout(p = 0.3).linear(out = 3)
}

train! {
    /// 3 steps an epoch: two of 3 micro-batches, and one of 2, of which the last is smaller.
    Shared {
        model: Net,
        data: SmallImages,
        metrics: [Accuracy, Auroc, ConfusionMatrix],
        batch: 4,
        accumulate: 3,
        epochs: 4,
        seed: 5,
        optimizer: AdamW { lr: 0.02 },
        schedule: [ReduceOnPlateau { factor: 0.5, patience: 0, cooldown: 1 }],
        clip: GlobalNorm { max: 1.0 },
        gradient_noise: GradientNoise { eta: 1e-4 },
        gradient_norms: true,
        augment: [RandomCrop { padding: 1 }, GaussianNoise { std: 0.05 }],
        sampler: ClassBalanced,
        mix: Mixup { alpha: 0.5 },
        ema: Ema { decay: 0.9, warmup: true },
        early_stop: EarlyStop { patience: 9 },
        checkpoint: Checkpoint { every: Steps(2), keep: 100 },
    }
}

#[model]
fn Words(text: Tokens<50, 4>) -> Logits<3> {
    text.embedding(out = 5).flatten().linear(out = 3)
}

/// Each text has tokens of its own, so that every micro-batch reads other rows.
struct Texts;

impl Dataset for Texts {
    type Input = Tokens<50, 4>;
    type Target = Class<3>;

    fn len(&self) -> usize {
        16
    }

    fn sample(&self, index: usize, input: &mut [u32], target: &mut [u32]) -> Result<()> {
        for (place, token) in input.iter_mut().enumerate() {
            *token = (index * 3 + place * place) as u32 % 50;
        }
        target.fill((index % 3) as u32);
        Ok(())
    }

    fn split(&self) -> Split {
        Split::Fixed { train: 0..12, validation: 12..14, test: 14..16 }
    }
}

train! {
    Sparse {
        model: Words,
        data: Texts,
        batch: 2,
        accumulate: 3,
        epochs: 3,
        optimizer: SparseAdam { lr: 0.05 },
    }
}

train! {
    /// Two passes for each step, over entire matrices, and a group that is held.
    Sharp {
        model: Net,
        data: SmallImages,
        batch: 4,
        accumulate: 3,
        epochs: 2,
        optimizer: Sam { optimizer: Muon { lr: 0.02 }, rho: 0.1 },
        groups: [Group { pattern: "group_norm_1.**", from: Steps(2) }],
        ema: Swa { start: Steps(2), every: Steps(2) },
    }
}

train! {
    Estimated { model: Net, data: SmallImages, batch: 4, accumulate: 3, epochs: 2, optimizer: Prodigy { d0: 1e-3 } }
}

#[model]
fn Normalized(image: Image<1, 6, 6>) -> Logits<3> {
    image.batch_norm().flatten().linear(out = 3)
}

train! {
    Statistics { model: Normalized, data: SmallImages, batch: 4, epochs: 1 }
}

fn bits(parameters: &[Vec<f32>]) -> Vec<u32> {
    parameters.iter().flatten().map(|value| value.to_bits()).collect()
}

fn weights<M: Model>(model: &TrainedModel<M>) -> Vec<u32> {
    let values = model.parameters().map(|(_, tensor)| tensor.flatten_all().unwrap().to_vec1().unwrap());
    bits(&values.collect::<Vec<_>>())
}

/// Trains on so many processes. Returns the files of the run, and the weights, which are the same on each.
fn run(size: usize) -> (Files, Vec<u32>) {
    let out = scratch();
    let runs = each(size, |world| {
        let run = Shared::experiment().in_world(world).out(out.path()).run().unwrap();
        (run.folder, run.outcome, weights(&run.model))
    });
    assert!(runs.iter().all(|run| (&run.1, &run.2) == (&runs[0].1, &runs[0].2)), "{size} processes");
    assert!(runs[1..].iter().all(|run| run.0.is_none()), "the first process alone writes");
    (files(runs[0].0.as_ref().unwrap()), runs[0].2.clone())
}

#[test]
fn run_folder_does_not_depend_on_number_of_processes() {
    let (one, weights) = run(1);
    assert!(one.keys().any(|name| name.ends_with("optimizer.safetensors")), "{:?}", one.keys());
    for size in [2, 3, 4] {
        let (several, same) = run(size);
        assert_equal(&several, &one, &format!("{size} processes"));
        assert_eq!(same, weights);
    }
}

#[test]
fn sparse_optimizer_updates_rows_that_other_processes_read() {
    let run = |size| {
        each(size, |world| {
            let run = Sparse::experiment().in_world(world).without_folder().run().unwrap();
            weights(&run.model)
        })
    };
    let one = run(1);
    for size in [2, 4] {
        assert!(run(size).iter().all(|weights| *weights == one[0]), "{size} processes");
    }
}

#[test]
fn optimizers_over_all_parameters_do_not_depend_on_number_of_processes() {
    let run = |training: fn() -> trainspec::Experiment<Net>, size| {
        each(size, |world| weights(&training().in_world(world).without_folder().run().unwrap().model))
    };
    for training in [Sharp::experiment as fn() -> _, Estimated::experiment] {
        let one = run(training, 1);
        for size in [2, 3] {
            assert!(run(training, size).iter().all(|weights| *weights == one[0]), "{size} processes");
        }
    }
}

/// One micro-batch has so many terms that kernels add them in several parts. On the tape, each gradient is complete before it is
/// added.
#[test]
fn tape_result_does_not_depend_on_number_of_processes() {
    let run = |size| {
        each(size, |world| {
            let mut training =
                Shared::experiment().set("batch", "10").unwrap().set("checkpoint", "null").unwrap();
            let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
            let settings = training.settings().unwrap();
            let objective = Box::new(Arc::clone(&settings.loss[0]));
            let mut tape =
                Tape::new(graph.clone(), objective, settings.seed, candle_core::Device::Cpu).unwrap();
            let mut losses = Vec::new();
            let mut observe = |event: &Event<'_>| {
                if let Event::Step(report) = event {
                    losses.push((report.loss.to_bits(), report.gradient_norm.to_bits()));
                }
                Ok(())
            };
            let outcome =
                trainer::run_in(&world, &mut tape, &graph, settings, &data, None, &mut observe).unwrap();
            (losses, outcome, bits(&tape.store_mut().take_weights().unwrap()))
        })
    };
    let one = run(1).remove(0);
    assert_eq!(one.0.len(), 4);
    for size in [2, 4] {
        let several = run(size);
        assert!(several.iter().all(|other| (&other.1, &other.2) == (&one.1, &one.2)), "{size} processes");
        assert_eq!(several[0].0, one.0);
        assert!(several[1..].iter().all(|other| other.0.is_empty()), "the first process alone reports");
    }
}

/// The last process is interrupted; all stop after the same step, and the run continues on another number of processes.
#[test]
fn interrupted_run_resumes_on_other_number_of_processes() {
    let (whole, _) = run(1);
    let out = scratch();
    let interrupts = [(); 3].map(|()| Interrupt::new());
    let stopped = each(3, |world| {
        let mut observe = |event: &Event<'_>| {
            if matches!(event, Event::Step(report) if report.step == 5) {
                interrupts[2].request();
            }
            Ok(())
        };
        let training = Shared::experiment().interrupted_by(&interrupts[world.rank()]);
        let run = training.in_world(world).out(out.path()).run_with(&mut observe).unwrap();
        (run.folder, run.outcome.exit, run.outcome.steps)
    });
    // The last process may have started the next step.
    let steps = stopped[0].2;
    assert!(
        stopped.iter().all(|run| matches!(run.1, Exit::Interrupted { .. }) && run.2 == steps) && steps < 8,
        "{stopped:?}"
    );
    let folder = stopped[0].0.as_ref().unwrap();
    let resumed = each(2, |world| Shared::experiment().in_world(world).resume(folder).run().unwrap().outcome);
    assert_eq!(resumed[0], resumed[1]);
    let without_checkpoints = |mut files: Files| {
        files.retain(|name, _| !name.starts_with("checkpoints/"));
        files
    };
    assert_equal(&without_checkpoints(files(folder)), &without_checkpoints(whole), "resumed");
}

#[test]
fn every_process_stops_when_one_fails() {
    let problems = each(3, |world| {
        let mut observe = |event: &Event<'_>| match event {
            Event::Step(report) if report.step == 2 => Err(Error::Dataset("a full disk".to_owned())),
            _ => Ok(()),
        };
        let problem = Shared::experiment().in_world(world).without_folder();
        let problem = problem.set("checkpoint", "null").unwrap().run_with(&mut observe).unwrap_err();
        problem.to_string()
    });
    assert_eq!(problems[0], "data: a full disk");
    // A process that notices it first leaves, too.
    assert!(problems[1..].iter().all(|other| other.ends_with(": it has stopped")), "{problems:?}");
}

#[test]
fn running_statistics_need_one_process() {
    let train = |world: World| Statistics::experiment().in_world(world).without_folder().run().map(|_| ());
    assert!(each(1, train)[0].is_ok());
    let problem = each(2, train).remove(1).unwrap_err().to_string();
    assert!(problem.starts_with("`batch_norm_1.running_mean` is a running statistic, which"), "{problem}");
}
