//! Suggests what to write instead of Rust that is not a step of a model.

use quote::ToTokens;
use syn::{BinOp, Expr};

/// What a body may contain.
const FORMS: &str = "a model's body can contain `let`, assignments, `for` over a range, `if` on configuration, and \
                     calls and `+ - * /` on values";

/// The message for an expression that is not allowed here.
pub(super) fn advice(expression: &Expr) -> String {
    match expression {
        Expr::Return(_) => {
            "a model's last expression is its output; remove `return` and the semicolon".to_owned()
        }
        Expr::Try(_) => "layers cannot fail in a model's body; remove `?`".to_owned(),
        Expr::Unary(_) | Expr::Lit(_) => {
            "expected a value of the model; a number is combined with one, as in `0.5 * x`".to_owned()
        }
        Expr::Binary(binary) => match assigned(&binary.op) {
            Some(operator) => {
                let (left, right) = (binary.left.to_token_stream(), binary.right.to_token_stream());
                format!("write `{left} = {left} {operator} {right}`")
            }
            None => "values can only be combined with `+`, `-`, `*` or `/`".to_owned(),
        },
        Expr::Call(call) if call.args.iter().any(|argument| matches!(argument, Expr::Assign(_))) => {
            let layer = call.func.to_token_stream();
            format!(
                "a layer is called on a value, as in `x.{layer}(…)`, or bound to a name first: `let {layer} = {layer}(…);`"
            )
        }
        Expr::Call(call) => match call.args.first() {
            Some(first) => {
                let (layer, first) = (call.func.to_token_stream(), first.to_token_stream());
                format!("layers are called on values; write `{first}.{layer}(…)`")
            }
            None => format!("unsupported expression in a model; {FORMS}"),
        },
        Expr::Reference(_) => "values are passed without a reference; remove `&`".to_owned(),
        Expr::Path(path) => {
            let name = path.to_token_stream();
            format!("`{name}` is not a value of the model; expected an input or a `let` computed from one")
        }
        Expr::Tuple(_) => "several values can only be returned at the end of the model: `(a, b)`; to combine them into one, use `concat`".to_owned(),
        _ => format!("unsupported expression in a model; {FORMS}"),
    }
}

/// The message for a statement that is not an expression.
pub(super) fn forms() -> String {
    format!("unsupported expression in a model; {FORMS}")
}

/// The operator of `+=`, `-=`, `*=` and `/=`.
pub(super) fn assigned(operator: &BinOp) -> Option<&'static str> {
    match operator {
        BinOp::AddAssign(_) => Some("+"),
        BinOp::SubAssign(_) => Some("-"),
        BinOp::MulAssign(_) => Some("*"),
        BinOp::DivAssign(_) => Some("/"),
        _ => None,
    }
}
