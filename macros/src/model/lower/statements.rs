//! Statements: what a step of the model may be.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Block, Expr, ExprCall, ExprIf, Ident, Local, Pat, PatIdent, PatTuple, Stmt};

use super::advice::{advice, assigned, forms};
use super::names::as_name;
use super::{Lowering, Meaning};
use crate::model::ast::{Call, Flow, Part, Step, Steps};
use crate::syntax::peeled;

impl Lowering<'_> {
    pub(super) fn steps(&mut self, block: &Block) -> Steps {
        self.scopes.push(HashMap::new());
        let mut steps = Vec::new();
        let mut tail = None;
        for (place, statement) in block.stmts.iter().enumerate() {
            let is_last = place + 1 == block.stmts.len();
            match statement {
                Stmt::Local(local) => steps.extend(self.local(local)),
                Stmt::Item(syn::Item::Const(constant)) => {
                    self.bind(&constant.ident, Meaning::Configuration);
                    steps.push(Step::Plain(statement.clone()));
                }
                Stmt::Item(syn::Item::Use(_)) => steps.push(Step::Plain(statement.clone())),
                // An empty statement.
                Stmt::Expr(Expr::Verbatim(nothing), Some(_)) if nothing.is_empty() => {}
                Stmt::Expr(Expr::Tuple(outputs), None) if is_last && self.is_body() => {
                    let flows: Vec<_> = outputs.elems.iter().map(|output| self.flow(output)).collect();
                    tail = flows.into_iter().collect::<Option<_>>().map(Flow::Tuple);
                }
                Stmt::Expr(expression, None) if is_last && self.is_flow(expression) => {
                    tail = self.flow(expression);
                }
                Stmt::Expr(expression, semicolon) => {
                    steps.extend(self.statement(expression, semicolon.is_some(), is_last));
                }
                Stmt::Item(_) | Stmt::Macro(_) => {
                    self.error(statement, forms());
                }
            }
        }
        self.scopes.pop();
        Steps { steps, tail }
    }

    /// Whether the statements are those of the model's body itself: within the scopes of its signature and of the body.
    fn is_body(&self) -> bool {
        self.scopes.len() == 2
    }

    fn local(&mut self, local: &Local) -> Option<Step> {
        if let (Pat::Ident(pattern), Some(init)) = (&local.pat, &local.init)
            && let Expr::Call(call) = peeled(&init.expr)
            && self.is_declaration(&pattern.ident, call)
        {
            return self.binds(local, pattern, call);
        }
        let is_made_of_values = local
            .init
            .as_ref()
            .is_some_and(|init| self.is_flow(&init.expr) || self.mentions_value(&init.expr));
        let (Some(init), true) = (&local.init, is_made_of_values) else {
            if let Some(unknown) = local.init.as_ref().and_then(|init| self.unknown_receiver(&init.expr)) {
                self.error(&unknown, format!("there is no value `{unknown}` in this model"));
                self.bind_all(&local.pat, Meaning::Value { mutable: true });
                return None;
            }
            self.bind_all(&local.pat, Meaning::Configuration);
            return Some(Step::Plain(Stmt::Local(local.clone())));
        };
        self.refuse_attributes(&local.attrs);
        if let (Pat::Tuple(pattern), Expr::Tuple(values)) = (&local.pat, peeled(&init.expr))
            && init.diverge.is_none()
        {
            return self.tuple(pattern, values);
        }
        let flow = self.flow(&init.expr);
        if let Some((word, otherwise)) = &init.diverge {
            let tokens = [word.to_token_stream(), otherwise.to_token_stream()];
            self.error(
                tokens.into_iter().collect::<TokenStream>(),
                "a layer always returns a value; remove the `else`",
            );
        }
        if let Pat::Tuple(pattern) = &local.pat
            && !matches!(flow, Some(Flow::Name(_)))
        {
            return self.parts(pattern, flow);
        }
        let Pat::Ident(pattern) = &local.pat else {
            let message = match &local.pat {
                Pat::Type(_) => "the type of a value is inferred; remove it: `let name = …;`",
                _ => "expected a name, as in `let name = …;`, or names, as in `let (a, b) = …;`",
            };
            self.error(&local.pat, message);
            self.bind_all(&local.pat, Meaning::Value { mutable: true });
            return None;
        };
        self.refuse_more_than_name(pattern);
        self.bind(&pattern.ident, Meaning::Value { mutable: pattern.mutability.is_some() });
        let mut flow = flow?;
        if let Flow::Call(call) = &mut flow {
            self.name_layer(&pattern.ident, call);
        }
        Some(Step::Let { mutable: pattern.mutability, name: pattern.ident.clone(), flow })
    }

    /// `let (a, b) = value.layer(…);`
    fn parts(&mut self, pattern: &PatTuple, flow: Option<Flow>) -> Option<Step> {
        let names = self.names(pattern);
        match flow? {
            Flow::Call(call) => Some(Step::Parts { names, call: *call }),
            _ => {
                self.error(pattern, "only a call returns several values, as in `let (a, b) = x.chunk();`");
                None
            }
        }
    }

    /// `let (a, b) = (flow, flow);`
    fn tuple(&mut self, pattern: &PatTuple, values: &syn::ExprTuple) -> Option<Step> {
        let flows: Vec<_> = values.elems.iter().map(|value| self.flow(value)).collect();
        let names = self.names(pattern);
        if names.len() != flows.len() {
            let count =
                |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
            let (names, values) = (count(pattern.elems.len(), "name"), count(flows.len(), "value"));
            self.error(pattern, format!("there are {names} for {values}; give each value a name, or `_`"));
            return None;
        }
        let flows: Vec<Flow> = flows.into_iter().collect::<Option<_>>()?;
        let mut parts: Vec<_> = names.into_iter().zip(flows).collect();
        for (name, flow) in &mut parts {
            if let (Some((_, name)), Flow::Call(call)) = (name, flow) {
                self.name_layer(name, call);
            }
        }
        Some(Step::Tuple { parts })
    }

    /// The names of a tuple pattern, which are values from here on.
    fn names(&mut self, pattern: &PatTuple) -> Vec<Part> {
        let mut names = Vec::new();
        for element in &pattern.elems {
            match element {
                Pat::Wild(_) => names.push(None),
                Pat::Ident(name) => {
                    self.refuse_more_than_name(name);
                    self.bind(&name.ident, Meaning::Value { mutable: name.mutability.is_some() });
                    names.push(Some((name.mutability, name.ident.clone())));
                }
                other => {
                    self.error(other, "expected a name or `_`, as in `let (a, b) = x.chunk();`");
                    self.bind_all(other, Meaning::Value { mutable: true });
                }
            }
        }
        names
    }

    /// Makes the name of a `let` that of the layer, if it binds only this call.
    fn name_layer(&self, name: &Ident, call: &mut Call) {
        if !call.is_bound
            && self.names_alone(name)
            && call.inputs.iter().all(|input| matches!(input, Flow::Name(_)))
        {
            call.binding = Some(name.clone());
        }
    }

    /// `let name = layer(key = value…);`
    fn binds(&mut self, local: &Local, pattern: &PatIdent, call: &ExprCall) -> Option<Step> {
        self.refuse_attributes(&local.attrs);
        self.refuse_attributes(&call.attrs);
        self.refuse_more_than_name(pattern);
        if let Some(word) = &pattern.mutability {
            self.error(word, "a layer cannot be reassigned; remove `mut`");
        }
        let name = &pattern.ident;
        if self.layer(name).is_some() {
            self.error(name, format!("`{name}` is already the name of a layer; choose another name"));
        }
        let call = self.declared(name, call)?;
        self.bind(name, Meaning::Layer(self.layers.len()));
        self.layers.push(call.ties.clone());
        Some(Step::Bind { name: name.clone(), call })
    }

    /// Whether a `let` of this name can become the path of a layer: it is bound once, outside loops, and is not
    /// a name that the numbering of layers could produce, such as `linear_1`.
    pub(super) fn names_alone(&self, name: &Ident) -> bool {
        let name = name.to_string();
        let is_numbered = name.rsplit_once('_').is_some_and(|(_, number)| number.parse::<u64>().is_ok());
        self.loops == 0 && !is_numbered && self.lets.get(&name) == Some(&1)
    }

    /// The receiver of `word.layer(key = value)` if it is not a name in scope.
    fn unknown_receiver(&self, expression: &Expr) -> Option<Ident> {
        let Expr::MethodCall(call) = expression else {
            return None;
        };
        match as_name(&call.receiver) {
            None => self.unknown_receiver(&call.receiver),
            Some(name) => self.is_unknown_variable(name).then(|| name.clone()),
        }
    }

    /// Lowers an expression statement.
    fn statement(&mut self, expression: &Expr, semicolon: bool, is_last: bool) -> Option<Step> {
        match expression {
            Expr::Group(inner) => self.statement(&inner.expr, semicolon, is_last),
            Expr::Assign(assign) => {
                self.refuse_attributes(&assign.attrs);
                let Some(name) = as_name(&assign.left) else {
                    self.error(&assign.left, "expected the name of a value");
                    return None;
                };
                match self.meaning(name) {
                    Some(Meaning::Value { mutable: true }) => {}
                    Some(Meaning::Value { mutable: false }) => {
                        self.error(
                            name,
                            format!(
                                "`{name}` is not mutable and cannot be reassigned; declare it as `mut {name}`"
                            ),
                        );
                    }
                    _ => {
                        let message =
                            format!("`{name}` is not a value of the model; only values can be reassigned");
                        self.error(name, message);
                        return None;
                    }
                }
                let flow = self.flow(&assign.right)?;
                Some(Step::Assign { name: name.clone(), flow })
            }
            Expr::ForLoop(for_loop) => self.for_loop(for_loop),
            Expr::If(choice) => self.choice(choice),
            Expr::Binary(binary) if assigned(&binary.op).is_some() => {
                self.error(expression, advice(expression));
                None
            }
            other if self.is_flow(other) && semicolon => {
                let message = if is_last && self.loops == 0 {
                    "this value is not used; to return it, remove the semicolon"
                } else {
                    "this value is not used; bind it with `let`, or remove it"
                };
                self.error(other, message);
                None
            }
            other => {
                self.error(other, advice(other));
                None
            }
        }
    }

    fn for_loop(&mut self, for_loop: &syn::ExprForLoop) -> Option<Step> {
        self.refuse_attributes(&for_loop.attrs);
        self.refuse_label(for_loop.label.as_ref());
        let (start, limits, end) = match peeled(&for_loop.expr) {
            Expr::Range(syn::ExprRange { start: Some(start), limits, end: Some(end), .. }) => {
                (start, limits, end)
            }
            other => {
                self.error(other, "expected a constant range, such as `0..DEPTH`; index an array with the counter: `WIDTHS[i]`");
                return None;
            }
        };
        let counter = match &*for_loop.pat {
            Pat::Ident(pattern) => {
                self.refuse_more_than_name(pattern);
                if let Some(word) = &pattern.mutability {
                    self.error(word, "a loop counter is constant; remove `mut`");
                }
                Some(pattern.ident.clone())
            }
            Pat::Wild(_) => None,
            other => {
                self.error(other, "expected a name or `_`");
                return None;
            }
        };
        self.refuse_value(start);
        self.refuse_value(end);
        self.scopes.push(HashMap::new());
        if let Some(counter) = &counter {
            self.bind(counter, Meaning::Configuration);
        }
        self.loops += 1;
        let body = self.steps(&for_loop.body);
        self.loops -= 1;
        self.scopes.pop();
        self.refuse_tail(&body);
        Some(Step::For { counter, start: (**start).clone(), limits: *limits, end: (**end).clone(), body })
    }

    /// An `if` without a value.
    fn choice(&mut self, choice: &ExprIf) -> Option<Step> {
        self.refuse_attributes(&choice.attrs);
        self.refuse_value(&choice.cond);
        let then = self.steps(&choice.then_branch);
        self.refuse_tail(&then);
        let otherwise = match &choice.else_branch {
            None => None,
            Some((_, branch)) => Some(self.branch(branch, false)?),
        };
        Some(Step::If { condition: (*choice.cond).clone(), then, otherwise })
    }

    /// The branch after `else`.
    pub(super) fn branch(&mut self, branch: &Expr, gives_value: bool) -> Option<Steps> {
        match branch {
            Expr::Block(block) => {
                let steps = self.steps(&block.block);
                if gives_value {
                    Some(steps)
                } else {
                    self.refuse_tail(&steps);
                    Some(steps)
                }
            }
            Expr::If(choice) if gives_value => {
                let flow = self.flow_of_if(choice)?;
                Some(Steps { steps: Vec::new(), tail: Some(flow) })
            }
            Expr::If(choice) => {
                let step = self.choice(choice)?;
                Some(Steps { steps: vec![step], tail: None })
            }
            other => {
                self.error(other, "expected a block");
                None
            }
        }
    }
}
