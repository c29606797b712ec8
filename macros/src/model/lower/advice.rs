//! What to write instead of Rust that is no step of a model.

use quote::ToTokens;
use syn::{BinOp, Expr};

/// What a body may hold.
const FORMS: &str = "a model's body has `let`, assignments, `for` over a range, `if` on configuration, and \
                     calls and `+ - *` on values";

/// A sentence about an expression that cannot stand where it does.
pub(super) fn advice(expression: &Expr) -> String {
    match expression {
        Expr::Return(_) => "a model ends with its output; remove `return` and the semicolon".to_owned(),
        Expr::Try(_) => "layers do not fail in a model's body; remove `?`".to_owned(),
        Expr::Unary(_) | Expr::Lit(_) => {
            "`+ - *` join two values of the model; numbers are keys of layers".to_owned()
        }
        Expr::Binary(binary) => match assigned(&binary.op) {
            Some(operator) => {
                let (left, right) = (binary.left.to_token_stream(), binary.right.to_token_stream());
                format!("write `{left} = {left} {operator} {right}`")
            }
            None => "values are joined by `+`, `-` or `*`".to_owned(),
        },
        Expr::Call(call) => match call.args.first() {
            Some(first) => {
                let (layer, first) = (call.func.to_token_stream(), first.to_token_stream());
                format!("layers are called on values; write `{first}.{layer}(…)`")
            }
            None => format!("unsupported expression in a model; {FORMS}"),
        },
        Expr::Reference(_) => "values are passed as they are; remove `&`".to_owned(),
        Expr::Index(_) => "a value is taken whole; remove the index".to_owned(),
        Expr::Path(path) => {
            let name = path.to_token_stream();
            format!("`{name}` is not a value of the model; expected an input, or a `let` made from one")
        }
        Expr::Tuple(_) => "a model gives one value; join several with `concat`".to_owned(),
        _ => format!("unsupported expression in a model; {FORMS}"),
    }
}

/// The same for a statement that is no expression.
pub(super) fn forms() -> String {
    format!("unsupported expression in a model; {FORMS}")
}

/// The operator of `+=` and its like.
pub(super) fn assigned(operator: &BinOp) -> Option<&'static str> {
    match operator {
        BinOp::AddAssign(_) => Some("+"),
        BinOp::SubAssign(_) => Some("-"),
        BinOp::MulAssign(_) => Some("*"),
        _ => None,
    }
}
