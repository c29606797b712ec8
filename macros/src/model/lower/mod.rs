//! Syntax to steps: the only place that knows which Rust a model's body may be.
//!
//! A name is either a *value* (an input, or a `let` bound to something made of values) or configuration.
//! Calls and operators on values are layers; everything else is passed through for rustc to judge.

mod advice;
mod names;

use std::collections::HashMap;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{
    Attribute, BinOp, Block, Expr, ExprIf, ExprMethodCall, GenericParam, Ident, Label, Local, Member, Pat,
    PatIdent, Stmt,
};

use self::advice::{advice, assigned, forms};
use self::names::{as_name, attributes, count_lets, find, names_of};
use super::ast::{Body, Call, Flow, Operator, Seen, Signature, Step, Steps};
use crate::diagnostics::Diagnostics;
use crate::names::snake_case;
use crate::syntax::peeled;

/// A body that was gone through.
pub(super) struct Lowered {
    pub(super) steps: Steps,
    /// The calls, in the order of the source, those that are half typed too.
    pub(super) seen: Vec<Seen>,
}

/// The steps of a model's body. Where it cannot be understood, an error is added and the step left out.
pub(super) fn body(signature: &Signature, body: &Body, diagnostics: &mut Diagnostics) -> Lowered {
    let mut names = HashMap::new();
    for generic in &signature.generics.params {
        if let GenericParam::Const(constant) = generic {
            names.insert(constant.ident.to_string(), Meaning::Configuration);
        }
    }
    names.extend(signature.keys.iter().map(|key| (key.name.to_string(), Meaning::Configuration)));
    names.extend(
        signature
            .inputs
            .iter()
            .map(|input| (input.name.to_string(), Meaning::Value { mutable: input.mutable.is_some() })),
    );
    let mut lowering = Lowering {
        diagnostics,
        own_name: snake_case(&signature.name),
        scopes: vec![names],
        loops: 0,
        lets: count_lets(&body.stmts),
        seen: Vec::new(),
    };
    let steps = lowering.steps(body);
    if steps.tail.is_none() && lowering.diagnostics.is_empty() {
        let message = "the body ends without a value; end with the model's output, without a semicolon";
        match body.stmts.last() {
            Some(last) => lowering.error(last, message),
            None => lowering.error(&signature.name, message),
        }
    }
    Lowered { steps, seen: lowering.seen }
}

#[derive(Clone, Copy, PartialEq)]
enum Meaning {
    Value { mutable: bool },
    Configuration,
}

impl Meaning {
    fn is_value(self) -> bool {
        matches!(self, Self::Value { .. })
    }
}

struct Lowering<'a> {
    diagnostics: &'a mut Diagnostics,
    /// The model's own call name.
    own_name: Ident,
    scopes: Vec<HashMap<String, Meaning>>,
    loops: usize,
    /// How often each name is bound by a `let`; one that is bound once can name a layer.
    lets: HashMap<String, usize>,
    seen: Vec<Seen>,
}

impl Lowering<'_> {
    fn meaning(&self, name: &Ident) -> Option<Meaning> {
        let name = name.to_string();
        self.scopes.iter().rev().find_map(|scope| scope.get(&name).copied())
    }

    fn is_value(&self, name: &Ident) -> bool {
        self.meaning(name).is_some_and(Meaning::is_value)
    }

    fn bind(&mut self, name: &Ident, meaning: Meaning) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_string(), meaning);
        }
    }

    fn bind_all(&mut self, pattern: &Pat, meaning: Meaning) {
        for name in names_of(pattern) {
            self.bind(&name, meaning);
        }
    }

    fn error(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.diagnostics.error(tokens, message);
    }

    fn steps(&mut self, block: &Block) -> Steps {
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
                // A semicolon of its own.
                Stmt::Expr(Expr::Verbatim(nothing), Some(_)) if nothing.is_empty() => {}
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

    fn local(&mut self, local: &Local) -> Option<Step> {
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
        let flow = self.flow(&init.expr);
        if let Some((word, otherwise)) = &init.diverge {
            let tokens = [word.to_token_stream(), otherwise.to_token_stream()];
            self.error(
                tokens.into_iter().collect::<TokenStream>(),
                "a layer always gives a value; remove the `else`",
            );
        }
        let Pat::Ident(pattern) = &local.pat else {
            let message = match &local.pat {
                Pat::Type(_) => "a value's type is known; remove it: `let name = …;`",
                _ => "a layer gives one value; write `let name = …;`",
            };
            self.error(&local.pat, message);
            self.bind_all(&local.pat, Meaning::Value { mutable: true });
            return None;
        };
        self.refuse_more_than_name(pattern);
        self.bind(&pattern.ident, Meaning::Value { mutable: pattern.mutability.is_some() });
        let mut flow = flow?;
        if let Flow::Call(call) = &mut flow
            && self.names_alone(&pattern.ident)
            && call.inputs.iter().all(|input| matches!(input, Flow::Name(_)))
        {
            call.binding = Some(pattern.ident.clone());
        }
        Some(Step::Let { mutable: pattern.mutability, name: pattern.ident.clone(), flow })
    }

    /// Whether a `let` of this name can give a layer its path: it is bound once, outside loops, and is not
    /// a name that the numbering of layers could give, such as `linear_1`.
    fn names_alone(&self, name: &Ident) -> bool {
        let name = name.to_string();
        let is_numbered = name.rsplit_once('_').is_some_and(|(_, number)| number.parse::<u64>().is_ok());
        self.loops == 0 && !is_numbered && self.lets.get(&name) == Some(&1)
    }

    /// The first word of `word.layer(key = value)` if it is the name of nothing here.
    fn unknown_receiver(&self, expression: &Expr) -> Option<Ident> {
        let Expr::MethodCall(call) = expression else {
            return None;
        };
        match as_name(&call.receiver) {
            None => self.unknown_receiver(&call.receiver),
            Some(name) => {
                let is_variable = name.to_string().starts_with(char::is_lowercase);
                (is_variable && self.meaning(name).is_none()).then(|| name.clone())
            }
        }
    }

    /// An expression that stands as a statement.
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
                        self.error(name, format!("`{name}` is assigned again; declare it as `mut {name}`"));
                    }
                    _ => {
                        let message =
                            format!("`{name}` is no value of the model; only values are assigned again");
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
                    "this value is not used; to end with it, remove the semicolon"
                } else {
                    "this value is not used; give it a name with `let`, or remove it"
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
                self.error(other, "expected a constant range, such as `0..DEPTH`; an array is indexed by the counter: `WIDTHS[i]`");
                return None;
            }
        };
        let counter = match &*for_loop.pat {
            Pat::Ident(pattern) => {
                self.refuse_more_than_name(pattern);
                if let Some(word) = &pattern.mutability {
                    self.error(word, "a counter is constant; remove `mut`");
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

    /// What stands after `else`.
    fn branch(&mut self, branch: &Expr, gives_value: bool) -> Option<Steps> {
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

    fn flow_of_if(&mut self, choice: &ExprIf) -> Option<Flow> {
        self.refuse_value(&choice.cond);
        let then = self.steps(&choice.then_branch);
        let Some((_, branch)) = &choice.else_branch else {
            self.error(choice.if_token, "an `if` that gives a value needs an `else`");
            return None;
        };
        let otherwise = self.branch(branch, true)?;
        for (steps, tokens) in
            [(&then, choice.then_branch.to_token_stream()), (&otherwise, branch.to_token_stream())]
        {
            if steps.tail.is_none() && self.diagnostics.is_empty() {
                self.error(tokens, "this branch gives no value; end it with one, without a semicolon");
            }
        }
        Some(Flow::If {
            condition: (*choice.cond).clone(),
            then: Box::new(then),
            otherwise: Box::new(otherwise),
        })
    }

    /// An expression that gives a value; if it does not, an error is added.
    fn flow(&mut self, expression: &Expr) -> Option<Flow> {
        self.refuse_attributes(attributes(expression));
        match expression {
            Expr::Paren(inner) => self.flow(&inner.expr),
            Expr::Group(inner) => self.flow(&inner.expr),
            Expr::Path(_) => match as_name(expression) {
                Some(name) if self.is_value(name) => Some(Flow::Name(name.clone())),
                _ => {
                    self.error(expression, advice(expression));
                    None
                }
            },
            Expr::MethodCall(call) => self.chain(call),
            Expr::Binary(binary) => {
                let (operator, span) = match &binary.op {
                    BinOp::Add(token) => (Operator::Add, token.span),
                    BinOp::Sub(token) => (Operator::Sub, token.span),
                    BinOp::Mul(token) => (Operator::Mul, token.span),
                    other => {
                        self.error(other, "values are joined by `+`, `-` or `*`");
                        return None;
                    }
                };
                let (left, right) = (self.flow(&binary.left), self.flow(&binary.right));
                Some(Flow::Join { left: Box::new(left?), operator, span, right: Box::new(right?) })
            }
            Expr::If(choice) => self.flow_of_if(choice),
            Expr::Block(block) => {
                self.refuse_label(block.label.as_ref());
                let steps = self.steps(&block.block);
                if steps.tail.is_none() && self.diagnostics.is_empty() {
                    self.error(block, "this block gives no value; end it with one, without a semicolon");
                }
                Some(Flow::Block(Box::new(steps)))
            }
            Expr::Field(field) if self.is_flow(&field.base) => {
                if let Member::Named(layer) = &field.member {
                    self.flow(&field.base);
                    self.error(layer, format!("expected a layer with its keys: `.{layer}()`"));
                    self.see(layer, None, Vec::new(), Some(Vec::new()), false);
                } else {
                    self.error(&field.member, advice(expression));
                }
                None
            }
            other => {
                self.error(other, advice(other));
                None
            }
        }
    }

    /// Keeps a call for the case that there is a mistake somewhere.
    fn see(
        &mut self,
        layer: &Ident,
        turbofish: Option<syn::AngleBracketedGenericArguments>,
        keys: Vec<(Ident, Expr)>,
        half_typed: Option<Vec<Ident>>,
        depends: bool,
    ) {
        self.seen.push(Seen { layer: layer.clone(), turbofish, keys, half_typed, depends });
    }

    /// Calls one after the other, from the first on: a chain may have hundreds, and each level of recursion takes stack.
    fn chain(&mut self, last: &ExprMethodCall) -> Option<Flow> {
        let mut calls = vec![last];
        let mut receiver = &last.receiver;
        while let Expr::MethodCall(call) = &**receiver {
            calls.push(call);
            receiver = &call.receiver;
        }
        let mut flow = self.flow(receiver);
        for (place, call) in calls.iter().enumerate().rev() {
            if place > 0 {
                self.refuse_attributes(&call.attrs);
            }
            flow = self.call(call, flow);
        }
        flow
    }

    fn call(&mut self, call: &ExprMethodCall, receiver: Option<Flow>) -> Option<Flow> {
        if call.method == self.own_name {
            self.error(&call.method, "a model cannot call itself; repeat layers with `for`");
        }
        let mut inputs = vec![receiver];
        let mut keys: Vec<(Ident, Expr)> = Vec::new();
        let mut half_typed = Vec::new();
        let told = self.diagnostics.len();
        for argument in &call.args {
            match peeled(argument) {
                Expr::Assign(assign) => {
                    let Some(key) = as_name(&assign.left) else {
                        self.error(&assign.left, "expected the name of a key, as in `out = 32`");
                        continue;
                    };
                    self.refuse_attributes(&assign.attrs);
                    self.refuse_value(&assign.right);
                    if keys.iter().any(|(given, _)| given == key) {
                        self.error(key, format!("`{key}` is given twice; remove one"));
                        continue;
                    }
                    keys.push((key.clone(), (*assign.right).clone()));
                }
                value if self.is_flow(value) => {
                    if !keys.is_empty() {
                        self.error(value, "values stand before keys; move this to the front");
                    }
                    let flow = self.flow(value);
                    inputs.push(flow);
                }
                other => {
                    half_typed.extend(as_name(other).cloned());
                    self.error(
                        other,
                        format!(
                            "expected a value of the model, or `key = value`; which key of `{}` is this?",
                            call.method
                        ),
                    );
                }
            }
        }
        let depends = keys.iter().any(|(_, value)| self.depends(value.to_token_stream()))
            || call.turbofish.as_ref().is_some_and(|turbofish| self.depends(turbofish.to_token_stream()));
        let is_whole = self.diagnostics.len() == told;
        self.see(
            &call.method,
            call.turbofish.clone(),
            keys.clone(),
            (!is_whole).then_some(half_typed),
            depends,
        );
        Some(Flow::Call(Box::new(Call {
            inputs: inputs.into_iter().collect::<Option<_>>()?,
            layer: call.method.clone(),
            turbofish: call.turbofish.clone(),
            keys,
            depends,
            binding: None,
        })))
    }

    /// Whether an expression is meant to give a value, right or wrong.
    fn is_flow(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Paren(inner) => self.is_flow(&inner.expr),
            Expr::Group(inner) => self.is_flow(&inner.expr),
            Expr::Path(_) => as_name(expression).is_some_and(|name| self.is_value(name)),
            Expr::MethodCall(call) => self.is_flow(&call.receiver),
            // A layer that is half typed.
            Expr::Field(field) => self.is_flow(&field.base),
            Expr::Binary(binary) => self.is_flow(&binary.left) || self.is_flow(&binary.right),
            Expr::If(choice) => {
                self.ends_in_flow(&choice.then_branch)
                    || choice.else_branch.as_ref().is_some_and(|(_, branch)| self.is_flow(branch))
            }
            Expr::Block(block) => self.ends_in_flow(&block.block),
            _ => false,
        }
    }

    fn ends_in_flow(&self, block: &Block) -> bool {
        match block.stmts.last() {
            // The block's own bindings are not known yet; a call at its end is meant to give a value.
            Some(Stmt::Expr(expression, None)) => {
                self.is_flow(expression)
                    || (self.mentions_value(block)
                        && matches!(expression, Expr::Path(_) | Expr::MethodCall(_) | Expr::Binary(_)))
            }
            _ => false,
        }
    }

    fn mentions_value(&self, tokens: impl ToTokens) -> bool {
        find(tokens.to_token_stream(), &|name| self.is_value(name)).is_some()
    }

    fn depends(&self, tokens: TokenStream) -> bool {
        find(tokens, &|name| self.meaning(name).is_some()).is_some()
    }

    /// Attributes would be lost: a step of the model becomes several of Rust.
    fn refuse_attributes(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            let message = if attribute.path().is_ident("doc") {
                "a step has no documentation; comments begin with `//`"
            } else {
                "a step has no attributes; what depends on a feature stands in `if cfg!(…) { … }`"
            };
            self.error(attribute, message);
        }
    }

    fn refuse_label(&mut self, label: Option<&Label>) {
        if let Some(label) = label {
            self.error(label, "nothing breaks out of a model's blocks; remove the label");
        }
    }

    fn refuse_more_than_name(&mut self, pattern: &PatIdent) {
        if let Some(word) = &pattern.by_ref {
            self.error(word, "a value needs no `ref`; remove it");
        }
        if let Some((_, part)) = &pattern.subpat {
            self.error(part, "expected a name alone; remove this");
        }
    }

    fn refuse_value(&mut self, expression: &Expr) {
        if let Some(name) = find(expression.to_token_stream(), &|name| self.is_value(name)) {
            self.error(&name, format!("`{name}` is a value of the model; expected a constant here"));
        }
    }

    fn refuse_tail(&mut self, steps: &Steps) {
        if let Some(tail) = &steps.tail {
            self.diagnostics.push(syn::Error::new(
                span_of(tail),
                "this value goes nowhere; assign it to a name, as in `x = x.relu();`",
            ));
        }
    }
}

fn span_of(flow: &Flow) -> Span {
    match flow {
        Flow::Name(name) => name.span(),
        Flow::Call(call) => call.layer.span(),
        Flow::Join { span, .. } => *span,
        Flow::If { then, .. } => then.tail.as_ref().map_or_else(Span::call_site, span_of),
        Flow::Block(steps) => steps.tail.as_ref().map_or_else(Span::call_site, span_of),
    }
}
