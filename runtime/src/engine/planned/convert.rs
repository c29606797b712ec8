//! Conversions around a step whose values pass between kernels in 16 bits.

use trainspec_kernels::arena::{Arena, as_halves, as_halves_ref};
use trainspec_kernels::half::{self, Format, Half, bf16, f16};

use super::run::Inputs;
use crate::graph::Graph;
use crate::layer::NodeParameter;
use crate::plan::{Load, Moves, Plan, Store};

/// Prepares the working copies of a step. `inputs` are those of the batch.
pub(super) fn load(plan: &Plan, format: Format, moves: &Moves, arena: &mut Arena, inputs: Inputs<'_>) {
    for load in &moves.loads {
        match *load {
            Load::Input { input, to } => {
                half::rounded(format, inputs.of(input).floats(), arena.write(plan.span(Some(to))));
            }
            Load::Packed { from, to, values } => {
                let ([from], [to]) = arena.lend([plan.span(Some(from))], [plan.span(Some(to))]);
                let (packed, others) = from.split_at(values.div_ceil(2));
                let (reals, rest) = to.split_at_mut(values);
                match format {
                    Format::Bf16 => half::unpack::<bf16>(&as_halves_ref(packed)[..values], reals),
                    Format::F16 => half::unpack::<f16>(&as_halves_ref(packed)[..values], reals),
                }
                rest.copy_from_slice(others);
            }
        }
    }
}

/// Rounds and stores what a step wrote.
pub(super) fn store(plan: &Plan, format: Format, moves: &Moves, arena: &mut Arena) {
    for store in &moves.stores {
        match *store {
            Store::Round { buffer, values } => {
                half::round(format, &mut arena.write(plan.span(Some(buffer)))[..values]);
            }
            Store::Pack { from, to, values, rounds } => {
                let ([], [from, to]) = arena.lend([], [plan.span(Some(from)), plan.span(Some(to))]);
                let (packed, others) = to.split_at_mut(values.div_ceil(2));
                let (reals, rest) = from.split_at_mut(values);
                match format {
                    Format::Bf16 => pack::<bf16>(reals, packed, rounds),
                    Format::F16 => pack::<f16>(reals, packed, rounds),
                }
                others.copy_from_slice(rest);
            }
        }
    }
}

/// Stores values in 16 bits, and rounds them in place too if they are read later.
fn pack<H: Half>(reals: &mut [f32], packed: &mut [f32], rounds: bool) {
    let packed = &mut as_halves::<H>(packed)[..reals.len()];
    if rounds {
        half::pack_and_round(reals, packed);
    } else {
        half::pack(reals, packed);
    }
}

/// Rounded weights of one layer at a time, sized for the largest parameter at each parameter index.
#[derive(Default)]
pub(super) struct Weights(Vec<Vec<f32>>);

impl Weights {
    /// Allocates memory for the largest layer of a graph, so that a step allocates nothing.
    pub(super) fn of(graph: &Graph) -> Self {
        let mut weights: Vec<Vec<f32>> = Vec::new();
        for node in &graph.nodes {
            for (place, parameter) in graph.parameters_of(node).enumerate() {
                if weights.len() <= place {
                    weights.push(Vec::new());
                }
                if parameter.is_rounded {
                    weights[place].reserve_exact(parameter.shape.elements());
                }
            }
        }
        Self(weights)
    }

    /// Replaces the weights of a layer, whose parameters are `own`, by rounded weights.
    /// [`Weights::swap`] restores them.
    pub(super) fn round(
        &mut self,
        format: Format,
        graph: &Graph,
        own: &[NodeParameter],
        parameters: &mut [Vec<f32>],
    ) {
        for (rounded, &NodeParameter { index, .. }) in self.0.iter_mut().zip(own) {
            if graph.parameters[index].is_rounded {
                rounded.resize(parameters[index].len(), 0.0);
                half::rounded(format, &parameters[index], rounded);
            }
        }
        self.swap(graph, own, parameters);
    }

    /// Swaps a layer's weights with the stored ones.
    pub(super) fn swap(&mut self, graph: &Graph, own: &[NodeParameter], parameters: &mut [Vec<f32>]) {
        for (rounded, &NodeParameter { index, .. }) in self.0.iter_mut().zip(own) {
            if graph.parameters[index].is_rounded {
                std::mem::swap(rounded, &mut parameters[index]);
            }
        }
    }
}
