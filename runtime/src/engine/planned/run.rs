//! One micro-batch: executes the steps of a plan in order.

use candle_core::{Device, Tensor, Var};
use trainspec_kernels::arena::{Arena, Span, TensorArena};
use trainspec_kernels::element;
use trainspec_kernels::epilogue::Epilogue;
use trainspec_kernels::matmul::WriteMode;
use trainspec_kernels::subnormal::in_callers_mode;

use super::convert::{self, Weights};
use super::fallback::Fallbacks;
use super::mixed;
use super::shared::{Shared, Staged, lend_unread};
use crate::data::{Batch, BatchTensor};
use crate::engine::objective::taped_loss;
use crate::engine::{MicroBatch, Objective, OutputLoss};
use crate::error::Result;
use crate::graph::{Graph, Node};
use crate::layer::{Mode, NodeParameter};
use crate::loss::LossKernel;
use crate::op::{Backward, Data, Forward, MAX_INPUTS, Parameters, Prepared, RngState, round};
use crate::plan::{BackwardStep, ForwardStep, Group, KernelStep, Place, Plan, Work};
use crate::rng::StepIndex;
use crate::shape::Shape;

/// The inputs of a pass.
#[derive(Clone, Copy)]
pub(super) enum Inputs<'a> {
    /// Those of a batch.
    Batch(&'a [BatchTensor]),
    /// Values.
    Values(&'a [Data<'a>]),
}

impl<'a> Inputs<'a> {
    /// The values of one input.
    pub(super) fn of(self, input: usize) -> Data<'a> {
        match self {
            Self::Batch(inputs) => inputs[input].elements.numbers().into(),
            Self::Values(inputs) => inputs[input],
        }
    }
}

/// The state for computing a micro-batch.
pub(super) struct Pass<'a> {
    pub(super) graph: &'a Graph,
    pub(super) plan: &'a Plan,
    /// The number of samples.
    pub(super) size: usize,
    /// The inputs, in sample order.
    pub(super) inputs: Inputs<'a>,
    pub(super) seed: u64,
    pub(super) at: StepIndex,
    pub(super) training: bool,
    pub(super) parameters: Parameters<'a>,
    /// What the kernels prepared from parameters that do not change, by node; otherwise empty.
    pub(super) prepared: &'a [Option<Prepared>],
    /// Those of all parameters; `None` where none are computed.
    pub(super) gradients: Option<&'a mut TensorArena>,
    /// Memory for the gradients of a layer's frozen parameters, for kernels that compute them anyway.
    pub(super) unread: &'a mut Vec<Vec<f32>>,
    /// The write mode of the gradients of parameters that only one layer uses.
    pub(super) onto: WriteMode,
    /// The parameters that several layers use.
    pub(super) shared: &'a Shared,
    pub(super) staged: &'a mut Staged,
    pub(super) arena: &'a mut Arena,
    pub(super) fallbacks: &'a mut Fallbacks,
    pub(super) weights: &'a mut Weights,
    /// The scale of each output's gradient; not read in evaluation.
    pub(super) scales: &'a [f32],
    /// Memory for the gradient of a second target.
    pub(super) mixture: &'a mut Vec<f32>,
}

impl Pass<'_> {
    /// Every value.
    pub(super) fn forward(&mut self) -> Result<()> {
        let plan = self.plan;
        plan.forward().iter().try_for_each(|step| {
            let group = plan.group(step.group);
            let node = &self.graph.nodes[group.node];
            let done = self.around(step.group, &node.parameters, |pass| pass.forward_step(step, group, node));
            done.map_err(|error| error.at(&node.path))
        })
    }

    /// Runs the step at `time` on its layer's rounded weights, which are `own`, and on working copies, where there
    /// are any.
    fn around(
        &mut self,
        time: usize,
        own: &[NodeParameter],
        work: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let plan = self.plan;
        let (Some(format), Some(moves)) = (plan.format(), plan.moves(time)) else {
            return work(self);
        };
        convert::load(plan, format, moves, self.arena, self.inputs);
        if let Some(parameters) = self.parameters.exclusive() {
            self.weights.round(format, self.graph, own, parameters);
        }
        let done = work(self);
        if let Some(parameters) = self.parameters.exclusive() {
            self.weights.swap(self.graph, own, parameters);
        }
        convert::store(plan, format, moves, self.arena);
        done
    }

    fn forward_step(&mut self, step: &ForwardStep, group: &Group, node: &Node) -> Result<()> {
        let (plan, draws) = (self.plan, self.draws(group));
        let [a, b, c, e] = step.inputs.map(|place| plan.place(place));
        let ([a, b, c, e, residual], [output, pre, saved, scratch]) = self.arena.lend(
            [a, b, c, e, plan.place(step.residual)],
            [Some(step.output), step.pre, step.saved, step.scratch].map(|buffer| plan.span(buffer)),
        );
        let inputs = with_inputs(self.inputs, step.inputs, [a, b, c, e]);
        let residual = match step.residual {
            Some(Place::Input(input)) => Some(self.inputs.of(input).floats()),
            Some(Place::Arena(_)) => Some(residual),
            None => None,
        };
        let epilogue = group.joined.at(self.at, residual);
        match &group.work {
            Work::Epilogue => {
                epilogue.forward_all(inputs[0].floats(), output);
                Ok(())
            }
            Work::Kernel(kernel) => {
                let (size, training) = (self.size, self.training);
                let prepared = self.prepared.get(group.node).and_then(Option::as_ref);
                self.staged.with_parameters(node, &mut self.parameters, self.shared, |parameters| {
                    kernel.forward(&mut Forward {
                        batch: size,
                        format: plan.format(),
                        training,
                        inputs,
                        parameters,
                        prepared,
                        epilogue,
                        pre: step.pre.is_some().then_some(pre),
                        saved,
                        scratch,
                        output,
                        draws,
                    })
                })
            }
            Work::Fallback => {
                let train = Mode::Train { seed: self.seed, at: self.at };
                let mode = if self.training { train } else { Mode::Evaluate };
                let fallback = (step.group, node);
                let (size, input) = (self.size, &inputs);
                let Self { graph, fallbacks, parameters, .. } = self;
                in_callers_mode(|| fallbacks.forward(graph, fallback, mode, size, input, parameters, output))
            }
        }
    }

    fn draws(&self, group: &Group) -> RngState {
        RngState { stream: group.stream, at: self.at, training: self.training }
    }

    /// Computes the loss of each output, and in training its gradient.
    pub(super) fn loss(
        &mut self,
        batch: &Batch,
        kernels: &[Option<Box<dyn LossKernel>>],
        objectives: &[Box<dyn Objective>],
    ) -> Result<MicroBatch> {
        let mut result = MicroBatch::default();
        for (output, (kernel, objective)) in kernels.iter().zip(objectives).enumerate() {
            result.push(self.loss_of(output, batch, kernel.as_deref(), &**objective)?);
        }
        Ok(result)
    }

    fn loss_of(
        &mut self,
        number: usize,
        batch: &Batch,
        kernel: Option<&dyn LossKernel>,
        objective: &dyn Objective,
    ) -> Result<OutputLoss> {
        let place = self.plan.outputs()[number];
        let gradient = if self.training { self.plan.loss_gradient(number) } else { None };
        let ([output], [d_output]) =
            self.arena.lend([self.plan.place(Some(place))], [gradient.unwrap_or(Span::EMPTY)]);
        let prediction = match place {
            Place::Arena(_) => output,
            Place::Input(input) => self.inputs.of(input).floats(),
        };
        let mut gradient = gradient.is_some().then_some(d_output);
        let result = if let Some(kernel) = kernel {
            mixed::loss(kernel, (number, prediction), batch, gradient.as_deref_mut(), self.mixture)
        } else {
            let output = (number, prediction, self.graph.shape_of_output(number));
            in_callers_mode(|| taped(objective, output, batch, gradient.as_deref_mut()))
        };
        if let Some(gradient) = gradient {
            scale(gradient, self.scales[number], self.plan);
        }
        result
    }

    /// Every gradient.
    pub(super) fn backward(&mut self) -> Result<()> {
        let (plan, graph) = (self.plan, self.graph);
        if let (WriteMode::Overwrite, Some(gradients)) = (self.onto, self.gradients.as_deref_mut()) {
            self.shared.clear(gradients);
        }
        let first = plan.forward().len() + 1;
        (first..).zip(plan.backward()).try_for_each(|(time, step)| match step {
            BackwardStep::Kernel(kernel) => {
                let own = &graph.nodes[plan.group(kernel.group).node].parameters;
                self.around(time, own, |pass| pass.kernel(kernel))
            }
            // The other steps have no weights.
            _ => self.around(time, &[], |pass| pass.backward_step(step)),
        })
    }

    fn backward_step(&mut self, step: &BackwardStep) -> Result<()> {
        let plan = self.plan;
        let undoing = |group: usize| {
            let group = plan.group(group);
            group.joined.undoing(self.at, group.residual.is_some())
        };
        match *step {
            BackwardStep::Copy { from, to } | BackwardStep::Add { from, to } => {
                let onto = if matches!(step, BackwardStep::Add { .. }) {
                    WriteMode::Accumulate
                } else {
                    WriteMode::Overwrite
                };
                let ([from], [to]) = self.arena.lend([plan.span(Some(from))], [plan.span(Some(to))]);
                element::accumulate(from, to, onto);
            }
            BackwardStep::Then { group, output, d } => {
                let ([output], [d]) = self.arena.lend([plan.span(Some(output))], [plan.span(Some(d))]);
                undoing(group).backward_then_all(output, d);
            }
            BackwardStep::Epilogue { group, saved, from, to } => {
                let is_in_place = from == to;
                let from = if is_in_place { Span::EMPTY } else { plan.span(Some(from)) };
                let ([in_arena, from], [to]) =
                    self.arena.lend([plan.place(saved), from], [plan.span(Some(to))]);
                let saved = match saved {
                    Some(Place::Input(input)) => self.inputs.of(input).floats(),
                    _ => in_arena,
                };
                if is_in_place {
                    undoing(group).backward_all_in_place(saved, to);
                } else {
                    undoing(group).backward_all(saved, from, to);
                }
            }
            BackwardStep::Kernel(step) => self.kernel(&step)?,
        }
        Ok(())
    }

    fn kernel(&mut self, step: &KernelStep) -> Result<()> {
        let plan = self.plan;
        let group = plan.group(step.group);
        let (node, draws) = (&self.graph.nodes[group.node], self.draws(group));
        let [a, b, c, e] = step.inputs.map(|place| plan.place(place));
        let [d_a, d_b, d_c, d_e] = step.d_inputs.map(|target| plan.span(target.map(|(buffer, _)| buffer)));
        let ([a, b, c, e, output], [d, saved, scratch, d_a, d_b, d_c, d_e]) = self.arena.lend(
            [a, b, c, e, plan.span(step.output)],
            [plan.span(Some(step.d)), plan.span(step.saved), plan.span(step.scratch), d_a, d_b, d_c, d_e],
        );
        let mut modes = step.d_inputs.map(|target| target.map(|(_, onto)| onto)).into_iter();
        let d_inputs = [d_a, d_b, d_c, d_e].map(|d| modes.next().flatten().map(|onto| (d, onto)));
        let onto = if self.shared.accumulates(group.node) { WriteMode::Accumulate } else { self.onto };
        let Some(gradients) = self.gradients.as_deref_mut() else { return Ok(()) };
        let makes_unread = match &group.work {
            Work::Kernel(kernel) => {
                let is_frozen = self.graph.parameters_of(node).any(|parameter| parameter.frozen);
                let skips = || self.graph.parameters_of(node).all(|parameter| !parameter.is_trained());
                is_frozen && !(kernel.skips_frozen() && skips())
            }
            _ => false,
        };
        match &group.work {
            Work::Kernel(kernel) => {
                let (size, batch) = (self.size, self.inputs);
                let epilogue = if step.undoes {
                    group.joined.undoing(self.at, group.residual.is_some())
                } else {
                    Epilogue::NONE
                };
                let (format, inputs) = (plan.format(), with_inputs(batch, step.inputs, [a, b, c, e]));
                let mut gradients = gradients.select_mut(node.parameters.iter().map(|own| own.index));
                if makes_unread {
                    lend_unread(self.graph, node, gradients.get(), self.unread);
                }
                self.staged.with_read(node, &mut self.parameters, move |parameters| {
                    let mut gradients = gradients;
                    kernel.backward(&mut Backward {
                        batch: size,
                        format,
                        inputs,
                        output,
                        parameters,
                        epilogue,
                        saved,
                        scratch,
                        d,
                        d_inputs,
                        gradients: gradients.get(),
                        onto,
                        draws,
                    });
                });
            }
            Work::Fallback => {
                let fallbacks = &mut *self.fallbacks;
                in_callers_mode(|| fallbacks.backward(step.group, node, d, d_inputs, gradients, onto))
                    .map_err(|error| error.at(&node.path))?;
            }
            Work::Epilogue => {}
        }
        Ok(())
    }
}

/// A loss without a kernel, and its gradient if a buffer is passed for it.
fn taped(
    objective: &dyn Objective,
    (output, prediction, shape): (usize, &[f32], Shape),
    batch: &Batch,
    gradient: Option<&mut [f32]>,
) -> Result<OutputLoss> {
    let mut axes = vec![batch.size];
    axes.extend_from_slice(shape.axes());
    let prediction = Var::from_slice(prediction, axes, &Device::Cpu)?;
    let loss = taped_loss(objective, prediction.as_tensor(), batch, output)?;
    if let Some(gradient) = gradient {
        let gradients = loss.sum.backward()?;
        copy(gradients.get(prediction.as_tensor()), gradient, WriteMode::Overwrite)?;
    }
    Ok(OutputLoss { loss: f64::from(loss.sum.to_scalar::<f32>()?), weight: loss.weight })
}

/// The gradient of the loss times its scale, rounded like the values that it is the gradient of.
fn scale(gradient: &mut [f32], by: f32, plan: &Plan) {
    for number in &mut *gradient {
        *number *= by;
    }
    round(plan.format(), gradient);
}

/// The inputs of a step, read from the batch or the arena.
fn with_inputs<'a>(
    inputs: Inputs<'a>,
    places: [Option<Place>; MAX_INPUTS],
    in_arena: [&'a [f32]; MAX_INPUTS],
) -> [Data<'a>; MAX_INPUTS] {
    let mut places = places.into_iter();
    in_arena.map(|numbers| match places.next().flatten() {
        Some(Place::Input(input)) => inputs.of(input),
        _ => Data::Float(numbers),
    })
}

/// The values of a candle gradient, or zeros where there is none.
pub(super) fn copy(gradient: Option<&Tensor>, into: &mut [f32], onto: WriteMode) -> Result<()> {
    match gradient {
        Some(gradient) => {
            let numbers = gradient.flatten_all()?.to_vec1::<f32>()?;
            element::accumulate(&numbers, into, onto);
        }
        None if onto == WriteMode::Overwrite => into.fill(0.0),
        None => {}
    }
    Ok(())
}
