//! The model's struct, its call name, and its implementations of the runtime's traits.

use std::fmt::Write;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::layers::Called;
use crate::docs::meaning;
use crate::model::ast::Signature;
use crate::names::snake_case;
use crate::path::Runtime;

/// `pub struct Name { keys }` and `pub use Name as name`.
pub(super) fn types(runtime: &Runtime, signature: &Signature, layers: &[Called]) -> TokenStream {
    let private = runtime.private();
    let serde = runtime.serde();
    let Signature { attributes, visibility, name, generics, keys, .. } = signature;
    let (parameters, _, _) = generics.split_for_impl();
    let parameters = definition_generics(generics, &parameters);
    let table = table(layers);
    let fields = keys.iter().map(|key| {
        let (name, ty) = (&key.name, &key.ty);
        let docs = if key.docs.is_empty() {
            let text = format!("The model's `{}`.", name.unraw());
            quote!(#[doc = #text])
        } else {
            let docs = &key.docs;
            quote!(#(#docs)*)
        };
        quote!(#docs pub #name: #ty,)
    });
    // Where rustc points at the definition, it points at the user's name.
    let structure = quote_spanned!(name.span()=> struct #name #parameters { #(#fields)* });
    let call_name = snake_case(name);
    let can_be_named = !["self", "super", "crate"].iter().any(|word| call_name == word);
    let alias = (can_be_named && call_name != *name).then(|| {
        quote! {
            #[allow(unused_imports)]
            #[doc(hidden)]
            #visibility use #name as #call_name;
        }
    });
    quote! {
        #(#attributes)*
        #table
        #[derive(
            ::core::clone::Clone,
            ::core::marker::Copy,
            ::core::fmt::Debug,
            #private::serde::Serialize,
            #private::serde::Deserialize,
        )]
        #[serde(crate = #serde)]
        #visibility #structure
        #alias
    }
}

/// `Config` and `Model`.
pub(super) fn traits(signature: &Signature) -> TokenStream {
    let Signature { name, generics, keys, inputs, output, .. } = signature;
    let (parameters, arguments, _) = generics.split_for_impl();
    let call_name = snake_case(name).unraw().to_string();
    let defaults = keys.iter().map(|key| {
        let (name, ty) = (&key.name, &key.ty);
        match &key.default {
            Some(value) => quote!(#name: #value),
            // Never used: the key is required.
            None => quote!(#name: <#ty as __t::Blank>::BLANK),
        }
    });
    let required = keys.iter().filter(|key| key.default.is_none()).map(|key| {
        let name = key.name.unraw().to_string();
        let meaning = meaning(&key.docs).unwrap_or_else(|| format!("a parameter of `{}`", signature.name));
        quote!((#name, #meaning))
    });
    let kinds: Vec<_> = inputs.iter().map(|input| &input.kind).collect();
    let input = match kinds.as_slice() {
        [kind] => quote!(#kind),
        kinds => quote!((#(#kinds,)*)),
    };
    let fixed: Vec<_> = generics.const_params().map(|generic| generic.ident.unraw().to_string()).collect();
    let fixed = (!fixed.is_empty())
        .then(|| quote!(const GENERICS: &'static [&'static ::core::primitive::str] = &[#(#fixed),*];));
    // For a type that is not a model, rustc lists the types that are, here.
    let declared = quote_spanned! {name.span()=>
        impl #parameters __t::DeclaredModel for #name #arguments {
            type Itself = Self;
        }
    };
    quote! {
        impl #parameters __t::Config for #name #arguments {
            const NAME: &'static ::core::primitive::str = #call_name;
            const DEFAULT: Self = Self { #(#defaults,)* };
            const REQUIRED: &'static [(&'static ::core::primitive::str, &'static ::core::primitive::str)] = &[#(#required),*];
            const CHECK: fn(&Self) -> __t::CheckResult = Self::check;
        }
        impl #parameters __t::Model for #name #arguments {
            type Input = #input;
            type Output = #output;
            #fixed
        }
        #declared
    }
}

/// The generics of a struct: as in an `impl`, but with their defaults.
fn definition_generics(generics: &syn::Generics, parameters: &impl quote::ToTokens) -> TokenStream {
    if generics.params.is_empty() {
        return quote!();
    }
    let has_default = generics
        .params
        .iter()
        .any(|generic| matches!(generic, syn::GenericParam::Const(c) if c.default.is_some()));
    if has_default {
        let all = &generics.params;
        return quote!(<#all>);
    }
    quote!(#parameters)
}

/// The layer calls in the order of the source, as documentation.
fn table(layers: &[Called]) -> TokenStream {
    if layers.is_empty() {
        return quote!();
    }
    let mut text = String::from("\n| layer | keys |\n| --- | --- |\n");
    for called in layers {
        let keys = called.keys.replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {keys} |", called.name);
    }
    quote!(#[doc = #text])
}
