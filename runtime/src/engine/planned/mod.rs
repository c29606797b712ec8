//! The planned engine: fused CPU kernels, executed in the order and memory of a plan.

mod convert;
mod fallback;
mod inference;
mod mixed;
mod run;
mod shared;

use std::borrow::Cow;

use candle_core::{Device, Tensor};
use trainspec_kernels::arena::Arena;
use trainspec_kernels::matmul::WriteMode;
use trainspec_kernels::subnormal::flushed;
use trainspec_kernels::threads;

use super::store::HostStore;
use super::{Engine, MicroBatch, Objectives, initial_numbers};
use crate::data::Batch;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::layer::Role;
use crate::loss::LossKernel;
use crate::op::{Data, Parameters};
use crate::optim::{ParameterStore, Update};
use crate::plan::{Place, Plan, Storage};
use crate::rng::StepIndex;
use crate::shape::Shape;
use convert::Weights;
use fallback::Fallbacks;
pub(crate) use inference::Inference;
use shared::{Shared, Staged};

/// Runs a graph with a [`Plan`] on the CPU.
///
/// A plan is built when a batch size is first seen, and cached. After that a step allocates no tensor: values,
/// gradients and scratch live in one arena, the gradients of parameters are summed in place
/// over an accumulation window, and the optimizer makes one pass over weights, gradients and state. Only
/// layers without a lowering, which fall back to candle operations, and losses without a kernel allocate.
///
/// # Subnormal numbers
/// The engine flushes [subnormal](trainspec_kernels::subnormal) numbers (magnitude below 1.2e-38) to 0: inputs
/// and results of arithmetic in f32 and f64, on every thread, so that results do not depend on threads or SIMD levels. On some
/// processors an operation on a subnormal number takes a hundred times longer, and they are common once training has
/// converged. Conversions to and from 16 bits, fallback layers, losses without a kernel, and custom
/// [`Clip`](crate::optim::Clip) and [`Constraint`](crate::optim::Constraint) implementations are not affected: these compute
/// in the mode of the thread that called the engine, or of the pool's thread they run on, and every thread's mode is restored after each call. Optimizer rules and
/// [`LossKernel`]s run inside the engine's loops, and are flushed.
///
/// PyTorch keeps subnormal numbers unless `torch.set_flush_denormal(True)` was called; candle keeps them, and so does the
/// [`Tape`](super::Tape).
pub struct Planned {
    graph: Graph,
    objectives: Objectives,
    /// The kernel of each objective that has one.
    losses: Vec<Option<Box<dyn LossKernel>>>,
    seed: u64,
    store: HostStore,
    /// Where kernels write the gradients of frozen parameters, by their place in the layer; allocated on first use.
    unread: Vec<Vec<f32>>,
    /// Whether the gradients belong to a window that was already applied.
    spent: bool,
    training: Vec<Plan>,
    evaluation: Vec<Plan>,
    arena: Arena,
    fallbacks: Fallbacks,
    storage: Storage,
    /// The rounded weights of a layer.
    weights: Weights,
    /// The parameters that several layers use.
    shared: Shared,
    staged: Staged,
    /// The running statistics from before the window; empty for trained parameters.
    before: Vec<Vec<f32>>,
    /// The gradient of a mixed batch's second target; empty until there is one.
    mixture: Vec<f32>,
    /// The outputs for the last batch, and its size; no outputs before.
    predictions: Vec<Output>,
    predicted: usize,
}

/// The place of an output of the last batch.
enum Output {
    Arena(trainspec_kernels::arena::Span),
    /// The model returns an input.
    Apart(Vec<f32>),
}

impl Planned {
    /// Whether the engine can run a graph: it supports models whose layers return floating-point values.
    #[must_use]
    pub fn can_run(graph: &Graph) -> bool {
        graph.nodes.iter().all(|node| graph.shapes[node.output].vocabulary().is_none())
    }

    /// Creates an engine whose parameters are drawn from `seed` and their paths.
    ///
    /// # Errors
    /// If a parameter cannot be created, or the engine [cannot run](Planned::can_run) the graph.
    pub fn new(graph: Graph, objectives: impl Into<Objectives>, seed: u64) -> Result<Self> {
        let parameters = initial_numbers(&graph, seed).collect();
        Self::with_parameters(graph, objectives.into(), seed, parameters)
    }

    /// Creates an engine with these parameters, in the graph's order.
    pub(super) fn with_parameters(
        graph: Graph,
        objectives: Objectives,
        seed: u64,
        parameters: Vec<Vec<f32>>,
    ) -> Result<Self> {
        if !Self::can_run(&graph) {
            return Err(Error::Internal("the planned engine cannot run this graph"));
        }
        let objectives = objectives.fit(&graph)?;
        // Creates the pool here: its threads would keep the mode of a thread that flushes.
        let _ = threads::count();
        let store = HostStore::new(&graph, parameters, true)?;
        let before =
            graph.parameters.iter().zip(&store.weights).map(|(parameter, numbers): (_, &Vec<f32>)| {
                if parameter.role == Role::Statistic { numbers.clone() } else { Vec::new() }
            });
        let before = before.collect();
        let shared = Shared::of(&graph);
        let losses = objectives.kernels(&graph);
        Ok(Self {
            unread: Vec::new(),
            store,
            graph,
            objectives,
            losses,
            seed,
            spent: true,
            training: Vec::new(),
            evaluation: Vec::new(),
            arena: Arena::new(0).map_err(|source| no_memory(0, source))?,
            fallbacks: Fallbacks::default(),
            storage: Storage::default(),
            weights: Weights::default(),
            shared,
            staged: Staged::default(),
            before,
            mixture: Vec::new(),
            predictions: Vec::new(),
            predicted: 0,
        })
    }

    /// Rounds values between kernels as a [`Format`](crate::op::Format), an optional one, or a [`Storage`]
    /// specifies.
    #[must_use]
    pub fn with_storage(mut self, storage: impl Into<Storage>) -> Self {
        self.storage = storage.into();
        self.weights =
            if self.storage.format.is_some() { Weights::of(&self.graph) } else { Weights::default() };
        (self.training, self.evaluation) = (Vec::new(), Vec::new());
        self
    }

    /// The plan for micro-batches of that size, and memory for it.
    fn plan(&mut self, batch: &Batch, training: bool) -> Result<usize> {
        // The contents of the arena are about to be discarded.
        self.predictions.clear();
        batch.check(self.graph.shapes_of_inputs(), self.graph.outputs.len())?;
        let batch = batch.size;
        let plans = if training { &mut self.training } else { &mut self.evaluation };
        let place = match plans.iter().position(|plan| plan.batch() == batch) {
            Some(place) => place,
            None => {
                plans.push(if training {
                    Plan::training_in(&self.graph, self.seed, batch, self.storage)?
                } else {
                    Plan::evaluation_in(&self.graph, batch, self.storage)?
                });
                plans.len() - 1
            }
        };
        let length = plans[place].length();
        if length > self.arena.len() {
            self.arena.grow(length).map_err(|source| no_memory(length, source))?;
        }
        Ok(place)
    }

    /// Prepares the gradients for a window: resets them to 0 if it has no micro-batch yet.
    fn begin_window(&mut self) {
        if std::mem::take(&mut self.spent) {
            self.store.start_window();
        }
    }

    /// An output for the last batch.
    fn output(&self, output: usize) -> Result<&[f32]> {
        let missing = Error::Internal("a prediction was requested before any batch");
        Ok(match self.predictions.get(output).ok_or(missing)? {
            Output::Arena(span) => self.arena.read(*span),
            Output::Apart(numbers) => numbers,
        })
    }

    /// Keeps the places of the outputs of a pass with the plan at `place`.
    fn keep_outputs(&mut self, place: usize, training: bool, batch: &Batch) {
        let plan = if training { &self.training[place] } else { &self.evaluation[place] };
        self.predictions.extend(plan.outputs().iter().map(|&output| match output {
            Place::Arena(_) => Output::Arena(plan.place(Some(output))),
            Place::Input(input) => {
                Output::Apart(Data::from(batch.inputs[input].elements.numbers()).floats().to_vec())
            }
        }));
        self.predicted = batch.size;
    }

    /// A forward pass, in training mode or in evaluation mode: the place of its plan, and in evaluation mode the losses.
    fn forward(&mut self, batch: &Batch, at: StepIndex, training: bool) -> Result<(usize, MicroBatch)> {
        let place = self.plan(batch, training)?;
        let plan = if training { &self.training[place] } else { &self.evaluation[place] };
        let mut pass = run::Pass {
            graph: &self.graph,
            plan,
            size: batch.size,
            inputs: run::Inputs::Batch(&batch.inputs),
            seed: self.seed,
            at,
            training,
            parameters: Parameters::Exclusive(&mut self.store.weights),
            prepared: &[],
            gradients: Some(&mut self.store.gradients),
            unread: &mut self.unread,
            onto: WriteMode::Accumulate,
            arena: &mut self.arena,
            fallbacks: &mut self.fallbacks,
            weights: &mut self.weights,
            shared: &self.shared,
            staged: &mut self.staged,
            scales: &[],
            mixture: &mut self.mixture,
        };
        let (kernels, objectives) = (self.losses.as_slice(), &*self.objectives);
        let result = Self::on_threads(plan, || {
            pass.forward()?;
            if training { Ok(MicroBatch::default()) } else { pass.loss(batch, kernels, objectives) }
        })?;
        Ok((place, result))
    }

    /// Runs `work` with subnormal numbers flushed, on the threads of the pool unless it is too small to be worth it.
    fn on_threads<R: Send>(plan: &Plan, work: impl FnOnce() -> R + Send) -> R {
        /// The [work](Plan::work) below which more threads gain nothing: about 0.2 ms of one. Handing it over and waking
        /// them takes 3 to 10 microseconds if they are idle, and much longer on a busy machine.
        const LEAST: u64 = 20_000_000;
        flushed(|| if plan.work() < LEAST { threads::alone(work) } else { threads::inside(work) })
    }
}

fn no_memory(length: usize, source: std::io::Error) -> Error {
    Error::Memory { bytes: length as u64 * size_of::<f32>() as u64, cause: source }
}

/// Saves the running statistics before a window.
fn save(before: &mut [Vec<f32>], parameters: &[Vec<f32>]) {
    for (before, now) in before.iter_mut().zip(parameters) {
        if !before.is_empty() {
            before.copy_from_slice(now);
        }
    }
}

/// Restores the running statistics from before the window.
fn restore(before: &[Vec<f32>], parameters: &mut [Vec<f32>]) {
    for (before, now) in before.iter().zip(parameters) {
        if !before.is_empty() {
            now.copy_from_slice(before);
        }
    }
}

impl Engine for Planned {
    fn store(&self) -> &dyn ParameterStore {
        &self.store
    }

    fn store_mut(&mut self) -> &mut dyn ParameterStore {
        &mut self.store
    }

    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn accumulate_scaled(&mut self, batch: &Batch, at: StepIndex, scales: &[f32]) -> Result<MicroBatch> {
        let place = self.plan(batch, true)?;
        if self.spent {
            save(&mut self.before, &self.store.weights);
        }
        if self.spent && self.store.take_edited() {
            self.store.gradients.flat_mut().fill(0.0);
        }
        let onto = if self.spent { WriteMode::Overwrite } else { WriteMode::Accumulate };
        let plan = &self.training[place];
        let mut pass = run::Pass {
            graph: &self.graph,
            plan,
            size: batch.size,
            inputs: run::Inputs::Batch(&batch.inputs),
            seed: self.seed,
            at,
            training: true,
            parameters: Parameters::Exclusive(&mut self.store.weights),
            prepared: &[],
            gradients: Some(&mut self.store.gradients),
            unread: &mut self.unread,
            onto,
            arena: &mut self.arena,
            fallbacks: &mut self.fallbacks,
            weights: &mut self.weights,
            shared: &self.shared,
            staged: &mut self.staged,
            scales,
            mixture: &mut self.mixture,
        };
        let (kernels, objectives) = (self.losses.as_slice(), &*self.objectives);
        let result = Self::on_threads(plan, || {
            pass.forward()?;
            let loss = pass.loss(batch, kernels, objectives)?;
            pass.backward()?;
            Ok::<_, Error>(loss)
        });
        if result.is_err() && self.spent {
            // The forward pass of a window's first batch has updated them; those of later batches are left to `discard`.
            restore(&self.before, &mut self.store.weights);
        }
        let result = result?;
        self.keep_outputs(place, true, batch);
        if std::mem::take(&mut self.spent) {
            self.store.start_rows();
        }
        self.store.add_rows(batch);
        Ok(result)
    }

    fn open_window(&mut self, tokens: &[Vec<u32>]) -> Result<()> {
        if self.spent {
            save(&mut self.before, &self.store.weights);
        }
        self.begin_window();
        self.store.add_tokens(tokens);
        Ok(())
    }

    fn discard(&mut self) -> Result<()> {
        if !self.spent {
            restore(&self.before, &mut self.store.weights);
        }
        self.spent = true;
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.begin_window();
        self.store.start_window();
        Ok(())
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        self.begin_window();
        self.store.update(update)?;
        self.spent = true;
        Ok(())
    }

    fn observe(&mut self, batch: &Batch, at: StepIndex) -> Result<()> {
        self.forward(batch, at, true).map(|_| ())
    }

    fn evaluate(&mut self, batch: &Batch) -> Result<MicroBatch> {
        let (place, result) = self.forward(batch, StepIndex::default(), false)?;
        self.keep_outputs(place, false, batch);
        Ok(result)
    }

    fn prediction(&self, output: usize) -> Result<Tensor> {
        let mut axes = vec![self.predicted];
        axes.extend_from_slice(self.prediction_shape(output).axes());
        Ok(Tensor::from_slice(self.output(output)?, axes, &Device::Cpu)?)
    }

    fn predictions(&self, output: usize) -> Result<Cow<'_, [f32]>> {
        Ok(self.output(output)?.into())
    }

    fn prediction_shape(&self, output: usize) -> Shape {
        self.graph.shape_of_output(output)
    }

    fn name(&self) -> &'static str {
        "planned"
    }
}
