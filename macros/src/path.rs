//! The paths that generated code may use.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, Path, Token};

/// A local variable of generated code, at the position of a token of the user.
///
/// The token may come from outside the macro call, such as from the arguments of a surrounding `macro_rules!`; a variable with
/// only its span would not resolve to the declared one.
pub(crate) fn local(name: &str, span: Span) -> Ident {
    Ident::new(name, span.resolved_at(Span::call_site()))
}

/// The path of the runtime's hidden module for generated code: `::trainspec::__private`, or below the
/// path of `#[model(crate = …)]` and `crate: …`, for crates that re-export trainspec.
#[derive(Clone)]
pub(crate) struct Runtime {
    root: TokenStream,
}

impl Runtime {
    /// Under another path than `::trainspec`.
    pub(crate) fn at(path: &Path) -> Self {
        Self { root: quote!(#path) }
    }

    /// `…::__private`, in full.
    pub(crate) fn private(&self) -> TokenStream {
        let root = &self.root;
        quote!(#root::__private)
    }

    /// Opens a block of generated items: its `allow` attributes, and the short name of the hidden module.
    ///
    /// Generated tokens have the spans of the user's tokens, so that rustc reports errors there; lints therefore
    /// treat them as the user's own code.
    pub(crate) fn block(&self, items: &TokenStream) -> TokenStream {
        let private = self.private();
        quote! {
            #[allow(
                clippy::all,
                clippy::pedantic,
                clippy::restriction,
                clippy::nursery,
                non_upper_case_globals,
                unused_imports,
                unexpected_cfgs,
                unused_qualifications
            )]
            const _: () = {
                use #private as __t;
                #items
            };
        }
    }

    /// The path as a string, for attributes of derives.
    pub(crate) fn serde(&self) -> String {
        let private = self.private();
        quote!(#private::serde).to_string().replace(' ', "")
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self { root: quote!(::trainspec) }
    }
}

/// `crate = path`, or nothing.
impl Parse for Runtime {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Ok(Self::default());
        }
        let advice = "unexpected arguments of `#[model]`; expected none, or `crate = path` if trainspec is re-exported";
        let with_advice = |error: syn::Error| syn::Error::new(error.span(), advice);
        input.parse::<Token![crate]>().map_err(with_advice)?;
        input.parse::<Token![=]>().map_err(with_advice)?;
        let path = input.call(Path::parse_mod_style).map_err(with_advice)?;
        Ok(Self::at(&path))
    }
}
