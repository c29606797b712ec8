//! Forward passes with plans on shared parameters: predictions from many threads at once.

use std::fmt::{Debug, Formatter};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use candle_core::{Device, Tensor};
use trainspec_kernels::arena::Arena;
use trainspec_kernels::matmul::WriteMode;
use trainspec_kernels::subnormal::flushed;
use trainspec_kernels::threads;

use super::convert::Weights;
use super::fallback::Fallbacks;
use super::shared::{Shared, Staged};
use super::{Planned, no_memory, run};
use crate::data::{Normalizer, Normalizers};
use crate::engine::forward;
use crate::engine::store::check;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::layer::Mode;
use crate::op::{Data, Parameters, Prepared};
use crate::plan::{Place, Plan, Work};
use crate::rng::StepIndex;
use crate::shape::{Few, Numbers, Shape, ordinal};

/// The maximum number of elements of the values of one part of a batch: as many as the processor's caches hold
/// next to the weights. Larger batches are computed in parts; results do not depend on it.
const CACHED: usize = 1 << 20;

/// The number of most recently used plans that are kept.
const PLANS: usize = 8;

/// A graph with parameters that do not change, evaluated with the same plan as by the [`Planned`] engine.
///
/// Each call uses its own workspace, so that calls do not wait for each other; as many workspaces are
/// kept as the machine runs threads. Plans are cached by batch size.
pub(crate) struct Inference {
    graph: Graph,
    parameters: Vec<Vec<f32>>,
    shared: Shared,
    /// What the kernels prepared from the parameters, by node; created on demand.
    prepared: OnceLock<Vec<Option<Prepared>>>,
    /// The parameters as tensors; created on demand.
    tensors: OnceLock<Vec<Tensor>>,
    /// The number of samples per part; known with the first plan.
    at_once: OnceLock<usize>,
    /// The most recently used is the last.
    plans: Mutex<Vec<Arc<Plan>>>,
    idle: Mutex<Vec<Workspace>>,
}

/// The memory of one call.
struct Workspace {
    arena: Arena,
    /// The normalized samples of each input.
    normalized: Vec<Vec<f32>>,
}

impl Inference {
    /// # Errors
    /// If the parameters do not match the graph.
    pub(crate) fn new(graph: Graph, parameters: Vec<Vec<f32>>) -> Result<Self> {
        check(&graph.parameters, &parameters)?;
        // As in `Planned::with_parameters`.
        let _ = threads::count();
        Ok(Self {
            shared: Shared::with_copies(&graph, &parameters),
            graph,
            parameters,
            prepared: OnceLock::new(),
            tensors: OnceLock::new(),
            at_once: OnceLock::new(),
            plans: Mutex::default(),
            idle: Mutex::default(),
        })
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The parameters and running statistics, in the graph's order.
    pub(crate) fn parameters(&self) -> &[Vec<f32>] {
        &self.parameters
    }

    /// The same as tensors, which are copies.
    pub(crate) fn tensors(&self) -> &[Tensor] {
        self.tensors.get_or_init(|| {
            let parameters = self.graph.parameters.iter().zip(&self.parameters);
            let tensor = |(parameter, numbers): (&crate::layer::GraphParameter, &Vec<f32>)| {
                Tensor::from_slice(numbers, parameter.shape.axes(), &Device::Cpu)
            };
            // They have the graph's sizes, which is all that candle requires on the CPU.
            parameters.map(tensor).collect::<candle_core::Result<_>>().unwrap_or_default()
        })
    }

    /// Computes the outputs for `size` samples of the graph's inputs, and passes the values of each output to `take`, in sample
    /// order, part by part.
    ///
    /// # Errors
    /// If a normalized value is not finite, the system is out of memory, or a layer cannot process the samples.
    pub(crate) fn run(
        &self,
        size: usize,
        inputs: &[Numbers<'_>],
        normalizers: &Normalizers,
        mut take: impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        if size == 0 {
            return Ok(());
        }
        let mut workspace = self.workspace()?;
        let result = self.parts(size, |start, part| {
            let Workspace { arena, normalized } = &mut workspace;
            normalized.resize_with(inputs.len(), Vec::new);
            for (place, normalized) in normalized.iter_mut().enumerate() {
                if let (Some(normalizer), Numbers::Float(reals)) = (normalizers.of(place), inputs[place]) {
                    let elements = reals.len() / size;
                    let values = &reals[start * elements..(start + part) * elements];
                    normalize(normalizer, values, normalized).map_err(|(bad, value)| {
                        let what = ordinal("input", place, inputs.len());
                        let (sample, element) = (start + bad / elements, bad % elements);
                        Error::Dataset(format!(
                            "sample {sample} (from 0): element {element} of the {what} is {}, which normalizes to {value}; \
                             expected a value closer to the training data",
                            values[bad],
                        ))
                    })?;
                }
            }
            let values: Few<_> = (0..inputs.len())
                .map(|place| {
                    let elements = inputs[place].len() / size;
                    let values = start * elements..(start + part) * elements;
                    match inputs[place] {
                        Numbers::Float(_) if normalizers.of(place).is_some() => Data::Float(&normalized[place]),
                        Numbers::Float(reals) => Data::Float(&reals[values]),
                        Numbers::Int(wholes) => Data::Int(&wholes[values]),
                    }
                })
                .collect();
            if Planned::can_run(&self.graph) {
                self.planned(part, &values, arena, &mut take)
            } else {
                self.reference(part, &values, &mut take)
            }
        });
        self.recycle(workspace);
        result
    }

    /// Calls `work` with the first sample of each part and its number of samples.
    fn parts(&self, size: usize, mut work: impl FnMut(usize, usize) -> Result<()>) -> Result<()> {
        let at_once = self.at_once()?;
        (0..size).step_by(at_once).try_for_each(|start| work(start, at_once.min(size - start)))
    }

    /// The number of samples per part. With fallback layers all samples: the order of candle's sums is not known.
    fn at_once(&self) -> Result<usize> {
        if let Some(&at_once) = self.at_once.get() {
            return Ok(at_once);
        }
        let at_once = if Planned::can_run(&self.graph) {
            let plan = Plan::evaluation(&self.graph, 1)?;
            if plan.has_fallbacks() { usize::MAX } else { (CACHED / plan.length().max(1)).max(1) }
        } else {
            usize::MAX
        };
        Ok(*self.at_once.get_or_init(|| at_once))
    }

    fn planned(
        &self,
        size: usize,
        inputs: &[Data<'_>],
        arena: &mut Arena,
        take: &mut impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        let plan = &*self.plan(size)?;
        arena.grow(plan.length()).map_err(|source| no_memory(plan.length(), source))?;
        let mut pass = run::Pass {
            graph: &self.graph,
            plan,
            size,
            inputs: run::Inputs::Values(inputs),
            seed: 0,
            at: StepIndex::default(),
            training: false,
            parameters: Parameters::Shared(&self.parameters),
            prepared: self.prepared(plan),
            gradients: None,
            unread: &mut Vec::new(),
            onto: WriteMode::Accumulate,
            arena,
            fallbacks: &mut Fallbacks::default(),
            weights: &mut Weights::default(),
            shared: &self.shared,
            staged: &mut Staged::default(),
            scales: &[],
            mixture: &mut Vec::new(),
        };
        Planned::on_threads(plan, || pass.forward())?;
        for (output, &place) in plan.outputs().iter().enumerate() {
            match place {
                Place::Arena(_) => take(output, arena.read(plan.place(Some(place)))),
                Place::Input(input) => take(output, inputs[input].floats()),
            }
        }
        Ok(())
    }

    /// What the kernels prepared from the parameters, by node. All plans have the same kernels.
    fn prepared(&self, plan: &Plan) -> &[Option<Prepared>] {
        self.prepared.get_or_init(|| {
            let mut prepared: Vec<_> = self.graph.nodes.iter().map(|_| None).collect();
            // On one thread: one of the pool that waits may run other work, such as a prediction that waits for this.
            let prepare = || {
                for step in plan.forward() {
                    let group = plan.group(step.group);
                    if let Work::Kernel(kernel) = &group.work {
                        let node = &self.graph.nodes[group.node];
                        let own = match node.range() {
                            Some(range) => self.parameters.get(range).unwrap_or_default(),
                            None => self.shared.copies_of(node),
                        };
                        prepared[group.node] = kernel.prepare(own);
                    }
                }
            };
            flushed(|| threads::alone(prepare));
            prepared
        })
    }

    /// Runs the layers' reference implementations, as the [`Tape`](crate::engine::Tape) evaluates.
    fn reference(
        &self,
        size: usize,
        inputs: &[Data<'_>],
        take: &mut impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        let tensor = |(input, shape): (&Data<'_>, &Shape)| {
            let mut axes = vec![size];
            axes.extend_from_slice(shape.axes());
            Ok(match input {
                Data::Float(reals) => Tensor::from_slice(reals, axes, &Device::Cpu)?,
                Data::Int(wholes) => Tensor::from_slice(wholes, axes, &Device::Cpu)?,
            })
        };
        let inputs =
            inputs.iter().zip(self.graph.shapes_of_inputs()).map(tensor).collect::<Result<Vec<_>>>()?;
        let (results, _) = forward(&self.graph, self.tensors(), &inputs, Mode::Evaluate)?;
        for (output, result) in results.iter().enumerate() {
            take(output, &result.flatten_all()?.to_dtype(candle_core::DType::F32)?.to_vec1::<f32>()?);
        }
        Ok(())
    }

    /// The plan for this number of samples.
    fn plan(&self, size: usize) -> Result<Arc<Plan>> {
        let find = |plans: &mut Vec<Arc<Plan>>| {
            let place = plans.iter().position(|plan| plan.batch() == size)?;
            plans[place..].rotate_left(1);
            plans.last().cloned()
        };
        if let Some(plan) = find(&mut lock(&self.plans)) {
            return Ok(plan);
        }
        // Other calls need not wait while it is built.
        let made = Arc::new(Plan::evaluation(&self.graph, size)?);
        let mut plans = lock(&self.plans);
        if let Some(plan) = find(&mut plans) {
            return Ok(plan);
        }
        if plans.len() == PLANS {
            plans.remove(0);
        }
        plans.push(Arc::clone(&made));
        Ok(made)
    }

    fn workspace(&self) -> Result<Workspace> {
        if let Some(workspace) = lock(&self.idle).pop() {
            return Ok(workspace);
        }
        let arena = Arena::new(0).map_err(|source| no_memory(0, source))?;
        Ok(Workspace { arena, normalized: Vec::new() })
    }

    fn recycle(&self, workspace: Workspace) {
        let mut idle = lock(&self.idle);
        if idle.len() < most_idle() {
            idle.push(workspace);
        }
    }
}

/// The number of threads that the machine runs at once.
fn most_idle() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Locks data that stays valid if another thread panics: plans and memory.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Normalizes samples into `to`; an error is the place and the result of the first value that is not finite afterwards.
fn normalize(normalizer: &Normalizer, samples: &[f32], to: &mut Vec<f32>) -> Result<(), (usize, f32)> {
    to.clear();
    to.extend_from_slice(samples);
    normalizer.apply(to);
    match to.iter().position(|number| !number.is_finite()) {
        None => Ok(()),
        Some(place) => Err((place, to[place])),
    }
}

impl Debug for Inference {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inference").field("graph", &self.graph).finish_non_exhaustive()
    }
}
