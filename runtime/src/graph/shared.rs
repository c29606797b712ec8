//! Layers and models that are bound to a name and called several times, and parameters that a layer takes from another.

use std::cell::Cell;

use super::scope::{Module, Scope};
use super::{GraphParameter, NodeParameter, TiedName, Value};
use crate::error::{Error, Result};
use crate::layer::{Layer, Parameter};
use crate::shape::{CheckError, Shape};

/// A layer or model that is bound to a name: `let tower = tower(width = 32);`. All of its calls use the parameters of
/// the first one.
#[derive(Clone, Debug)]
pub struct Bound<M> {
    pub(super) module: M,
    /// Its path in the scope.
    pub(super) name: String,
    pub(super) ties: Vec<Tie>,
    calls: Cell<usize>,
}

impl<M> Bound<M> {
    /// The layer or model.
    pub fn module(&self) -> &M {
        &self.module
    }

    /// How often it was called so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.get()
    }
}

/// A parameter that a layer takes from another: `weight = embed.weight`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The name of the layer's own parameter.
    name: &'static str,
    /// The path of the other one.
    path: String,
}

impl Scope<'_> {
    /// Binds a layer or a model to a name without calling it. Without a name it is numbered like a call.
    ///
    /// # Errors
    /// If a model takes a parameter of another layer, which only a layer can.
    pub fn declare<M: Module>(&mut self, name: Option<&str>, module: M, ties: &[Tie]) -> Result<Bound<M>> {
        if let (true, Some(tie)) = (M::IS_MODEL, ties.first()) {
            let problem = CheckError::new(M::NAME).text(": `").text(tie.name);
            let problem =
                problem.text("` is taken from a layer; only a layer can take a parameter, not a model");
            return Err(problem.into());
        }
        let name = name.map_or_else(|| self.numbered::<M>(), str::to_owned);
        Ok(Bound { module, name, ties: ties.to_vec(), calls: Cell::new(0) })
    }

    /// Calls a bound layer or model on values.
    ///
    /// # Errors
    /// If its checks fail, its parameters do not fit these values, or it does not return one value.
    pub fn apply<M: Module>(&mut self, bound: &Bound<M>, inputs: &[Value]) -> Result<Value> {
        let [output] = self.apply_all(bound, inputs)?;
        Ok(output)
    }

    /// Calls a bound layer or model that returns `N` values.
    ///
    /// # Errors
    /// As [`Scope::apply`].
    pub fn apply_all<M: Module, const N: usize>(
        &mut self,
        bound: &Bound<M>,
        inputs: &[Value],
    ) -> Result<[Value; N]> {
        let call = bound.calls.get() + 1;
        bound.calls.set(call);
        let name = if call == 1 { bound.name.clone() } else { format!("{}@{call}", bound.name) };
        let outputs = self.inside((&name, &bound.name), bound, inputs, self.repeats || call > 1)?;
        <[Value; N]>::try_from(outputs).map_err(|outputs| Error::outputs(M::NAME, N, outputs.len()))
    }

    /// Makes the parameter `name` of a layer that of the bound layer `of`, called `parameter` there.
    pub fn tie<M>(&self, name: &'static str, of: &Bound<M>, parameter: &str) -> Tie {
        Tie { name, path: joined(&joined(&self.owner, &of.name), parameter) }
    }

    /// The parameters of a layer: those of its first call, those that it takes from other layers, or new ones.
    pub(super) fn parameters<L: Layer>(
        &mut self,
        declared: Vec<Parameter>,
        inputs: &[Shape],
    ) -> Result<Vec<NodeParameter>> {
        if self.repeats
            && let Some(first) = self.graph.nodes.iter().find(|node| node.owner() == self.owner)
        {
            let all = &self.graph.parameters;
            let is_same = |(own, parameter): (&NodeParameter, &Parameter)| {
                own.name == parameter.name && all[own.index].shape == parameter.shape
            };
            if first.parameters.len() == declared.len() && first.parameters.iter().zip(&declared).all(is_same)
            {
                return Ok(first.parameters.clone());
            }
            let before = self.graph.input_shapes(first).first().copied().unwrap_or(Shape::UNKNOWN);
            let now = inputs.first().copied().unwrap_or(Shape::UNKNOWN);
            return Err(other_parameters(&self.owner, before, now).of(L::NAME).into());
        }
        let ties = std::mem::take(&mut self.ties);
        if let Some(tie) = ties.iter().find(|tie| declared.iter().all(|parameter| parameter.name != tie.name))
        {
            return Err(CheckError::new("it has no parameter `").text(tie.name).text("`").of(L::NAME).into());
        }
        let is_tied = |parameter: &Parameter| ties.iter().any(|tie| tie.name == parameter.name);
        let with_init: Vec<_> = declared.iter().filter(|parameter| parameter.has_explicit_init).collect();
        if let (Some(first), true) = (with_init.first(), with_init.iter().all(|parameter| is_tied(parameter)))
        {
            return Err(init_of_tied(first.name).of(L::NAME).into());
        }
        let mut own: Vec<NodeParameter> = Vec::with_capacity(declared.len());
        for parameter in declared {
            let index = match ties.iter().find(|tie| tie.name == parameter.name) {
                Some(tie) => self.tied(tie, &parameter).map_err(|problem| problem.of(L::NAME))?,
                None => self.create(&parameter),
            };
            if own.iter().any(|other| other.index == index) {
                let problem = CheckError::new("two of its parameters are `");
                return Err(problem.text(&self.graph.parameters[index].path).text("`").of(L::NAME).into());
            }
            own.push(NodeParameter { name: parameter.name, index });
        }
        Ok(own)
    }

    fn create(&mut self, parameter: &Parameter) -> usize {
        self.graph.parameters.push(GraphParameter {
            path: joined(&self.owner, parameter.name),
            shape: parameter.shape,
            role: parameter.role,
            init: parameter.init,
            frozen: false,
            has_explicit_init: parameter.has_explicit_init,
            minimum: parameter.minimum,
            outputs: parameter.outputs,
            zero_row: parameter.zero_row,
            is_output: false,
            torch: joined(&self.owner, parameter.torch),
            tied: Vec::new(),
            is_rounded: parameter.role.is_rounded(),
        });
        self.graph.parameters.len() - 1
    }

    /// The index of the parameter that another layer owns.
    fn tied(&mut self, tie: &Tie, parameter: &Parameter) -> std::result::Result<usize, CheckError> {
        let Some(index) = self.graph.parameters.iter().position(|other| other.path == tie.path) else {
            return Err(CheckError::new("there is no parameter `")
                .text(&tie.path)
                .text("` yet; a layer has its parameters from its first call on"));
        };
        let other = &mut self.graph.parameters[index];
        if other.shape != parameter.shape {
            return Err(CheckError::new(parameter.name)
                .text(" is ")
                .shape(parameter.shape)
                .text(", but `")
                .text(&tie.path)
                .text("` is ")
                .shape(other.shape));
        }
        other.is_rounded |= parameter.role.is_rounded();
        other.tied.push(TiedName {
            path: joined(&self.owner, parameter.name),
            torch: joined(&self.owner, parameter.torch),
        });
        Ok(index)
    }
}

/// The error of a later call whose input needs other parameters than the first.
pub(crate) const fn other_parameters(name: &str, before: Shape, now: Shape) -> CheckError {
    CheckError::new("`")
        .text(name)
        .text("` has the parameters of its first call, on ")
        .shape(before)
        .text(", which do not fit ")
        .shape(now)
}

/// The error of an initializer of a parameter that is taken from another layer.
pub(crate) const fn init_of_tied(own: &str) -> CheckError {
    CheckError::new("`init` has no effect, since `")
        .text(own)
        .text("` is that of another layer; remove `init`, or set it on that layer")
}

/// A path below another.
pub(super) fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
