//! The update of all parameters: the same for both engines.

use trainspec_kernels::update::{for_each_block, sum_of_blocks};

use crate::graph::GraphParameter;
use crate::optim::{Update, UpdateStep};

/// The optimizer's state before the first step: by parameter, then by name.
pub(super) fn initial_state(update: &Update<'_>, gradients: &[Vec<f32>]) -> Vec<Vec<Vec<f32>>> {
    let slots = update.optimizer.state_names().len();
    let slot = |length: usize| move |slot| vec![update.optimizer.initial(slot); length];
    gradients.iter().map(|gradient| (0..slots).map(slot(gradient.len())).collect()).collect()
}

/// Takes one step of every parameter that has gradients.
pub(super) fn apply(
    update: &Update<'_>,
    graph: &[GraphParameter],
    parameters: &mut [Vec<f32>],
    gradients: &[Vec<f32>],
    state: &mut [Vec<Vec<f32>>],
) {
    if update.optimizer.is_layerwise() {
        layerwise(update, graph, parameters, gradients, state);
        return;
    }
    for_each_block(parameters, gradients, state, |parameter, weights, gradients, state| {
        let (step, incoming) = update.of(parameter, graph[parameter].role);
        update.optimizer.update_block(step, incoming, weights, gradients, state);
    });
}

/// The same for a rule that depends on norms of whole parameters: one after the other, each measured, then moved.
fn layerwise(
    update: &Update<'_>,
    graph: &[GraphParameter],
    parameters: &mut [Vec<f32>],
    gradients: &[Vec<f32>],
    state: &mut [Vec<Vec<f32>>],
) {
    let tensors = parameters.iter_mut().zip(gradients).zip(state).enumerate();
    for (parameter, ((weights, gradients), state)) in tensors {
        if gradients.is_empty() {
            continue;
        }
        let (step, incoming) = update.of(parameter, graph[parameter].role);
        let mut slots: Vec<&mut [f32]> = state.iter_mut().map(Vec::as_mut_slice).collect();
        let [weight, direction] =
            sum_of_blocks(weights, gradients, &mut slots, &|weights, gradients, state| {
                update.optimizer.measure_block(step, incoming, weights, gradients, state)
            })
            .map(f64::sqrt);
        let step = UpdateStep { trust: update.optimizer.trust(step, weight, direction), ..step };
        let one = std::slice::from_mut::<Vec<f32>>;
        for_each_block(
            one(weights),
            std::slice::from_ref(gradients),
            std::slice::from_mut(state),
            |_, weights, gradients, state| {
                update.optimizer.update_block(step, incoming, weights, gradients, state);
            },
        );
    }
}
