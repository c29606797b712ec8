//! Builds a graph; called by the code that `#[model]` generates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::shared::{Bound, Tie, joined};
use super::{AnyLayer, Bindings, Graph, Node, Output, Value};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::layer::{Add, Affine, AsLast, Div, Layer, Mul, ParameterAxes, Reciprocal, Select, Slice, Sub};
use crate::shape::{CheckError, Shape};

/// What can be called on a value in a model: a layer, or another model.
///
/// Implemented for every [`Layer`]; `#[model]` implements it for models.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer or a model",
    label = "this cannot be called on a value"
)]
pub trait Module: Config {
    /// Adds itself to the graph.
    ///
    /// # Errors
    /// If its checks fail for these values.
    fn build(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Vec<Value>>;

    /// Whether its layers get their own paths below its path.
    const IS_MODEL: bool;
    /// The names of its inputs.
    const INPUTS: &'static [&'static str] = &[];
    /// The names of its outputs, if there are several.
    const OUTPUTS: &'static [&'static str] = &[];
    /// [`Layer::PARAMETERS`]; none for a model.
    const PARAMETERS: ParameterAxes = &[];
    /// [`Layer::AS_LAST`]; that of a model's own last layer is checked when its graph is built.
    const AS_LAST: AsLast = AsLast::Allowed;
}

impl<L: Layer> Module for L {
    const IS_MODEL: bool = false;
    const PARAMETERS: ParameterAxes = L::PARAMETERS;
    const AS_LAST: AsLast = L::AS_LAST;

    fn build(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Vec<Value>> {
        Ok(vec![scope.push(self, inputs)?])
    }
}

/// A scope of a graph under construction: the body of one model.
pub struct Scope<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) path: String,
    /// The path under which parameters are stored: that of the first call.
    pub(super) owner: String,
    /// Whether this is inside a later call of a bound layer or model, whose parameters exist.
    pub(super) repeats: bool,
    /// The parameters of the layer that is called next which other layers own.
    pub(super) ties: Vec<Tie>,
    counts: BTreeMap<&'static str, usize>,
    /// How many models this one is nested in.
    depth: usize,
}

/// How deeply models can be nested.
const MAX_DEPTH: usize = 64;

impl Graph {
    /// Builds the graph of a model for inputs of these shapes.
    ///
    /// # Errors
    /// If a check of the model fails, or two of its layers have the same path.
    pub fn of<M: Module>(model: &M, inputs: &[Shape]) -> Result<Self> {
        let mut graph = Self {
            name: M::NAME,
            nodes: Vec::new(),
            parameters: Vec::new(),
            shapes: inputs.to_vec(),
            inputs: named("input", M::INPUTS, inputs.len()),
            outputs: Vec::new(),
            bindings: Bindings::default(),
        };
        let values: Vec<_> = inputs.iter().enumerate().map(|(id, &shape)| Value { id, shape }).collect();
        (M::CHECK)(model).map_err(|problem| problem.of(M::NAME))?;
        let mut scope = Scope {
            graph: &mut graph,
            path: String::new(),
            owner: String::new(),
            repeats: false,
            ties: Vec::new(),
            counts: BTreeMap::new(),
            depth: 0,
        };
        let outputs = model.build(&mut scope, &values)?;
        let names = named("output", M::OUTPUTS, outputs.len());
        let output = |(name, value): (String, &Value)| Output { name, value: value.id };
        graph.outputs = names.into_iter().zip(&outputs).map(output).collect();
        graph.mark_outputs();
        graph.refuse_shared_paths()?;
        Ok(graph)
    }

    fn refuse_shared_paths(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        match self.nodes.iter().find(|node| !seen.insert(node.path.as_str())) {
            None => Ok(()),
            Some(node) => Err(Error::SharedPath { path: node.path.clone() }),
        }
    }
}

/// A name for each of `count` inputs or outputs: those that are declared, or else `kind` with a number.
fn named(kind: &str, declared: &[&str], count: usize) -> Vec<String> {
    let name = |place: usize| match declared.get(place) {
        Some(&name) => name.to_owned(),
        None if count == 1 => kind.to_owned(),
        None => format!("{kind}_{place}"),
    };
    (0..count).map(name).collect()
}

impl Scope<'_> {
    /// The model's inputs, as many as it declares.
    ///
    /// # Errors
    /// If the number of inputs differs, or one does not fit its kind.
    pub fn inputs<const N: usize>(&self, model: &'static str, inputs: &[Value]) -> Result<[Value; N]> {
        inputs.try_into().map_err(|_| Error::arity(model, N, inputs.len()))
    }

    /// Calls a layer or a model on values, under its call name with a number: `linear_1`, `linear_2` for
    /// layers, `block.0`, `block.1` for models.
    ///
    /// # Errors
    /// If its checks fail.
    pub fn call<M: Module>(&mut self, module: M, inputs: &[Value]) -> Result<Value> {
        self.call_tied(None, module, inputs, &[])
    }

    /// Calls a layer or a model under the name of the `let` that binds only this call.
    ///
    /// # Errors
    /// If its checks fail.
    pub fn call_named<M: Module>(&mut self, name: &str, module: M, inputs: &[Value]) -> Result<Value> {
        self.call_tied(Some(name), module, inputs, &[])
    }

    /// Calls a layer that uses parameters of other layers, under the name of its `let` if it has one.
    ///
    /// # Errors
    /// If its checks fail, or a parameter does not fit.
    pub fn call_tied<M: Module>(
        &mut self,
        name: Option<&str>,
        module: M,
        inputs: &[Value],
        ties: &[Tie],
    ) -> Result<Value> {
        let bound = self.declare(name, module, ties)?;
        self.apply(&bound, inputs)
    }

    /// The name of the next call of a layer or model without a name of its own: `linear_2`, `block.1`.
    pub(super) fn numbered<M: Module>(&mut self) -> String {
        let count = self.counts.entry(M::NAME).or_insert(0);
        *count += 1;
        if M::IS_MODEL { format!("{}.{}", M::NAME, *count - 1) } else { format!("{}_{count}", M::NAME) }
    }

    /// Builds a module in a scope of its own: its nodes are below `name`, its parameters below `owner`.
    pub(super) fn inside<M: Module>(
        &mut self,
        (name, owner): (&str, &str),
        bound: &Bound<M>,
        inputs: &[Value],
        repeats: bool,
    ) -> Result<Vec<Value>> {
        if self.depth == MAX_DEPTH {
            let problem = CheckError::new("models call each other recursively, or are nested more than ")
                .number(MAX_DEPTH);
            return Err(problem.text(" deep").of(M::NAME).into());
        }
        (M::CHECK)(&bound.module).map_err(|problem| problem.of(M::NAME))?;
        let mut scope = Scope {
            path: joined(&self.path, name),
            owner: joined(&self.owner, owner),
            repeats,
            ties: bound.ties.clone(),
            graph: self.graph,
            counts: BTreeMap::new(),
            depth: self.depth + 1,
        };
        bound.module.build(&mut scope, inputs)
    }

    /// How many layers there are so far.
    pub fn layers(&self) -> usize {
        self.graph.nodes.len()
    }

    /// Records that a `let` of this name binds more than one call, or is one of several, so that it does not name a layer. It binds
    /// the layers from `first` on.
    pub fn bound(&mut self, name: &str, first: usize) {
        let path = joined(&self.path, name);
        let nodes = self.graph.nodes.get(first..).unwrap_or_default();
        let layers =
            nodes.iter().filter(|node| !node.parameters.is_empty()).map(|node| node.owner().to_owned());
        self.graph.bindings.note(path, layers);
    }

    /// `a + b`
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn add(&mut self, a: Value, b: Value) -> Result<Value> {
        self.call(Add {}, &[a, b])
    }

    /// `a - b`
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn sub(&mut self, a: Value, b: Value) -> Result<Value> {
        self.call(Sub {}, &[a, b])
    }

    /// `a * b`
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn mul(&mut self, a: Value, b: Value) -> Result<Value> {
        self.call(Mul {}, &[a, b])
    }

    /// `a / b`
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn div(&mut self, a: Value, b: Value) -> Result<Value> {
        self.call(Div {}, &[a, b])
    }

    /// `-x`
    ///
    /// # Errors
    /// If `x` holds tokens.
    pub fn neg(&mut self, x: Value) -> Result<Value> {
        self.call(Affine { mul: -1.0, add: 0.0 }, &[x])
    }

    /// `x + number`, or `number + x`
    ///
    /// # Errors
    /// If `x` holds tokens, or `number` is not finite.
    pub fn add_number(&mut self, x: Value, number: f64) -> Result<Value> {
        self.call(Affine { mul: 1.0, add: number }, &[x])
    }

    /// `x - number`
    ///
    /// # Errors
    /// See [`Scope::add_number`].
    pub fn sub_number(&mut self, x: Value, number: f64) -> Result<Value> {
        self.call(Affine { mul: 1.0, add: -number }, &[x])
    }

    /// `number - x`
    ///
    /// # Errors
    /// See [`Scope::add_number`].
    pub fn number_sub(&mut self, x: Value, number: f64) -> Result<Value> {
        self.call(Affine { mul: -1.0, add: number }, &[x])
    }

    /// `x * number`, or `number * x`
    ///
    /// # Errors
    /// See [`Scope::add_number`].
    pub fn mul_number(&mut self, x: Value, number: f64) -> Result<Value> {
        self.call(Affine { mul: number, add: 0.0 }, &[x])
    }

    /// `x / number`
    ///
    /// # Errors
    /// See [`Scope::add_number`]; or if `number` is 0.
    pub fn div_number(&mut self, x: Value, number: f64) -> Result<Value> {
        let layer = Affine::divided_by(number).map_err(|problem| problem.of(Affine::NAME))?;
        self.call(layer, &[x])
    }

    /// `number / x`
    ///
    /// # Errors
    /// See [`Scope::add_number`].
    pub fn number_div(&mut self, x: Value, number: f64) -> Result<Value> {
        self.call(Reciprocal { numerator: number }, &[x])
    }

    /// `x[start..end]`
    ///
    /// # Errors
    /// If the range is not within the first axis.
    pub fn slice(&mut self, x: Value, start: usize, end: usize) -> Result<Value> {
        self.call(Slice { axis: 0, start, end }, &[x])
    }

    /// `x[index]`
    ///
    /// # Errors
    /// If the index is not within the first axis.
    pub fn select(&mut self, x: Value, index: usize) -> Result<Value> {
        self.call(Select { axis: 0, index }, &[x])
    }

    /// The layer that computes a value; `None` for an input.
    pub(crate) fn layer_of(&self, value: Value) -> Option<&dyn AnyLayer> {
        self.graph.nodes.iter().find(|node| node.output == value.id).map(|node| &*node.layer)
    }

    fn push<L: Layer>(&mut self, layer: &L, inputs: &[Value]) -> Result<Value> {
        let shapes: Vec<_> = inputs.iter().map(|value| value.shape).collect();
        let shape = L::OUTPUT.apply(layer, &shapes)?.bare();
        let parameters = self.parameters::<L>(layer.parameters(&shapes), &shapes)?;
        let id = self.graph.shapes.len();
        self.graph.shapes.push(shape);
        self.graph.nodes.push(Node {
            path: self.path.clone(),
            shares: (self.path != self.owner).then(|| self.owner.clone()),
            layer: Arc::new(*layer),
            inputs: inputs.iter().map(|value| value.id).collect(),
            output: id,
            parameters,
        });
        Ok(Value { id, shape })
    }
}
