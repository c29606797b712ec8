//! One `const` for each configuration that stands alone, so that every bad one is its own error.

use proc_macro2::TokenStream;
use quote::quote;

use super::layers::Called;
use crate::literal::Literal;
use crate::model::ast::Seen;

/// The checks of all calls whose keys are constants.
pub(super) fn checks(layers: &[Called]) -> TokenStream {
    layers.iter().filter(|called| called.stands_alone).map(|called| called.literal.check()).collect()
}

/// The same after an error, for the calls that were read. What is half typed is shown to editors, which then offer the names of
/// layers and of their keys.
pub(super) fn seen(calls: &[Seen]) -> TokenStream {
    calls
        .iter()
        .map(|Seen { layer, turbofish, keys, half_typed, depends }| {
            let literal = Literal::of_call(&quote!(#layer #turbofish), layer.span(), keys);
            if half_typed.is_none() && !depends {
                return literal.check();
            }
            let given = keys.iter().map(|(key, _)| quote!(#key: loop {}));
            let half = half_typed.iter().flatten().map(|key| quote!(#key: loop {}));
            quote! {
                #[cfg(rust_analyzer)]
                const _: () = {
                    let _ = #layer #turbofish { #(#given,)* #(#half,)* ..<_ as __t::Config>::DEFAULT };
                };
            }
        })
        .collect()
}
