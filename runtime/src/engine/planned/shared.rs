//! Parameters that several layers use, in a planned step.
//!
//! Kernels take the parameters of a layer as adjacent slices. Those of a layer that uses some of another's are not adjacent:
//! they are moved together for its step. Layers that share a parameter add to its gradient, from the last call to the first.

use std::collections::BTreeMap;

use trainspec_kernels::arena::TensorArena;

use crate::error::Result;
use crate::graph::{Graph, Node};
use crate::layer::Role;
use crate::op::Parameters;

/// What several layers of a graph share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// For each node, whether it uses a parameter that another node uses too; empty if none does.
    nodes: Vec<bool>,
    /// The parameters of these nodes.
    parameters: Vec<usize>,
    /// Copies of the parameters that are not adjacent, by the path of the node: for passes that only read them.
    copies: BTreeMap<String, Vec<Vec<f32>>>,
}

impl Shared {
    pub(super) fn of(graph: &Graph) -> Self {
        let uses = graph.uses();
        if uses.iter().all(|&uses| uses < 2) {
            return Self::default();
        }
        let shares = |node: &Node| node.parameters.iter().any(|own| uses[own.index] > 1);
        let nodes: Vec<bool> = graph.nodes.iter().map(shares).collect();
        let sharing = graph.nodes.iter().zip(&nodes).filter(|(_, shares)| **shares);
        let mut parameters: Vec<usize> =
            sharing.flat_map(|(node, _)| node.parameters.iter().map(|own| own.index)).collect();
        parameters.sort_unstable();
        parameters.dedup();
        Self { nodes, parameters, copies: BTreeMap::new() }
    }

    /// The same, for any number of passes that read `all` at the same time.
    pub(super) fn with_copies(graph: &Graph, all: &[Vec<f32>]) -> Self {
        let apart = graph.nodes.iter().filter(|node| node.range().is_none());
        let copies = apart.map(|node| {
            (node.path.clone(), node.parameters.iter().map(|own| all[own.index].clone()).collect())
        });
        Self { copies: copies.collect(), ..Self::of(graph) }
    }

    /// The copies of a node's parameters.
    pub(super) fn copies_of(&self, node: &Node) -> &[Vec<f32>] {
        self.copies.get(&node.path).map_or(&[], Vec::as_slice)
    }

    /// Whether the node with this index adds to the gradients of its parameters, also in the first micro-batch of a window.
    pub(super) fn accumulates(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|shares| *shares)
    }

    /// Starts the sums of these gradients.
    pub(super) fn clear(&self, gradients: &mut TensorArena) {
        for &parameter in &self.parameters {
            gradients.get_mut(parameter).fill(0.0);
        }
    }
}

/// Where the parameters of a layer are moved for its step if they are not adjacent. Only vectors are moved, not
/// their elements.
#[derive(Debug, Default)]
pub(super) struct Staged(Vec<Vec<f32>>);

impl Staged {
    /// Calls `work` with the parameters of a node.
    pub(super) fn with_parameters(
        &mut self,
        node: &Node,
        all: &mut Parameters<'_>,
        shared: &Shared,
        work: impl FnOnce(Parameters<'_>) -> Result<()>,
    ) -> Result<()> {
        if let Some(range) = node.range() {
            return work(all.range(range));
        }
        match all {
            Parameters::Shared(_) => work(Parameters::Shared(shared.copies_of(node))),
            Parameters::Exclusive(all) => {
                exchange(node, &mut self.0, all);
                let done = work(Parameters::Exclusive(&mut self.0));
                exchange(node, &mut self.0, all);
                done
            }
        }
    }

    /// Calls `work` with the parameters of a node, to read in a backward pass.
    pub(super) fn with_read(
        &mut self,
        node: &Node,
        all: &mut Parameters<'_>,
        work: impl FnOnce(&[Vec<f32>]),
    ) {
        if let Some(range) = node.range() {
            return work(&all[range]);
        }
        // Only training has a backward pass.
        let Some(all) = all.exclusive() else { return };
        exchange(node, &mut self.0, all);
        work(&self.0);
        exchange(node, &mut self.0, all);
    }
}

/// Puts scratch memory in the place of the missing gradients of a node's frozen parameters.
pub(super) fn lend_unread<'a>(
    graph: &Graph,
    node: &Node,
    gradients: &mut [&'a mut [f32]],
    unread: &'a mut Vec<Vec<f32>>,
) {
    unread.resize_with(unread.len().max(gradients.len()), Vec::new);
    let parameters = graph.parameters_of(node).zip(gradients).zip(unread);
    for ((parameter, gradient), unread) in parameters {
        if parameter.frozen && parameter.role != Role::Statistic {
            let length = parameter.shape.elements();
            unread.resize(length.max(unread.len()), 0.0);
            *gradient = &mut unread[..length];
        }
    }
}

/// Swaps the vectors of a node with those of `staged`, which has as many afterwards.
fn exchange(node: &Node, staged: &mut Vec<Vec<f32>>, all: &mut [Vec<f32>]) {
    staged.resize_with(node.parameters.len(), Vec::new);
    for (own, staged) in node.parameters.iter().zip(staged) {
        std::mem::swap(&mut all[own.index], staged);
    }
}
