//! Update rules that read more than one element: entire parameters, or all of them.

use trainspec_kernels::arena::Tensors;
use trainspec_kernels::update::{GradientTransform, for_each_part};

use super::{AnyOptimizer, Update, UpdateStep};
use crate::layer::GraphParameter;

/// The rule of an optimizer whose state or step is not that of single elements, such as the factored second moment of
/// [`Adafactor`](struct@super::Adafactor). It runs on the host.
///
/// Its results must not depend on the number of threads, and it may only keep what is in its state.
pub trait ModelRule: Sync {
    /// Returns how many values a trained parameter stores under the [state name](AnyOptimizer::state_names) at `slot`; it may be 0.
    fn slot_length(&self, slot: usize, parameter: &GraphParameter) -> usize;

    /// Returns how many elements of temporary memory a step needs, for the memory estimate; 0 by default.
    fn scratch(&self, parameters: &[GraphParameter]) -> usize {
        let _ = parameters;
        0
    }

    /// Takes one step of every parameter that has a gradient.
    fn update(&self, step: ModelStep<'_>);
}

/// The number of elements of the largest trained parameter.
pub(super) fn largest(parameters: &[GraphParameter]) -> usize {
    let trained = parameters.iter().filter(|parameter| parameter.is_trained());
    trained.map(|parameter| parameter.shape.elements()).max().unwrap_or(0)
}

/// One step of all parameters, for a [`ModelRule`]. All lists are in the order of the graph's parameters.
#[derive(Debug)]
pub struct ModelStep<'a> {
    /// The learning rate, and the settings of each parameter.
    pub update: &'a Update<'a>,
    /// What the graph says about each parameter.
    pub about: &'a [GraphParameter],
    /// The weights.
    pub weights: &'a mut [Vec<f32>],
    /// The summed gradients, empty for a parameter that is not trained.
    pub gradients: Tensors<'a>,
    /// The state by parameter and slot, empty for a parameter that is not trained.
    pub state: &'a mut [Vec<Vec<f32>>],
}

impl ModelStep<'_> {
    /// Calls `work` for each parameter that is trained in this step, in order.
    pub fn each(&mut self, mut work: impl FnMut(ParameterStep<'_>)) {
        let Self { update, about, weights, gradients, state } = self;
        let parameters = about.iter().zip(weights.iter_mut()).zip(state.iter_mut()).enumerate();
        for (place, ((about, weights), state)) in parameters {
            let gradients = gradients.get(place);
            if !gradients.is_empty() && !update.holds(place) {
                let (step, incoming) = update.of(place, about.role);
                work(ParameterStep { about, step, incoming, weights, gradients, state });
            }
        }
    }
}

/// The step of one parameter.
#[derive(Debug)]
pub struct ParameterStep<'a> {
    /// What the graph says about it.
    pub about: &'a GraphParameter,
    /// The number of the step, its learning rate, and the weight decay.
    pub step: UpdateStep,
    /// What happens to weights and gradients before the rule.
    pub incoming: GradientTransform,
    /// The weights.
    pub weights: &'a mut [f32],
    /// The summed gradient.
    pub gradients: &'a [f32],
    /// The state by slot.
    pub state: &'a mut [Vec<f32>],
}

impl ParameterStep<'_> {
    /// Takes the step by the rule of another optimizer, whose state starts at `first`.
    pub fn by(self, optimizer: &dyn AnyOptimizer, first: usize) {
        let Self { step, incoming, weights, gradients, state, .. } = self;
        let count = optimizer.state_names().len();
        let mut own = state.iter_mut().skip(first).take(count).map(Vec::as_mut_slice);
        // Without an allocation for the few slots that optimizers have.
        let mut slots: [&mut [f32]; FEW] = std::array::from_fn(|_| own.next().unwrap_or_default());
        for_each_part(
            weights,
            gradients,
            &mut slots[..count.min(FEW)],
            &|weights: &mut [f32], gradients: &[f32], state: &mut [&mut [f32]]| {
                optimizer.update_block(step, incoming, weights, gradients, state);
            },
        );
    }
}

/// The most slots of an optimizer of this crate.
const FEW: usize = 4;
