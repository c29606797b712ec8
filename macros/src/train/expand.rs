//! Syntax to Rust: the program's type, its rules as constants, and its two functions.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::ast::{Element, Entry, ModelKeys, Train, Value};
use super::facts;
use super::value::half;
use crate::docs::first_line;
use crate::literal::{Literal, completed_under, tidy};
use crate::names::snake_case;

/// The whole item.
pub(super) fn train(train: &Train) -> TokenStream {
    let declared = declared(train);
    // Each struct is checked by its own type; the rules across keys are checked by the spec.
    let rules = train.entries.iter().map(|Entry { attributes, key, value, .. }| {
        let key = key.unraw().to_string();
        let elements = value.elements();
        let elements: TokenStream = (0..elements.len())
            .map(|i| {
                let (cfg, place) = (&elements[i].attributes, place(elements, i));
                quote_spanned! {facts::word(&elements[i].value)=>
                    #(#attributes)* #(#cfg)*
                    const _: () = __t::whole(__t::Declaration::rule_of(&__declared, #key, #place));
                }
            })
            .collect();
        quote_spanned! {value.span()=>
            #(#attributes)* const _: () = __t::whole(__t::Declaration::rule(&__declared, #key));
            #elements
        }
    });
    let given = train.entries.iter().map(|Entry { attributes, key, .. }| {
        let key = key.unraw().to_string();
        quote!(#(#attributes)* #key)
    });
    let missing = quote_spanned!(train.name.span()=> const _: () = __t::whole(__t::Declaration::rule_of_missing(&__declared, &[#(#given),*])););
    let name = snake_case(&train.name).unraw().to_string();
    let about = first_line(&train.docs).unwrap_or_default();
    let run = quote!(__t::Experiment::declared(#name, #about, &__declared));
    let main = quote_spanned!(word(train)=> __t::main::<__Itself>);
    let functions = functions(train, &quote!(__t::Experiment<__Model>), &run, &quote!(#main(#run)));
    let declaration = declaration(train);
    let model = train.model.iter().map(|(key, model)| {
        let key = key.to_string();
        quote_spanned!(model.span()=> const _: () = __t::whole(__t::Declaration::rule(&__declared, #key));)
    });
    let block = train.runtime.block(&quote!(#declared #(#model)* #(#rules)* #missing #functions));
    quote!(#declaration #block)
}

/// After an error: the item's public face, and the parts of the spec that could be parsed. So mistakes in other keys are reported
/// too, and editors can resolve the rest.
pub(super) fn face(train: &Train) -> TokenStream {
    let declaration = declaration(train);
    let training = match &train.model {
        Some(_) => quote!(__t::Experiment<__Model>),
        None => quote!(!),
    };
    let functions =
        functions(train, &training, &quote!(::core::unreachable!()), &quote!(::core::unreachable!()));
    let declared = declared(train);
    let block = train.runtime.block(&quote!(#functions #declared));
    quote!(#declaration #block)
}

/// The user's token for the model. Code that needs its traits has this span and uses `__Itself`; where the type is only named,
/// it is `__Model`. So rustc reports a type that is not a model once, in one place.
fn word(train: &Train) -> Span {
    train.model.as_ref().map_or_else(Span::call_site, |(_, model)| model.span())
}

/// The spec as a constant, with the checks of the model and of each struct.
fn declared(train: &Train) -> TokenStream {
    let mut literals = Vec::new();
    let (spec, facts_of_keys) = spec(train, &mut literals);
    let whole = facts::whole();
    let checks: TokenStream = literals.iter().map(Literal::check).collect();
    let Some((_, model)) = &train.model else {
        return quote! {
            #checks
            #[cfg(rust_analyzer)]
            const __declared: __t::Declaration =
                __t::Declaration::of(const { &#spec }, ::core::result::Result::Ok(__t::Shape::UNKNOWN), &[]);
        };
    };
    // Without data, the compiler cannot infer the kind of the targets; an editor does not need it.
    let for_editors = train.data.is_none().then(|| quote!(#[cfg(rust_analyzer)]));
    let declaration = quote_spanned!(model.span()=> __t::Declaration::of::<__Itself, _>);
    let built = built_model(train, model);
    quote! {
        type __Model = #model;
        type __Itself = <__Model as __t::DeclaredModel>::Itself;
        #built
        #checks
        #for_editors
        const __declared: __t::Declaration = {
            use __t::{LookForConfig as _, LookForMetric as _, LookNoFurther as _};
            let #whole = const { &#spec };
            #declaration(#whole, __shapes, &[#(#facts_of_keys),*])
        };
    }
}

/// The model with its keys, its shapes, and the checks of both.
fn built_model(train: &Train, model: &syn::Type) -> TokenStream {
    let mut literals = Vec::new();
    let value = match &train.model_keys {
        // Not under the user's name: the keys of a type that is not a model are no further errors.
        ModelKeys::Given(literal) => {
            Literal::of_named(&quote_spanned!(model.span()=> __Itself), literal, &mut literals)
        }
        // An editor finds the keys by the user's name.
        ModelKeys::Broken(Some(literal)) => Literal::of_struct(literal, &mut literals),
        ModelKeys::Default | ModelKeys::Broken(None) => {
            quote_spanned!(model.span()=> <__Itself as __t::Config>::DEFAULT)
        }
    };
    let span = model.span();
    let value = quote_spanned!(span=> const __model: __Itself = #value;);
    if matches!(train.model_keys, ModelKeys::Broken(_)) {
        return quote! {
            #value
            const __shapes: __t::CheckResult<__t::Shape> = ::core::result::Result::Ok(__t::Shape::UNKNOWN);
        };
    }
    // The last one is the model itself, which has a message of its own.
    let own = literals.pop();
    let names = own.iter().flat_map(Literal::key_names);
    let keys = quote_spanned! {span=>
        __t::model_keys(&__model, &[#(#names),*], __t::check_returned(__model.check()))
    };
    let nested: TokenStream = literals.iter().map(Literal::check).collect();
    let traced = quote_spanned!(span=> __t::shapes_of(__keys, __model.traced()));
    let checks = quote_spanned! {span=>
        const _: () = __t::whole(__keys);
        const _: () = __t::whole(__shapes);
    };
    quote! {
        #value
        #nested
        const __keys: __t::CheckResult = #keys;
        const __shapes: __t::CheckResult<__t::Shape> = #traced;
        #checks
    }
}

/// The program's type.
///
/// Its struct is in a module whose name depends on the source location, and the program's name is an alias of it.
/// So two items of the same name are one error: the implementations for the struct cannot conflict with the other item.
fn declaration(train: &Train) -> TokenStream {
    if train.is_named_like_model {
        return TokenStream::new();
    }
    let Train { docs, visibility, name, .. } = train;
    let (module, program) = (module(train), program(train));
    let structure = quote_spanned!(name.span()=> pub struct #program {});
    let alias = quote_spanned!(name.span()=> type #name = #module::#program;);
    quote! {
        #[doc(hidden)]
        #[allow(missing_docs, unreachable_pub, non_snake_case)]
        mod #module {
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #structure
        }
        #(#docs)*
        #visibility #alias
    }
}

/// The name of the program's struct, which messages show. It differs from the alias, or else rustc would add the module to
/// distinguish them.
fn program(train: &Train) -> Ident {
    Ident::new(&format!("{}Program", train.name.unraw()), train.name.span())
}

/// The name of the module of the program's struct.
fn module(train: &Train) -> Ident {
    let name = train.name.unraw();
    let place = if proc_macro::is_available() {
        let start = train.name.span().unwrap().start();
        format!("_{}_{}", start.line(), start.column())
    } else {
        String::new()
    };
    Ident::new(&format!("__run_{name}{place}"), Span::call_site())
}

fn functions(
    train: &Train,
    training: &TokenStream,
    declared: &TokenStream,
    main: &TokenStream,
) -> TokenStream {
    let program = match &train.model {
        Some((_, model)) if train.is_named_like_model => quote!(#model),
        _ => {
            let (module, program) = (module(train), program(train));
            quote!(#module::#program)
        }
    };
    quote! {
        impl #program {
            /// Returns the declared run, which code can change and start.
            pub fn experiment() -> #training {
                #declared
            }
            /// Runs the command line.
            ///
            /// Without a command it trains, as `train` does. The others are `check`, `eval`, `export`, `summary`, `schedule`,
            /// `find-lr`, `folds`, `spec`, `verify`, `diff` and `replay`; `--help` describes each.
            pub fn main() -> __t::Result<()> {
                #main
            }
        }
    }
}

/// The index of an element in its list, not counting those before it that a `#[cfg]` removes.
fn place(elements: &[Element], i: usize) -> TokenStream {
    let before = &elements[..i];
    if before.iter().all(|element| element.attributes.is_empty()) {
        return quote!(#i);
    }
    let ones = before.iter().map(|Element { attributes, .. }| quote!(#(#attributes)* 1_u8));
    quote!({ const __BEFORE: &[u8] = &[#(#ones),*]; __BEFORE.len() })
}

/// `Spec { key: &value, … }`: keys are fields, so that rustc checks them; and the static facts of each key's values.
fn spec(train: &Train, literals: &mut Vec<Literal>) -> (TokenStream, Vec<TokenStream>) {
    let mut facts_of_keys = Vec::new();
    let entries: Vec<_> = train
        .entries
        .iter()
        .map(|Entry { attributes, key, value, whole }| {
            let mut within = Vec::new();
            let (value, tells) = match value {
                Value::One(value) => {
                    let completed = completed_under(attributes, value, &mut within);
                    (quote_spanned!(value.span()=> &#completed), facts::one(key, value, &completed))
                }
                Value::List(values, span) => {
                    let completed: Vec<_> = values
                        .iter()
                        .map(|element| {
                            let all = [attributes.as_slice(), element.attributes.as_slice()].concat();
                            element.placed(&completed_under(&all, &element.value, &mut within))
                        })
                        .collect();
                    let elements = values.iter().zip(&completed).map(|(Element { attributes: cfg, value, .. }, completed)| {
                        quote_spanned!(value.span()=> #(#cfg)* &#completed)
                    });
                    (quote_spanned!(*span=> &[#(#elements),*]), facts::list(key, values, &completed))
                }
            };
            // A key that is missing in an invalid value is not a further error.
            if *whole {
                literals.append(&mut within);
                facts_of_keys.push(quote!(#(#attributes)* #tells));
            }
            quote!(#(#attributes)* #key: #value)
        })
        .collect();
    let half_typed = train.half_typed.iter().map(half);
    let model = train.model.as_ref().map(|(key, model)| {
        let named = quote_spanned!(model.span()=> __t::model_of::<__Itself>(__model));
        quote!(#key: #named,)
    });
    let data = train.data.as_ref().map(|(key, data)| {
        let text = tidy(&data.to_token_stream());
        let model = quote_spanned!(word(train)=> __Itself);
        let opened = quote_spanned!(data.span()=> __t::data_of(|| __t::opened::<#model, _>(#data), #text));
        quote!(#key: #opened,)
    });
    let span = train.name.span();
    let spec =
        quote_spanned!(span=> __t::Spec { #model #data #(#entries,)* #(#half_typed,)* ..__t::Spec::DEFAULT });
    (spec, facts_of_keys)
}

impl Value {
    fn span(&self) -> Span {
        match self {
            Self::One(value) => value.span(),
            Self::List(_, span) => *span,
        }
    }

    /// The elements of a list.
    fn elements(&self) -> &[Element] {
        match self {
            Self::One(_) => &[],
            Self::List(values, _) => values,
        }
    }
}
