//! A training run as the macro sees it: a name, a model, data, and keys with values.

use syn::{Attribute, Expr, Ident, Type, Visibility};

use crate::path::Runtime;

/// The whole block.
pub(crate) struct Train {
    pub(crate) runtime: Runtime,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) model: Option<(Ident, Type)>,
    pub(crate) data: Option<(Ident, Expr)>,
    /// The other keys, in the order of the source.
    pub(crate) entries: Vec<Entry>,
}

/// `key: value`
pub(crate) struct Entry {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// The right-hand side of a key.
pub(crate) enum Value {
    /// Any expression.
    One(Expr),
    /// `[a, b]`, whose elements may be of different types.
    List(Vec<Expr>, proc_macro2::Span),
}
