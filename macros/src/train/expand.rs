//! Syntax to Rust: the program's type, its rules as constants, and its two functions.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::ast::{Entry, Train, Value};
use super::tell;
use crate::docs::first_line;
use crate::literal::{Literal, completed, tidy};
use crate::names::snake_case;

/// The whole item.
pub(super) fn train(train: &Train) -> TokenStream {
    let (Some((_, model)), Some(_)) = (&train.model, &train.data) else {
        return face(train);
    };
    let mut literals = Vec::new();
    let (spec, told) = spec(train, &mut literals);
    let checks: TokenStream = literals.iter().map(Literal::check).collect();
    // Structs are judged by their own types; what a key's value is beside the others, by the spec.
    let rules = train.entries.iter().map(|entry| {
        let key = entry.key.to_string();
        let elements = entry.value.elements().iter().enumerate().map(|(place, element)| {
            quote_spanned!(tell::word(element)=> const _: () = __t::whole(__declared.rule_of(#key, #place));)
        });
        let elements: TokenStream = elements.collect();
        quote_spanned!(entry.value.span()=> const _: () = __t::whole(__declared.rule(#key)); #elements)
    });
    let given = train.entries.iter().map(|entry| entry.key.to_string());
    let missing = quote_spanned!(train.name.span()=> const _: () = __t::whole(__declared.rule_of_missing(&[#(#given),*])););
    let shapes = quote_spanned!(model.span()=> <__Model>::shapes());
    let traced = quote_spanned! {model.span()=>
        const _: () = __t::whole(#shapes);
        const _: () = __t::whole(__declared.rule("model"));
    };
    let name = snake_case(&train.name).to_string();
    let about = first_line(&train.docs).unwrap_or_default();
    let functions = functions(
        train,
        &quote!(__t::Training<__Model>),
        &quote!(__t::Training::declared(#name, #about, &__declared)),
        &quote!(__t::main(Self::training())),
    );
    let declaration = declaration(train);
    let whole = tell::whole();
    let block = train.runtime.block(&quote! {
        type __Model = #model;
        #checks
        const __declared: __t::Declaration<__Model> = {
            use __t::{LookForConfig as _, LookForMetric as _, LookNoFurther as _};
            let #whole = const { &#spec };
            __t::Declaration::of(#whole, #shapes, &[#(#told),*])
        };
        #traced
        #(#rules)*
        #missing
        #functions
    });
    quote!(#declaration #block)
}

/// The item's public face, for use after an error.
pub(super) fn face(train: &Train) -> TokenStream {
    let declaration = declaration(train);
    let training = match &train.model {
        Some((_, model)) => quote!(__t::Training<#model>),
        None => quote!(!),
    };
    let functions =
        functions(train, &training, &quote!(::core::unreachable!()), &quote!(::core::unreachable!()));
    let block = train.runtime.block(&functions);
    quote!(#declaration #block)
}

fn declaration(train: &Train) -> TokenStream {
    let Train { docs, visibility, name, .. } = train;
    let structure = quote_spanned!(name.span()=> struct #name {});
    quote! {
        #(#docs)*
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #visibility #structure
    }
}

fn functions(
    train: &Train,
    training: &TokenStream,
    declared: &TokenStream,
    main: &TokenStream,
) -> TokenStream {
    let name = &train.name;
    quote! {
        impl #name {
            /// The declared run, to be changed and started from code.
            pub fn training() -> #training {
                #declared
            }
            /// The command line: `train`, `eval`, `summary`, `schedule`, `spec`.
            pub fn main() -> __t::Result<()> {
                #main
            }
        }
    }
}

/// `Spec { key: &value, … }`: keys are fields, so that rustc knows them; and what each key's values tell of themselves.
fn spec(train: &Train, literals: &mut Vec<Literal>) -> (TokenStream, Vec<TokenStream>) {
    let mut told = Vec::new();
    let entries: Vec<_> = train
        .entries
        .iter()
        .map(|Entry { key, value }| {
            let value = match value {
                Value::One(value) => {
                    let completed = completed(value, literals);
                    told.push(tell::one(key, value, &completed));
                    quote_spanned!(value.span()=> &#completed)
                }
                Value::List(values, span) => {
                    let completed: Vec<_> = values.iter().map(|value| completed(value, literals)).collect();
                    told.push(tell::list(key, values, &completed));
                    let elements = values
                        .iter()
                        .zip(&completed)
                        .map(|(value, completed)| quote_spanned!(value.span()=> &#completed));
                    quote_spanned!(*span=> &[#(#elements),*])
                }
            };
            quote!(#key: #value)
        })
        .collect();
    let model = train.model.as_ref().map(|(key, model)| {
        let named = quote_spanned!(model.span()=> __t::model_of::<__Model>());
        quote!(#key: #named,)
    });
    let data = train.data.as_ref().map(|(key, data)| {
        let text = tidy(&data.to_token_stream());
        let opened = quote_spanned!(data.span()=> __t::data_of(#text, || __t::opened::<__Model, _>(#data)));
        quote!(#key: #opened,)
    });
    let span = train.name.span();
    (quote_spanned!(span=> __t::Spec { #model #data #(#entries,)* ..__t::Spec::DEFAULT }), told)
}

impl Value {
    fn span(&self) -> Span {
        match self {
            Self::One(value) => value.span(),
            Self::List(_, span) => *span,
        }
    }

    /// The elements of a list.
    fn elements(&self) -> &[Expr] {
        match self {
            Self::One(_) => &[],
            Self::List(values, _) => values,
        }
    }
}
