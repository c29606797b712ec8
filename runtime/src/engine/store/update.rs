//! The update of all parameters.

use std::ops::Range;

use trainspec_kernels::arena::Tensors;
use trainspec_kernels::update::{for_each_block, sum_of_blocks};

use super::rows::{ReadRows, Table};
use crate::error::{Error, Result};
use crate::graph::GraphParameter;
use crate::optim::{AnyOptimizer, ModelStep, Update, UpdateStep};

/// The optimizer's state before the first step: by parameter, then by name.
pub(super) fn initial_state(
    update: &Update<'_>,
    about: &[GraphParameter],
    weights: &[Vec<f32>],
) -> Vec<Vec<Vec<f32>>> {
    let optimizer = update.optimizer;
    let slots = optimizer.state_names().len();
    let of = |(about, weights): (&GraphParameter, &Vec<f32>)| {
        let slot = |slot| match optimizer.slot_length(slot, about) {
            length if length > 0 && optimizer.starts_at_weights(slot) => weights.clone(),
            length => vec![optimizer.initial(slot); length],
        };
        (0..slots).map(slot).collect()
    };
    about.iter().zip(weights).map(of).collect()
}

/// Checks that a state has equally many slots for each parameter, and none of values for one without a gradient.
pub(super) fn check_state(state: &[Vec<Vec<f32>>], gradients: Tensors<'_>) -> Result<()> {
    let slots = state.first().map_or(0, Vec::len);
    let fits = |(state, gradient): (&Vec<Vec<f32>>, &[f32])| {
        state.len() == slots && (!gradient.is_empty() || state.iter().all(Vec::is_empty))
    };
    let is_whole = state.len() == gradients.iter().len() && state.iter().zip(gradients.iter()).all(fits);
    if state.is_empty() || is_whole { Ok(()) } else { Err(OTHER) }
}

/// Checks that a state is that of this optimizer.
pub(super) fn check_lengths(
    optimizer: &dyn AnyOptimizer,
    about: &[GraphParameter],
    state: &[Vec<Vec<f32>>],
) -> Result<()> {
    let slots = optimizer.state_names().len();
    let fits = |(about, state): (&GraphParameter, &Vec<Vec<f32>>)| {
        let mut lengths = state.iter().enumerate();
        state.len() == slots
            && lengths.all(|(slot, values)| values.len() == optimizer.slot_length(slot, about))
    };
    if about.iter().zip(state).all(fits) { Ok(()) } else { Err(OTHER) }
}

const OTHER: Error = Error::Internal("the state of another optimizer");

/// Takes one step of every parameter that has gradients.
pub(super) fn apply(
    update: &Update<'_>,
    about: &[GraphParameter],
    parameters: &mut [Vec<f32>],
    gradients: Tensors<'_>,
    state: &mut [Vec<Vec<f32>>],
    rows: &ReadRows,
) {
    if let Some(rule) = update.optimizer.model_rule() {
        rule.update(ModelStep { update, about, weights: parameters, gradients, state });
        return;
    }
    if update.optimizer.is_layerwise() {
        layerwise(update, about, parameters, gradients, state);
        return;
    }
    let tables = if update.optimizer.is_sparse() { rows.tables() } else { &[] };
    // Penalties change every row.
    let is_by_rows = |table: &&Table| !update.treatments[table.parameter].has_penalties();
    for_each_block(parameters, gradients, state, |parameter, weights, gradients, state| {
        if update.holds(parameter)
            || tables.iter().filter(is_by_rows).any(|table| table.parameter == parameter)
        {
            return;
        }
        let (step, incoming) = update.of(parameter, about[parameter].role);
        update.optimizer.update_block(step, incoming, weights, gradients, state);
    });
    for table in tables.iter().filter(is_by_rows) {
        let parameter = table.parameter;
        if update.holds(parameter) {
            continue;
        }
        let (step, incoming) = update.of(parameter, about[parameter].role);
        for rows in table.runs() {
            let numbers = rows.start * table.width..rows.end * table.width;
            with_slots(&mut state[parameter], numbers.clone(), |state| {
                let weights = &mut parameters[parameter][numbers.clone()];
                let gradients = &gradients.get(parameter)[numbers.clone()];
                update.optimizer.update_block(step, incoming, weights, gradients, state);
            });
        }
    }
}

/// Calls `work` with a range of each slot of a state, without allocating for the few slots that optimizers have.
fn with_slots<R>(
    state: &mut [Vec<f32>],
    numbers: Range<usize>,
    work: impl FnOnce(&mut [&mut [f32]]) -> R,
) -> R {
    const FEW: usize = 4;
    if state.len() > FEW {
        let mut slots: Vec<_> = state.iter_mut().map(|slot| &mut slot[numbers.clone()]).collect();
        return work(&mut slots);
    }
    let mut slots: [&mut [f32]; FEW] = Default::default();
    let count = state.len();
    for (place, slot) in slots.iter_mut().zip(state) {
        *place = &mut slot[numbers.clone()];
    }
    work(&mut slots[..count])
}

/// The same for a rule that depends on norms of entire parameters: each parameter in turn is measured, then updated.
fn layerwise(
    update: &Update<'_>,
    about: &[GraphParameter],
    parameters: &mut [Vec<f32>],
    gradients: Tensors<'_>,
    state: &mut [Vec<Vec<f32>>],
) {
    let tensors = parameters.iter_mut().zip(gradients.iter()).zip(state).enumerate();
    for (parameter, ((weights, gradients), state)) in tensors {
        if gradients.is_empty() || update.holds(parameter) {
            continue;
        }
        let (step, incoming) = update.of(parameter, about[parameter].role);
        let measure = |weights: &[f32], gradients: &[f32], state: &mut [&mut [f32]]| {
            update.optimizer.measure_block(step, incoming, weights, gradients, state)
        };
        let squares =
            with_slots(state, 0..weights.len(), |state| sum_of_blocks(weights, gradients, state, &measure));
        let [weight, direction] = squares.map(f64::sqrt);
        let step = UpdateStep { trust: update.optimizer.trust(step, weight, direction), ..step };
        let one = std::slice::from_mut::<Vec<f32>>;
        for_each_block(
            one(weights),
            [gradients].as_slice(),
            std::slice::from_mut(state),
            |_, weights, gradients, state| {
                update.optimizer.update_block(step, incoming, weights, gradients, state);
            },
        );
    }
}
