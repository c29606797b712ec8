//! The graph of a model.
//!
//! Nodes are layers in the order of the model's body, values have shapes, parameters have paths. The
//! code that `#[model]` generates builds it ([`Scope`]); the engines, the summary and the spec hash
//! read it.

mod parts;
mod scope;
mod shared;

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use candle_core::Tensor;

pub use parts::InParts;
pub use scope::{Module, Scope};
pub use shared::{Bound, Tie};
pub(crate) use shared::{init_of_tied, other_parameters};

use crate::config::Config;
use crate::error::Result;
pub use crate::layer::{AsLast, Bindings, GraphParameter, NodeParameter, TiedName};
use crate::layer::{Initializer, Layer, LayerKind, Parameter, Pass, Role};
use crate::op::Lowering;
use crate::shape::{Kind, Shape};

/// A value between layers. In a model's signature, a value of any shape.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// Its index among the graph's values.
    pub(crate) id: usize,
    pub(crate) shape: Shape,
}

impl Value {
    /// The value's shape for one sample.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }
}

#[diagnostic::do_not_recommend]
impl Kind for Value {
    type Element = f32;
    const NAME: &'static str = "Value";
    const SHAPE: Shape = Shape::UNKNOWN;
}

/// A model as layers, values and parameters.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The model's name.
    pub name: &'static str,
    /// The layers, each after those whose values it uses.
    pub nodes: Vec<Node>,
    /// Every parameter and running statistic, in the order of the nodes.
    pub parameters: Vec<GraphParameter>,
    /// The shapes of all values; the first are the inputs.
    pub shapes: Vec<Shape>,
    /// The names of the inputs, which are the first values.
    pub inputs: Vec<String>,
    /// The values that the model returns.
    pub outputs: Vec<Output>,
    /// Names of `let`s that do not name a layer, for messages.
    pub bindings: Bindings,
}

/// A value that a model returns.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name in logs and messages: that of the variable that the model returns; `output` if there is only one.
    pub name: String,
    /// Its index among the graph's values.
    pub value: usize,
}

/// One layer of a graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its path in the model: `block.0.linear_2`. A layer that is bound to a name and called again has the number of the
    /// call: `tower@2.linear_1`.
    pub path: String,
    /// The path of the call that owns the parameters, if this is a later call of the same layer: `tower.linear_1`.
    pub shares: Option<String>,
    /// The layer.
    pub layer: Arc<dyn AnyLayer>,
    /// Its input values.
    pub inputs: Vec<usize>,
    /// Its output value.
    pub output: usize,
    /// Its parameters, in its own order. Other layers may use them too.
    pub parameters: Vec<NodeParameter>,
}

impl Node {
    /// The path under which its parameters are stored.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.shares.as_deref().unwrap_or(&self.path)
    }

    /// The indices of its parameters, if they are adjacent and in order, as they are unless some are tied.
    pub(crate) fn range(&self) -> Option<Range<usize>> {
        let first = self.parameters.first().map_or(0, |parameter| parameter.index);
        let is_next = |(place, parameter): (usize, &NodeParameter)| parameter.index == first + place;
        self.parameters.iter().enumerate().all(is_next).then(|| first..first + self.parameters.len())
    }
}

impl Graph {
    /// The parameters of the last layer that has a matrix or kernel; empty if none has.
    #[must_use]
    pub(crate) fn last_layer(&self) -> &[NodeParameter] {
        let has_matrix =
            |node: &&Node| self.parameters_of(node).any(|parameter| parameter.role == Role::Matrix);
        self.nodes.iter().rev().find(has_matrix).map_or(&[], |node| &node.parameters)
    }

    /// Marks the parameters of the layers that compute the outputs: of each, the last ones with a matrix or kernel.
    fn mark_outputs(&mut self) {
        let mut is_wanted = vec![false; self.shapes.len()];
        for output in &self.outputs {
            is_wanted[output.value] = true;
        }
        for node in self.nodes.iter().rev() {
            if is_wanted.get(node.output) != Some(&true) {
                continue;
            }
            let has_matrix =
                node.parameters.iter().any(|own| self.parameters[own.index].role == Role::Matrix);
            if has_matrix {
                node.parameters.iter().for_each(|own| self.parameters[own.index].is_output = true);
            } else {
                node.inputs.iter().for_each(|&input| is_wanted[input] = true);
            }
        }
    }

    /// The parameters of a node, in its own order.
    pub(crate) fn parameters_of(&self, node: &Node) -> impl Iterator<Item = &GraphParameter> {
        node.parameters.iter().filter_map(|parameter| self.parameters.get(parameter.index))
    }

    /// How many nodes use each parameter.
    pub(crate) fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.parameters.len()];
        for parameter in self.nodes.iter().flat_map(|node| &node.parameters) {
            uses[parameter.index] += 1;
        }
        uses
    }

    /// The number of elements of all trained parameters.
    #[must_use]
    pub fn trained_elements(&self) -> usize {
        self.parameters.iter().filter(|p| p.is_trained()).map(|p| p.shape.elements()).sum()
    }

    /// Initializes the weights with `initializer` where a layer has no `init` of its own: the key `init` of
    /// [`train!`](crate::train!).
    #[must_use]
    pub fn with_init(mut self, initializer: Initializer) -> Self {
        self.parameters.iter_mut().for_each(|parameter| parameter.begin(initializer));
        self
    }

    /// The shapes of the inputs.
    pub(crate) fn shapes_of_inputs(&self) -> &[Shape] {
        self.shapes.get(..self.inputs.len()).unwrap_or_default()
    }

    /// The shape of an output; unknown if there is none with that index.
    pub(crate) fn shape_of_output(&self, output: usize) -> Shape {
        let value = self.outputs.get(output).map(|output| output.value);
        value.and_then(|value| self.shapes.get(value)).copied().unwrap_or(Shape::UNKNOWN)
    }

    /// Whether the model returns this value.
    pub(crate) fn returns(&self, value: usize) -> bool {
        self.outputs.iter().any(|output| output.value == value)
    }

    /// The shapes of a node's inputs.
    pub(crate) fn input_shapes(&self, node: &Node) -> Vec<Shape> {
        node.inputs.iter().filter_map(|&value| self.shapes.get(value).copied()).collect()
    }

    /// The model as canonical JSON: each layer with every key, its inputs, and its output shape; for a layer that uses the
    /// parameters of another, also which.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let node = |node: &Node| {
            let mut json = serde_json::json!({
                "path": node.path,
                "layer": node.layer.name(),
                "keys": node.layer.to_json(),
                "inputs": node.inputs,
                "output": node.output,
                "shape": self.shapes.get(node.output).map(Shape::axes),
            });
            let used: serde_json::Map<_, _> = node
                .parameters
                .iter()
                .filter_map(|own| Some((own.name, self.parameters.get(own.index)?)))
                .filter(|(name, parameter)| {
                    parameter.path.strip_prefix(&node.path).and_then(|end| end.strip_prefix('.'))
                        != Some(*name)
                })
                .map(|(name, parameter)| (name.to_owned(), parameter.path.clone().into()))
                .collect();
            // Absent where nothing is shared, so that the hash of such a model does not depend on this key.
            if let (false, Some(json)) = (used.is_empty(), json.as_object_mut()) {
                json.insert("parameters".to_owned(), used.into());
            }
            json
        };
        let nodes: Vec<_> = self.nodes.iter().map(node).collect();
        let mut json = serde_json::json!({ "name": self.name, "layers": nodes });
        match self.outputs.as_slice() {
            // As in specs from before models could have several outputs, so that their hashes stay the same.
            [output] => json["output"] = output.value.into(),
            outputs => {
                let output =
                    |output: &Output| serde_json::json!({ "name": output.name, "value": output.value });
                json["outputs"] = outputs.iter().map(output).collect();
            }
        }
        if self.inputs.len() > 1 {
            json["inputs"] = self.inputs.iter().map(String::as_str).collect();
        }
        json
    }
}

/// A layer of any type, as stored in a graph.
pub trait AnyLayer: Debug + Send + Sync {
    /// [`Config::NAME`]
    fn name(&self) -> &'static str;
    /// The layer's keys and values.
    fn to_json(&self) -> serde_json::Value;
    /// [`Layer::parameters`]
    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter>;
    /// [`Layer::flops`]
    fn flops(&self, inputs: &[Shape], output: Shape) -> u64;
    /// The smallest micro-batch that the layer can train on: [`Shape::least_batch`] of its output.
    fn least_batch(&self, inputs: &[Shape]) -> usize;
    /// [`Layer::reads_rows`]
    fn reads_rows(&self) -> bool;
    /// [`Layer::statistics_update`]
    fn statistics_update(&self) -> Option<f64>;
    /// [`Layer::kind`]
    fn kind(&self) -> LayerKind;
    /// [`Layer::AS_LAST`]
    fn as_last(&self) -> AsLast;
    /// [`Layer::lowering`]
    fn lowering(&self, inputs: &[Shape]) -> Lowering;
    /// [`Layer::forward`]
    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor>;
}

impl<L: Layer> AnyLayer for L {
    fn name(&self) -> &'static str {
        <L as Config>::NAME
    }

    fn to_json(&self) -> serde_json::Value {
        // Keys are numbers, strings and lists of them, which JSON can always represent.
        serde_json::to_value(self).unwrap_or(serde_json::Value::Null)
    }

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        Layer::parameters(self, inputs)
    }

    fn flops(&self, inputs: &[Shape], output: Shape) -> u64 {
        Layer::flops(self, inputs, output)
    }

    fn least_batch(&self, inputs: &[Shape]) -> usize {
        L::OUTPUT.apply(self, inputs).map_or(1, Shape::least_batch)
    }

    fn reads_rows(&self) -> bool {
        Layer::reads_rows(self)
    }

    fn as_last(&self) -> AsLast {
        L::AS_LAST
    }

    fn statistics_update(&self) -> Option<f64> {
        Layer::statistics_update(self)
    }

    fn kind(&self) -> LayerKind {
        Layer::kind(self)
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        Layer::lowering(self, inputs)
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        Layer::forward(self, inputs, pass)
    }
}
