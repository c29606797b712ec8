//! Removes the invisible delimiters that `macro_rules!` puts around its substitutions.

use syn::{Expr, Type};

/// The expression in an `$e:expr`.
pub(crate) fn peeled(expression: &Expr) -> &Expr {
    match expression {
        Expr::Group(group) => peeled(&group.expr),
        other => other,
    }
}

/// The type in a `$t:ty`.
pub(crate) fn peeled_type(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peeled_type(&group.elem),
        other => other,
    }
}

/// Whether a type is written as bounds: `Clone + Send`, `impl Clone`, and also the incomplete `usize +`.
pub(crate) fn is_bounds(ty: &Type) -> bool {
    matches!(peeled_type(ty), Type::TraitObject(_) | Type::ImplTrait(_))
}
