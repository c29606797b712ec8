//! Expressions that return a value of the model.

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{BinOp, Block, Expr, ExprBinary, ExprIf, ExprIndex, Member, Stmt, UnOp};

use super::Lowering;
use super::advice::advice;
use super::names::{as_name, attributes};
use crate::model::ast::{Flow, Index, Operator, Seen};
use crate::syntax::peeled;

impl Lowering<'_> {
    /// Lowers an expression that returns a value; otherwise adds an error.
    pub(super) fn flow(&mut self, expression: &Expr) -> Option<Flow> {
        self.refuse_attributes(attributes(expression));
        match expression {
            Expr::Paren(inner) => self.flow(&inner.expr),
            Expr::Group(inner) => self.flow(&inner.expr),
            Expr::Path(_) => match as_name(expression) {
                Some(name) if self.is_value(name) => Some(Flow::Name(name.clone())),
                Some(name) if self.layer(name).is_some() => {
                    self.refuse_value(expression);
                    None
                }
                _ => {
                    self.error(expression, advice(expression));
                    None
                }
            },
            Expr::MethodCall(call) => self.chain(call),
            Expr::Binary(binary) => self.operation(binary),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) && self.is_flow(&unary.expr) => {
                let span = unary.op.span();
                Some(Flow::Negated { value: Box::new(self.flow(&unary.expr)?), span })
            }
            Expr::Index(index) if self.is_flow(&index.expr) => self.index(index),
            Expr::If(choice) => self.flow_of_if(choice),
            Expr::Block(block) => {
                self.refuse_label(block.label.as_ref());
                let steps = self.steps(&block.block);
                if steps.tail.is_none() && self.diagnostics.is_empty() {
                    self.error(block, "this block has no value; end it with one, without a semicolon");
                }
                Some(Flow::Block(Box::new(steps)))
            }
            Expr::Field(field) if self.is_flow(&field.base) => {
                if let Member::Named(layer) = &field.member {
                    self.flow(&field.base);
                    self.error(layer, format!("expected a call of a layer: `.{layer}()`"));
                    self.seen.push(Seen {
                        layer: layer.clone(),
                        turbofish: None,
                        keys: Vec::new(),
                        half_typed: Some(Vec::new()),
                        without_key: Vec::new(),
                        depends: false,
                    });
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

    /// An operator between two values, or a value and a number.
    fn operation(&mut self, binary: &ExprBinary) -> Option<Flow> {
        let (operator, span) = match &binary.op {
            BinOp::Add(token) => (Operator::Add, token.span),
            BinOp::Sub(token) => (Operator::Sub, token.span),
            BinOp::Mul(token) => (Operator::Mul, token.span),
            BinOp::Div(token) => (Operator::Div, token.span),
            other => {
                self.error(other, "values can only be combined with `+`, `-`, `*` or `/`");
                return None;
            }
        };
        let [is_left, is_right] = [&binary.left, &binary.right].map(|side| self.is_operand(side));
        if is_left != is_right {
            let (value, number) =
                if is_left { (&binary.left, &binary.right) } else { (&binary.right, &binary.left) };
            let value = self.flow(value);
            self.refuse_value(number);
            let (value, number) = (Box::new(value?), (**number).clone());
            return Some(Flow::Number { value, operator, span, number, is_first: is_right });
        }
        let (left, right) = (self.flow(&binary.left), self.flow(&binary.right));
        Some(Flow::Join { left: Box::new(left?), operator, span, right: Box::new(right?) })
    }

    /// Whether an operand is meant to be a value, valid or not, and not a number.
    fn is_operand(&self, operand: &Expr) -> bool {
        let is_unknown = |name| self.is_unknown_variable(name) || self.layer(name).is_some();
        match peeled(operand) {
            // A call of a function or a layer with a value of the model.
            Expr::Call(call) => {
                let is_key = |argument: &Expr| matches!(argument, Expr::Assign(_));
                call.args.iter().any(|argument| is_key(argument) || self.is_flow(argument))
            }
            other => self.is_flow(other) || as_name(other).is_some_and(is_unknown),
        }
    }

    /// `value[start..end]` or `value[at]`
    fn index(&mut self, index: &ExprIndex) -> Option<Flow> {
        let value = self.flow(&index.expr);
        let span = index.bracket_token.span.join();
        let index = match peeled(&index.index) {
            Expr::Range(range) => {
                for end in [&range.start, &range.end].into_iter().flatten() {
                    self.refuse_value(end);
                }
                let [start, end] = [&range.start, &range.end].map(|end| end.as_deref().cloned());
                Index::Range { start, limits: range.limits, end }
            }
            Expr::Tuple(tuple) => {
                let message = "an index is for axis 0; for other axes write `slice` or `select`, as in `x.slice(axis = 1, start = 0, end = 4)`";
                self.error(tuple, message);
                return None;
            }
            at => {
                self.refuse_value(at);
                Index::At(at.clone())
            }
        };
        Some(Flow::Index { value: Box::new(value?), span, index })
    }

    pub(super) fn flow_of_if(&mut self, choice: &ExprIf) -> Option<Flow> {
        self.refuse_value(&choice.cond);
        let then = self.steps(&choice.then_branch);
        let Some((_, branch)) = &choice.else_branch else {
            self.error(choice.if_token, "an `if` that is used as a value needs an `else`");
            return None;
        };
        let otherwise = self.branch(branch, true)?;
        for (steps, tokens) in
            [(&then, choice.then_branch.to_token_stream()), (&otherwise, branch.to_token_stream())]
        {
            if steps.tail.is_none() && self.diagnostics.is_empty() {
                self.error(tokens, "this branch has no value; end it with one, without a semicolon");
            }
        }
        Some(Flow::If {
            condition: (*choice.cond).clone(),
            then: Box::new(then),
            otherwise: Box::new(otherwise),
        })
    }

    /// Whether an expression is meant to return a value, valid or not.
    pub(super) fn is_flow(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Paren(inner) => self.is_flow(&inner.expr),
            Expr::Group(inner) => self.is_flow(&inner.expr),
            Expr::Path(_) => as_name(expression).is_some_and(|name| self.is_value(name)),
            Expr::MethodCall(call) => self.is_flow(&call.receiver),
            // An incomplete call of a layer.
            Expr::Field(field) => self.is_flow(&field.base),
            Expr::Binary(binary) => self.is_flow(&binary.left) || self.is_flow(&binary.right),
            Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)) && self.is_flow(&unary.expr),
            Expr::Index(index) => self.is_flow(&index.expr),
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
            // The block's own bindings are not known yet; a call at its end is meant to return a value.
            Some(Stmt::Expr(expression, None)) => {
                self.is_flow(expression)
                    || (self.mentions_value(block)
                        && matches!(expression, Expr::Path(_) | Expr::MethodCall(_) | Expr::Binary(_)))
            }
            _ => false,
        }
    }
}
