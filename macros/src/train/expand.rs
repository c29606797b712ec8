//! Syntax to Rust: the program's type, its rules as constants, and its two functions.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::ast::{Entry, Train, Value};
use crate::literal::{Literal, completed};
use crate::names::snake_case;
use crate::path::Runtime;

/// The whole item.
pub(super) fn train(train: &Train) -> TokenStream {
    let (Some((_, model)), Some(_)) = (&train.model, &train.data) else {
        return face(train);
    };
    let runtime = &train.runtime;
    let private = runtime.private();
    let mut literals = Vec::new();
    let spec = spec(train, &mut literals);
    let checks: TokenStream = literals.iter().map(|literal| literal.check(runtime)).collect();
    let rules_name = format_ident!("rules_of_{}", train.name, span = Span::mixed_site());
    let rules = train.entries.iter().map(|entry| {
        let key = entry.key.to_string();
        quote_spanned!(entry.value.span()=> const _: () = #private::whole(#rules_name.of(#key));)
    });
    let shapes = quote_spanned!(model.span()=> const _: () = #private::whole(<#model>::shapes()););
    let name = snake_case(&train.name).to_string();
    let functions = functions(
        train,
        &quote!(#private::Training<#model>),
        &quote!(#private::Training::declared(#name, const { #spec })),
        &quote!(#private::main(Self::training())),
    );
    let declaration = declaration(train);
    let allowances = Runtime::allowances();
    quote! {
        #declaration
        #allowances
        const _: () = {
            #shapes
            #checks
            const #rules_name: #private::Rules = #spec.rules();
            #(#rules)*
            #functions
        };
    }
}

/// The item's public face, for use after an error.
pub(super) fn face(train: &Train) -> TokenStream {
    let private = train.runtime.private();
    let declaration = declaration(train);
    let training = match &train.model {
        Some((_, model)) => quote!(#private::Training<#model>),
        None => quote!(!),
    };
    let functions =
        functions(train, &training, &quote!(::core::unreachable!()), &quote!(::core::unreachable!()));
    quote! {
        #declaration
        const _: () = { #functions };
    }
}

fn declaration(train: &Train) -> TokenStream {
    let Train { docs, visibility, name, .. } = train;
    quote! {
        #(#docs)*
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #visibility struct #name {}
    }
}

fn functions(
    train: &Train,
    training: &TokenStream,
    declared: &TokenStream,
    main: &TokenStream,
) -> TokenStream {
    let private = train.runtime.private();
    let name = &train.name;
    quote! {
        impl #name {
            /// The declared run, to be changed and started from code.
            pub fn training() -> #training {
                #declared
            }
            /// The command line: `train`, `eval`, `summary`, `spec`.
            pub fn main() -> #private::Result<()> {
                #main
            }
        }
    }
}

/// `Spec { key: Some(&value), … }`: keys are fields, so that rustc knows them.
fn spec(train: &Train, literals: &mut Vec<Literal>) -> TokenStream {
    let runtime = &train.runtime;
    let private = runtime.private();
    let entries: Vec<_> = train
        .entries
        .iter()
        .map(|Entry { key, value }| {
            let value = match value {
                Value::One(value) => {
                    let completed = completed(runtime, value, literals);
                    quote_spanned!(value.span()=> &#completed)
                }
                Value::List(values, span) => {
                    let elements = values.iter().map(|value| {
                        let completed = completed(runtime, value, literals);
                        quote_spanned!(value.span()=> &#completed)
                    });
                    quote_spanned!(*span=> &[#(#elements),*])
                }
            };
            quote!(#key: ::core::option::Option::Some(#value))
        })
        .collect();
    let model = train.model.as_ref().map(|(key, model)| {
        let named = quote_spanned!(model.span()=> #private::Declared::<#model>::NEW);
        quote!(#key: #named,)
    });
    let data = train.data.as_ref().map(|(key, data)| {
        let model = train.model.as_ref().map(|(_, model)| model.to_token_stream());
        let opened = quote_spanned!(data.span()=> #private::data_of::<#model, _>(|| #private::IntoDataset::into_dataset(#data)));
        quote!(#key: #opened,)
    });
    quote!(#private::Spec { #model #data #(#entries,)* ..#private::Spec::DEFAULT })
}

impl Value {
    fn span(&self) -> Span {
        match self {
            Self::One(value) => value.span(),
            Self::List(_, span) => *span,
        }
    }
}
