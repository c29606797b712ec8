//! A training run as the macro sees it: a name, a model, data, and keys with values.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprStruct, Ident, Type, Visibility};

use crate::path::Runtime;

/// The whole block.
pub(crate) struct Train {
    pub(crate) runtime: Runtime,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) model: Option<(Ident, Type)>,
    /// The keys of the model.
    pub(crate) model_keys: ModelKeys,
    pub(crate) data: Option<(Ident, Expr)>,
    /// The other keys, in the order of the source.
    pub(crate) entries: Vec<Entry>,
    /// Keys whose value cannot be parsed, for editors.
    pub(crate) half_typed: Vec<Ident>,
    /// Whether the run and its model have the same name, which was rejected.
    pub(crate) is_named_like_model: bool,
}

/// What follows the model's type.
pub(crate) enum ModelKeys {
    /// Nothing: all keys have their defaults.
    Default,
    /// `{ key: value, … }`, as a struct literal of the model.
    Given(Box<ExprStruct>),
    /// Keys with an error in them, as far as they could be parsed. Their rules are not checked.
    Broken(Option<Box<ExprStruct>>),
}

/// `key: value`
pub(crate) struct Entry {
    /// Each a `#[cfg(…)]`.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) key: Ident,
    pub(crate) value: Value,
    /// Whether the whole value was parsed. A value with an error in it is type-checked, but its rules are not checked.
    pub(crate) whole: bool,
}

/// The right-hand side of a key.
pub(crate) enum Value {
    /// Any expression.
    One(Expr),
    /// `[a, b]`, whose elements may be of different types.
    List(Vec<Element>, proc_macro2::Span),
}

/// One element of a list.
pub(crate) struct Element {
    /// Each a `#[cfg(…)]`.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) value: Expr,
    /// The index of its list in a tuple of lists.
    pub(crate) list: Option<usize>,
}

impl Element {
    /// The value in the generated code: within a tuple of lists with the index of its list.
    pub(crate) fn placed(&self, completed: &TokenStream) -> TokenStream {
        match self.list {
            None => completed.clone(),
            Some(list) => quote_spanned!(self.value.span()=> __t::On::<#list, _>(#completed)),
        }
    }
}
