//! From layers to groups: which layers are computed in one pass.
//!
//! An activation, a dropout or a sum that follows a kernel becomes part of the kernel's *epilogue*,
//! `y = then(residual + dropout(activation(pre)))`, so that its values do not pass through memory once more.
//! A layer that only changes the shape costs nothing.

use std::sync::Arc;

use trainspec_kernels::epilogue::{Activation, Dropout, Epilogue, Saved};

use crate::graph::{Graph, Node};
use crate::op::{EpilogueSupport, Kernel, Lowering, SavedForBackward};
use crate::rng::{Purpose, StepIndex, Stream};

/// How a group is computed.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// A kernel.
    Kernel(Arc<dyn Kernel>),
    /// Only the epilogue, applied to the group's only input.
    Epilogue,
    /// The layer's reference implementation.
    Fallback,
}

/// A group of layers that are computed in one pass.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The layer that provides the group's kernel, parameters and name.
    pub(crate) node: usize,
    pub(crate) work: Work,
    /// The inputs of the kernel.
    pub(crate) inputs: Vec<usize>,
    pub(crate) joined: Joined,
    /// The residual.
    pub(crate) residual: Option<usize>,
    /// The output of the group.
    pub(crate) output: usize,
    /// The random stream of the kernel's own dropout.
    pub(crate) stream: Stream,
}

/// The layers fused into a kernel: an epilogue that is not yet scheduled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined {
    activation: Activation,
    dropout: Option<(Stream, f64, usize)>,
    then: Activation,
}

impl Joined {
    const NOTHING: Self =
        Self { activation: Activation::Identity, dropout: None, then: Activation::Identity };

    /// The epilogue at a step and micro-batch.
    pub(crate) fn at<'a>(&self, moment: StepIndex, residual: Option<&'a [f32]>) -> Epilogue<'a> {
        let dropout =
            |(stream, p, each): (Stream, f64, usize)| -> Dropout { stream.dropout_of_runs(p, each, moment) };
        Epilogue {
            activation: self.activation,
            dropout: self.dropout.map(dropout),
            residual,
            then: self.then,
        }
    }

    /// What differentiating it needs.
    pub(crate) fn saved(&self, has_residual: bool) -> Saved {
        self.undoing(StepIndex::default(), has_residual).saved()
    }

    /// The epilogue for a backward pass, which only needs to know whether there was a residual.
    pub(crate) fn undoing(&self, moment: StepIndex, has_residual: bool) -> Epilogue<'static> {
        self.at(moment, has_residual.then_some(&[]))
    }

    /// Whether nothing is applied between the kernel's value and the residual.
    pub(crate) fn is_plain(&self) -> bool {
        self.activation == Activation::Identity && self.dropout.is_none()
    }

    /// Whether something is applied after the residual.
    pub(crate) fn has_then(&self) -> bool {
        self.then != Activation::Identity
    }
}

impl Group {
    /// What differentiating its epilogue needs.
    pub(crate) fn saved(&self) -> Saved {
        self.joined.saved(self.residual.is_some())
    }

    pub(crate) fn epilogue_support(&self) -> EpilogueSupport {
        match &self.work {
            // It reads its own output, which an epilogue that it does not differentiate would change.
            Work::Kernel(kernel)
                if kernel.epilogue_support() == EpilogueSupport::Forward && kernel.reads().output =>
            {
                EpilogueSupport::Nothing
            }
            Work::Kernel(kernel) => kernel.epilogue_support(),
            Work::Epilogue => EpilogueSupport::Forward,
            Work::Fallback => EpilogueSupport::Nothing,
        }
    }

    pub(crate) fn reads(&self) -> SavedForBackward {
        match &self.work {
            Work::Kernel(kernel) => kernel.reads(),
            // A fallback keeps what it needs itself.
            Work::Epilogue | Work::Fallback => SavedForBackward::NOTHING,
        }
    }

    /// Whether a kernel would have to keep the value before its epilogue for backward.
    pub(super) fn keeps_pre(&self) -> bool {
        matches!(self.work, Work::Kernel(_))
            && self.epilogue_support() == EpilogueSupport::Forward
            && self.saved() == Saved::Input
    }

    /// Applies `take`, unless values are rounded and the kernel would then keep the value before its epilogue: that would be
    /// rounded for backward and not for forward. As a separate group, the epilogue sees the same values both times.
    fn if_alike(&mut self, rounds: bool, take: impl FnOnce(&mut Self) -> bool) -> bool {
        let before = (self.joined, self.residual, self.output);
        if !take(self) {
            return false;
        }
        if rounds && self.keeps_pre() {
            (self.joined, self.residual, self.output) = before;
            return false;
        }
        true
    }

    /// Takes `form` into the epilogue, if there is still room for it.
    fn take(&mut self, form: &Lowering, stream: Stream, output: usize) -> bool {
        if self.epilogue_support() == EpilogueSupport::Nothing {
            return false;
        }
        let has_residual = self.residual.is_some();
        match *form {
            Lowering::Activation(activation) if self.joined.is_plain() && !has_residual => {
                self.joined.activation = activation;
            }
            Lowering::Activation(Activation::Relu) if has_residual && !self.joined.has_then() => {
                self.joined.then = Activation::Relu;
            }
            Lowering::Dropout { p, each } if self.joined.dropout.is_none() && !has_residual => {
                self.joined.dropout = Some((stream, p, each));
            }
            _ => return false,
        }
        self.output = output;
        true
    }

    /// Takes a residual into the epilogue, if there is still room for it.
    fn take_residual(&mut self, residual: usize, output: usize) -> bool {
        if self.epilogue_support() == EpilogueSupport::Nothing || self.residual.is_some() {
            return false;
        }
        (self.residual, self.output) = (Some(residual), output);
        true
    }
}

/// A graph as groups in execution order.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    pub(crate) list: Vec<Group>,
    /// For each value of the graph, the value that it is a view of.
    pub(crate) roots: Vec<usize>,
}

impl Groups {
    /// The groups of a graph. Rounding values between groups affects what is fused.
    pub(crate) fn of(graph: &Graph, seed: u64, training: bool, rounds: bool) -> Self {
        Builder::new(graph, seed, training, rounds).build()
    }
}

struct Builder<'a> {
    graph: &'a Graph,
    seed: u64,
    rounds: bool,
    forms: Vec<Lowering>,
    roots: Vec<usize>,
    /// The number of consumers of a value.
    uses: Vec<usize>,
    /// The group that computes a value.
    makers: Vec<Option<usize>>,
    list: Vec<Group>,
}

impl<'a> Builder<'a> {
    fn new(graph: &'a Graph, seed: u64, training: bool, rounds: bool) -> Self {
        let form = |node: &Node| {
            let inputs = graph.input_shapes(node);
            let keeps_size =
                inputs.iter().all(|input| input.elements() == graph.shapes[node.output].elements());
            match node.layer.lowering(&inputs) {
                Lowering::Kernel(kernel) => Lowering::Kernel(kernel),
                // The other forms preserve the number of elements.
                _ if !keeps_size => Lowering::Fallback,
                Lowering::Dropout { p, .. } if !training || p == 0.0 => Lowering::Alias,
                form => form,
            }
        };
        let forms: Vec<Lowering> = graph.nodes.iter().map(form).collect();
        let mut roots: Vec<usize> = (0..graph.shapes.len()).collect();
        let mut uses = vec![0; graph.shapes.len()];
        for (node, form) in graph.nodes.iter().zip(&forms) {
            match (form, node.inputs.as_slice()) {
                (Lowering::Alias, &[input]) => roots[node.output] = roots[input],
                (_, inputs) => inputs.iter().for_each(|&input| uses[roots[input]] += 1),
            }
        }
        graph.outputs.iter().for_each(|output| uses[roots[output.value]] += 1);
        let makers = vec![None; graph.shapes.len()];
        Self { graph, seed, rounds, forms, roots, uses, makers, list: Vec::new() }
    }

    fn build(mut self) -> Groups {
        let graph = self.graph;
        for (place, node) in graph.nodes.iter().enumerate() {
            let form = self.forms[place].clone();
            let inputs: Vec<usize> = node.inputs.iter().map(|&input| self.roots[input]).collect();
            match (&form, inputs.as_slice()) {
                (Lowering::Alias, &[_]) => {}
                (Lowering::Activation(_) | Lowering::Dropout { .. }, &[input]) => {
                    self.join(place, &form, input);
                }
                (Lowering::Add, &[a, b]) => self.add(place, a, b),
                (Lowering::Kernel(kernel), _) => {
                    self.begin(place, Work::Kernel(Arc::clone(kernel)), inputs);
                }
                _ => {
                    self.begin(place, Work::Fallback, inputs);
                }
            }
        }
        Groups { list: self.list, roots: self.roots }
    }

    fn stream(&self, node: &Node) -> Stream {
        Stream::new(self.seed, Purpose::Dropout, &node.path)
    }

    fn begin(&mut self, place: usize, work: Work, inputs: Vec<usize>) -> usize {
        let node = &self.graph.nodes[place];
        self.makers[node.output] = Some(self.list.len());
        self.list.push(Group {
            node: place,
            work,
            inputs,
            joined: Joined::NOTHING,
            residual: None,
            output: node.output,
            stream: self.stream(node),
        });
        self.list.len() - 1
    }

    /// The group that computes `value`, if it has a single consumer.
    fn sole_maker(&self, value: usize) -> Option<usize> {
        self.makers[value].filter(|_| self.uses[value] == 1)
    }

    fn join(&mut self, place: usize, form: &Lowering, input: usize) {
        let (stream, output) = (self.stream(&self.graph.nodes[place]), self.graph.nodes[place].output);
        if let Some(maker) = self.sole_maker(input)
            && self.list[maker].if_alike(self.rounds, |group| group.take(form, stream, output))
        {
            self.makers[output] = Some(maker);
            return;
        }
        let group = self.begin(place, Work::Epilogue, vec![input]);
        // An empty epilogue accepts any first operation.
        self.list[group].take(form, stream, output);
    }

    fn add(&mut self, place: usize, a: usize, b: usize) {
        let output = self.graph.nodes[place].output;
        // The other value is ready when the later group runs.
        let (early, late) = if self.makers[a] > self.makers[b] { (b, a) } else { (a, b) };
        if let Some(maker) = self.sole_maker(late)
            && early != late
            && self.list[maker].if_alike(self.rounds, |group| group.take_residual(early, output))
        {
            self.makers[output] = Some(maker);
            return;
        }
        let group = self.begin(place, Work::Epilogue, vec![late]);
        self.list[group].take_residual(early, output);
    }
}

impl Groups {
    /// Whether any group runs as a fallback.
    pub(crate) fn has_fallbacks(&self) -> bool {
        self.list.iter().any(|group| matches!(group.work, Work::Fallback))
    }
}
