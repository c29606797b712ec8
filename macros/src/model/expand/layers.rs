//! The calls of a body in the order of the source.

use quote::{ToTokens, quote};
use syn::ext::IdentExt;

use crate::literal::{Literal, tidy};
use crate::model::ast::{Call, Flow, Step, Steps};

/// One call of a layer or model.
pub(super) struct Called {
    /// The call name, as written.
    pub(super) name: String,
    /// The keys, as written, for documentation.
    pub(super) keys: String,
    /// Whether its keys need nothing but constants.
    pub(super) stands_alone: bool,
    pub(super) literal: Literal,
}

/// The literal of a call.
pub(super) fn literal(call: &Call) -> Literal {
    let (layer, turbofish) = (&call.layer, &call.turbofish);
    Literal::of_call(&quote!(#layer #turbofish), layer.span(), &call.keys)
}

/// Every call in a body.
pub(super) fn layers(body: &Steps) -> Vec<Called> {
    let mut found = Vec::new();
    in_steps(body, &mut |call| {
        if call.is_bound {
            return;
        }
        let keys = call
            .keys
            .iter()
            .map(|(key, value)| format!("`{} = {}`", key.unraw(), tidy(&value.to_token_stream())));
        let ties = call
            .ties
            .iter()
            .map(|tie| format!("`{} = {}.{}`", tie.own.unraw(), tie.layer.unraw(), tie.parameter.unraw()));
        let keys = keys.chain(ties);
        found.push(Called {
            name: call.layer.unraw().to_string(),
            keys: keys.collect::<Vec<_>>().join(", "),
            stands_alone: !call.depends,
            literal: literal(call),
        });
    });
    found
}

fn in_steps(steps: &Steps, visit: &mut impl FnMut(&Call)) {
    for step in &steps.steps {
        match step {
            Step::Let { flow, .. } | Step::Assign { flow, .. } => in_flow(flow, visit),
            Step::For { body, .. } => in_steps(body, visit),
            Step::If { then, otherwise, .. } => {
                in_steps(then, visit);
                if let Some(otherwise) = otherwise {
                    in_steps(otherwise, visit);
                }
            }
            Step::Bind { call, .. } => visit(call),
            Step::Parts { call, .. } => in_call(call, visit),
            Step::Tuple { parts } => parts.iter().for_each(|(_, flow)| in_flow(flow, visit)),
            Step::Plain(_) => {}
        }
    }
    if let Some(tail) = &steps.tail {
        in_flow(tail, visit);
    }
}

fn in_flow(flow: &Flow, visit: &mut impl FnMut(&Call)) {
    match flow {
        Flow::Name(_) => {}
        Flow::Call(last) => in_call(last, visit),
        Flow::Number { value, .. } | Flow::Negated { value, .. } | Flow::Index { value, .. } => {
            in_flow(value, visit);
        }
        Flow::Join { left, right, .. } => {
            in_flow(left, visit);
            in_flow(right, visit);
        }
        Flow::If { then, otherwise, .. } => {
            in_steps(then, visit);
            in_steps(otherwise, visit);
        }
        Flow::Block(steps) => in_steps(steps, visit),
        Flow::Tuple(flows) => flows.iter().for_each(|flow| in_flow(flow, visit)),
    }
}

/// The calls of a chain in order.
fn in_call(last: &Call, visit: &mut impl FnMut(&Call)) {
    let mut received = false;
    for call in last.chain().into_iter().rev() {
        for input in call.inputs.iter().skip(usize::from(received)) {
            in_flow(input, visit);
        }
        visit(call);
        received = true;
    }
}
