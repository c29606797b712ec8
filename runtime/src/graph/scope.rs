//! Builds a graph; called by the code that `#[model]` generates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Bindings, Graph, GraphParameter, Node, Value};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::layer::{Add, Layer, Mul, Sub};
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
    fn build(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Value>;

    /// Whether its layers get their own paths below its path.
    const IS_MODEL: bool;
}

impl<L: Layer> Module for L {
    const IS_MODEL: bool = false;

    fn build(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Value> {
        scope.push(self, inputs)
    }
}

/// A scope of a graph under construction: the body of one model.
pub struct Scope<'a> {
    graph: &'a mut Graph,
    path: String,
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
            inputs: inputs.len(),
            output: 0,
            bindings: Bindings::default(),
        };
        let values: Vec<_> = inputs.iter().enumerate().map(|(id, &shape)| Value { id, shape }).collect();
        (M::CHECK)(model).map_err(|problem| problem.of(M::NAME))?;
        let mut scope = Scope { graph: &mut graph, path: String::new(), counts: BTreeMap::new(), depth: 0 };
        let output = model.build(&mut scope, &values)?;
        graph.output = output.id;
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
        let count = self.counts.entry(M::NAME).or_insert(0);
        *count += 1;
        let name =
            if M::IS_MODEL { format!("{}.{}", M::NAME, *count - 1) } else { format!("{}_{count}", M::NAME) };
        self.call_named(&name, module, inputs)
    }

    /// Calls a layer or a model under the name of the `let` that binds only this call.
    ///
    /// # Errors
    /// If its checks fail.
    pub fn call_named<M: Module>(&mut self, name: &str, module: M, inputs: &[Value]) -> Result<Value> {
        if self.depth == MAX_DEPTH {
            let problem = CheckError::new("models call each other recursively, or are nested more than ")
                .number(MAX_DEPTH);
            return Err(problem.text(" deep").of(M::NAME).into());
        }
        (M::CHECK)(&module).map_err(|problem| problem.of(M::NAME))?;
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        let mut scope = Scope { graph: self.graph, path, counts: BTreeMap::new(), depth: self.depth + 1 };
        module.build(&mut scope, inputs)
    }

    /// How many layers there are so far.
    pub fn layers(&self) -> usize {
        self.graph.nodes.len()
    }

    /// Records that a `let` of this name binds more than one call, or is one of several, so that it does not name a layer. It binds
    /// the layers from `first` on.
    pub fn bound(&mut self, name: &str, first: usize) {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        let nodes = self.graph.nodes.get(first..).unwrap_or_default();
        let layers = nodes.iter().filter(|node| !node.parameters.is_empty()).map(|node| node.path.clone());
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

    /// The call name of the layer that computes a value; `None` for an input.
    pub(crate) fn layer_of(&self, value: Value) -> Option<&'static str> {
        self.graph.nodes.iter().find(|node| node.output == value.id).map(|node| node.layer.name())
    }

    fn push<L: Layer>(&mut self, layer: &L, inputs: &[Value]) -> Result<Value> {
        let shapes: Vec<_> = inputs.iter().map(|value| value.shape).collect();
        let shape = L::OUTPUT.apply(layer, &shapes)?.bare();
        let first = self.graph.parameters.len();
        for parameter in layer.parameters(&shapes) {
            self.graph.parameters.push(GraphParameter {
                path: format!("{}.{}", self.path, parameter.name),
                shape: parameter.shape,
                role: parameter.role,
                init: parameter.init,
                frozen: false,
                has_explicit_init: parameter.has_explicit_init,
                fans: parameter.fans,
                minimum: parameter.minimum,
                torch: format!("{}.{}", self.path, parameter.torch),
            });
        }
        let id = self.graph.shapes.len();
        self.graph.shapes.push(shape);
        self.graph.nodes.push(Node {
            path: self.path.clone(),
            layer: Arc::new(*layer),
            inputs: inputs.iter().map(|value| value.id).collect(),
            output: id,
            parameters: first..self.graph.parameters.len(),
        });
        Ok(Value { id, shape })
    }
}
