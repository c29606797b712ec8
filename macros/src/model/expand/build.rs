//! The code that builds the model's graph when the program runs.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use super::emit::{Over, emit};
use crate::model::ast::{Signature, Steps};
use crate::names::snake_case;

/// `impl Module`: the body as calls on a scope.
pub(super) fn module(signature: &Signature, body: &Steps) -> TokenStream {
    let name = snake_case(&signature.name).unraw().to_string();
    let inputs = signature.inputs.iter().map(|input| {
        let (mutable, name) = (&input.mutable, &input.name);
        quote!(#mutable #name)
    });
    let keys = signature.keys.iter().map(|key| &key.name);
    let (steps, outputs) = emit(Over::Graph, body, |_, _| TokenStream::new());
    implementation(
        signature,
        &body.output_names(),
        &quote! {
            let [#(#inputs),*] = __scope.inputs(#name, __inputs)?;
            #(let #keys = self.#keys;)*
            #steps
            __t::Scope::outputs_of::<Self, _>(__scope, [#(#outputs),*])
        },
    )
}

/// `impl Module` after an error, which never runs.
pub(super) fn face(signature: &Signature) -> TokenStream {
    implementation(
        signature,
        &[],
        &quote! {
            let _ = (__scope, __inputs);
            ::core::unreachable!()
        },
    )
}

fn implementation(signature: &Signature, outputs: &[String], body: &TokenStream) -> TokenStream {
    let Signature { name, generics, .. } = signature;
    let inputs = signature.inputs.iter().map(|input| input.name.unraw().to_string());
    let (parameters, arguments, _) = generics.split_for_impl();
    quote! {
        impl #parameters __t::Module for #name #arguments {
            const IS_MODEL: ::core::primitive::bool = true;
            const INPUTS: &'static [&'static ::core::primitive::str] = &[#(#inputs),*];
            const OUTPUTS: &'static [&'static ::core::primitive::str] = &[#(#outputs),*];

            fn build(
                &self,
                __scope: &mut __t::Scope<'_>,
                __inputs: &[__t::Value],
            ) -> __t::Result<::std::vec::Vec<__t::Value>> {
                #body
            }
        }
    }
}
