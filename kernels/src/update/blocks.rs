//! The parameters of a model in blocks, over threads.

use super::split::middle;
use crate::arena::TensorList;
use crate::slices::Slices;
use crate::threads::join;

/// Elements per block: about ten microseconds of work even where all is in its cache.
pub(super) const BLOCK: usize = 64 * 1024;

/// Runs `run` for blocks of all tensors, over threads, so that each element is in one block: with the index of
/// the tensor, and the block's weights, gradients and state.
///
/// A tensor without gradients is skipped; any other must have as many gradients as weights, and slots of its state of the
/// same length. A small model runs as one block per tensor, on the caller's thread. Nothing is allocated unless a tensor
/// has more than 8 slots.
///
/// # Panics
/// If the tensors or their lengths are not the same everywhere.
pub fn for_each_block<W, S>(
    weights: &mut [W],
    gradients: impl TensorList,
    state: &mut [Vec<S>],
    run: impl Fn(usize, &mut [f32], &[f32], &mut [&mut [f32]]) + Sync,
) where
    W: AsMut<[f32]> + Send,
    S: AsMut<[f32]> + Send,
{
    assert_eq!(gradients.count(), weights.len(), "each tensor has gradients");
    assert_eq!(state.len(), weights.len(), "each tensor has a state");
    tensors(0, weights, gradients, state, &run);
}

/// The tensors from number `first` on.
fn tensors<W, G, S, F>(first: usize, weights: &mut [W], gradients: G, state: &mut [Vec<S>], run: &F)
where
    W: AsMut<[f32]> + Send,
    G: TensorList,
    S: AsMut<[f32]> + Send,
    F: Fn(usize, &mut [f32], &[f32], &mut [&mut [f32]]) + Sync,
{
    let total = gradients.elements();
    if gradients.count() <= 1 || total <= BLOCK {
        for (index, (weights, state)) in weights.iter_mut().zip(state).enumerate() {
            let (weights, gradients) = (weights.as_mut(), gradients.tensor(index));
            if gradients.is_empty() {
                continue;
            }
            assert_eq!(gradients.len(), weights.len(), "gradients of tensor {}", first + index);
            let mut state = Slices::new(state.iter_mut().map(AsMut::as_mut));
            for slot in state.get() {
                assert_eq!(slot.len(), weights.len(), "state of tensor {}", first + index);
            }
            tensor(first + index, weights, gradients, state.get(), run);
        }
        return;
    }
    let at = middle(gradients, total);
    let (weights, other_weights) = weights.split_at_mut(at);
    let (gradients, other_gradients) = gradients.divide(at);
    let (state, other_state) = state.split_at_mut(at);
    join(
        || tensors(first, weights, gradients, state, run),
        || tensors(first + at, other_weights, other_gradients, other_state, run),
    );
}

/// A part of the tensor `number`.
fn tensor<F>(number: usize, weights: &mut [f32], gradients: &[f32], state: &mut [&mut [f32]], run: &F)
where
    F: Fn(usize, &mut [f32], &[f32], &mut [&mut [f32]]) + Sync,
{
    if weights.len() <= BLOCK {
        run(number, weights, gradients, state);
        return;
    }
    let at = weights.len().div_ceil(BLOCK) / 2 * BLOCK;
    let (weights, other_weights) = weights.split_at_mut(at);
    let (gradients, other_gradients) = gradients.split_at(at);
    let (mut state, mut other_state) = Slices::split(state, at);
    join(
        || tensor(number, weights, gradients, state.get(), run),
        || tensor(number, other_weights, other_gradients, other_state.get(), run),
    );
}

/// Runs `run` for the blocks of one tensor, over threads, with the weights, gradients and state of each.
///
/// # Panics
/// If the slices do not have the same lengths.
pub fn for_each_part(
    weights: &mut [f32],
    gradients: &[f32],
    state: &mut [&mut [f32]],
    run: &(impl Fn(&mut [f32], &[f32], &mut [&mut [f32]]) + Sync),
) {
    assert_eq!(gradients.len(), weights.len(), "gradients of a tensor");
    assert!(state.iter().all(|slot| slot.len() == weights.len()), "state of a tensor");
    tensor(
        0,
        weights,
        gradients,
        state,
        &|_, weights: &mut [f32], gradients: &[f32], state: &mut [&mut [f32]]| {
            run(weights, gradients, state);
        },
    );
}

/// The sums of the results of `measure` for the blocks of one tensor, over threads, added pairwise: so the order of a sum
/// does not depend on the threads.
pub fn sum_of_blocks(
    weights: &[f32],
    gradients: &[f32],
    state: &mut [&mut [f32]],
    measure: &(impl Fn(&[f32], &[f32], &mut [&mut [f32]]) -> [f64; 2] + Sync),
) -> [f64; 2] {
    if weights.len() <= BLOCK {
        return measure(weights, gradients, state);
    }
    let at = weights.len().div_ceil(BLOCK) / 2 * BLOCK;
    let (weights, other_weights) = weights.split_at(at);
    let (gradients, other_gradients) = gradients.split_at(at);
    let (mut state, mut other_state) = Slices::split(state, at);
    let (left, right) = join(
        || sum_of_blocks(weights, gradients, state.get(), measure),
        || sum_of_blocks(other_weights, other_gradients, other_state.get(), measure),
    );
    [left[0] + right[0], left[1] + right[1]]
}
