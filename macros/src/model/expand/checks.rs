//! One `const` for each configuration of constants, so that each invalid one is a separate error.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use super::layers::Called;
use crate::literal::{Literal, tidy};
use crate::model::ast::Seen;

/// The checks of all calls whose keys are constants.
pub(super) fn checks(layers: &[Called]) -> TokenStream {
    layers.iter().filter(|called| called.stands_alone).map(|called| called.literal.check()).collect()
}

/// The same after an error, for the calls that were parsed. Incomplete calls are passed to editors, which then complete the names
/// of layers and keys.
pub(super) fn seen(calls: &[Seen]) -> TokenStream {
    calls
        .iter()
        .map(|Seen { layer, turbofish, keys, half_typed, without_key, depends }| {
            let name = quote!(#layer #turbofish);
            if !without_key.is_empty() {
                return named(&Literal::of_call(&name, layer.span(), &[]), keys, without_key);
            }
            if half_typed.is_none() && !depends {
                return Literal::of_call(&name, layer.span(), keys).check();
            }
            let given = keys.iter().map(|(key, _)| quote!(#key: loop {}));
            let half = half_typed.iter().flatten().map(|key| quote!(#key: loop {}));
            quote! {
                #[cfg(rust_analyzer)]
                const _: () = {
                    let _ = #name { #(#given,)* #(#half,)* ..<_ as __t::Config>::DEFAULT };
                };
            }
        })
        .collect()
}

/// A `const` that fails at the first argument without a key: the layer's type determines which key is expected.
fn named(layer: &Literal, keys: &[(Ident, Expr)], without_key: &[Expr]) -> TokenStream {
    let span = without_key.first().map_or(layer.span, Spanned::span);
    let tokens = &layer.tokens;
    let given = keys.iter().map(|(key, _)| key.unraw().to_string());
    let values = without_key.iter().map(|value| tidy(&value.to_token_stream()));
    quote_spanned! {span=>
        const _: () = {
            let __layer = #tokens;
            __t::name_keys(&__layer, &[#(#given),*], &[#(#values),*])
        };
    }
}
