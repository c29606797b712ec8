//! The model's shapes: its body emitted over shapes instead of tensors, for const evaluation.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::emit::{Over, emit};
use crate::model::ast::{Flow, Signature, Steps};

/// Whether the model's shapes depend only on the model itself.
pub(super) fn stands_alone(signature: &Signature) -> bool {
    signature.generics.params.is_empty() && signature.keys.is_empty()
}

/// The shape functions.
///
/// A model without parameters is traced in its own `const`, where the first mistake is an error at the
/// user's token. `output` traces every model for each use, without reporting.
pub(super) fn shapes(signature: &Signature, body: &Steps) -> TokenStream {
    let trace = stands_alone(signature).then(|| {
        let name = &signature.name;
        let constant = format_ident!("shapes_of_{}", signature.name, span = Span::mixed_site());
        let inputs = signature.inputs.iter().map(|input| {
            let (mutable, name, kind) = (&input.mutable, &input.name, &input.kind);
            quote!(let #mutable #name = __trace.kind(<#kind as __t::Kind>::SHAPE);)
        });
        let (traced, shape) = (traced(signature, body), shape(signature));
        let quiet = first(signature, &quote!(#name::shapes()));
        quote! {
            #[allow(unused_mut, unused_variables, unused_assignments)]
            const #constant: #shape = {
                let mut __trace = __t::Trace::speaking(#quiet);
                #(#inputs)*
                #traced
            };
        }
    });
    let traced = traced(signature, body);
    let finish = format_ident!("{}", if signature.outputs() == 1 { "finish" } else { "finish_all" });
    let output = quote! {
        let __output = { #traced };
        __trace.#finish(__output)
    };
    let functions = functions(signature, &output);
    quote!(#trace #functions)
}

/// The same functions after an error, with unknown shapes.
pub(super) fn face(signature: &Signature) -> TokenStream {
    functions(signature, &quote!(__trace.unsaid()))
}

fn functions(signature: &Signature, output: &TokenStream) -> TokenStream {
    let Signature { name, generics, inputs, keys, .. } = signature;
    let (parameters, arguments, _) = generics.split_for_impl();
    let takes = inputs.iter().map(|input| {
        let name = &input.name;
        quote!(#name: __t::Shape)
    });
    let given = inputs.iter().map(|input| {
        let (mutable, name, kind) = (&input.mutable, &input.name, &input.kind);
        let word = name.unraw().to_string();
        quote! {
            let #mutable #name =
                __trace.input(#word, (<#kind as __t::Kind>::NAME, <#kind as __t::Kind>::SHAPE), #name);
        }
    });
    let known: Vec<_> = inputs
        .iter()
        .map(|input| {
            let kind = &input.kind;
            quote!(<#kind as __t::Kind>::SHAPE)
        })
        .collect();
    // A model without parameters reports its errors in its own constant; a run that uses it does not repeat them.
    let traced = first(signature, &quote!(self.output(#(#known),*)));
    let traced = if stands_alone(signature) { quote!(__t::silent(#traced)) } else { traced };
    let several = (signature.outputs() > 1).then(|| {
        let names: Vec<_> = inputs.iter().map(|input| &input.name).collect();
        quote! {
            /// The shapes that the model returns, one for each of several names.
            pub const fn outputs<const __N: ::core::primitive::usize>(&self, #(#names: __t::Shape),*) -> __t::CheckResult<[__t::Shape; __N]> {
                __t::named_outputs(self.output(#(#names),*))
            }
        }
    });
    let in_parts =
        (signature.outputs() > 1).then(|| quote!(impl #parameters __t::InParts for #name #arguments {}));
    let keys = keys.iter().map(|key| &key.name);
    let shape = shape(signature);
    // Where rustc points at the method, it points at the user's name.
    let method = Ident::new("output", name.span());
    quote! {
        impl #parameters #name #arguments {
            /// The rules of the model's own keys; those of its layers are part of [`Self::output`].
            pub const fn check(&self) -> __t::CheckResult {
                ::core::result::Result::Ok(())
            }
            /// The shape that the model returns for inputs of these shapes.
            #[allow(unused_mut, unused_variables, unused_assignments)]
            pub const fn #method(&self, #(#takes),*) -> __t::CheckResult<#shape> {
                let mut __trace = __t::Trace::QUIET;
                #(let #keys = self.#keys;)*
                #(#given)*
                #output
            }
            /// The shape that the model returns for inputs of its own kinds, with its default keys.
            pub const fn shapes() -> __t::CheckResult<#shape> {
                <Self as __t::Config>::DEFAULT.output(#(#known),*)
            }
            #several
            /// The shape of the first output for inputs of the model's own kinds, with these keys.
            pub const fn traced(&self) -> __t::CheckResult<__t::Shape> {
                #traced
            }
        }
        #in_parts
    }
}

/// The type of a model's output shapes.
fn shape(signature: &Signature) -> TokenStream {
    match signature.outputs() {
        1 => quote!(__t::Shape),
        outputs => quote!([__t::Shape; #outputs]),
    }
}

/// The result for all output shapes as a result for one: the shape of the first output.
fn first(signature: &Signature, shapes: &TokenStream) -> TokenStream {
    if signature.outputs() == 1 { shapes.clone() } else { quote!(__t::first_of(#shapes)) }
}

/// The body over shapes, ending in the shapes of the outputs.
fn traced(signature: &Signature, body: &Steps) -> TokenStream {
    let (name, (_, arguments, _)) = (&signature.name, signature.generics.split_for_impl());
    // A layer that cannot be the last one is reported at its own token, if the body ends in a call of it.
    let last = |place: usize, flow: &Flow| match flow {
        Flow::Call(last) => {
            let span = last.layer.span();
            let trace = Over::Shapes.local(span);
            quote_spanned!(span=> (#trace).ends::<#name #arguments>(#place);)
        }
        _ => TokenStream::new(),
    };
    let (steps, outputs) = emit(Over::Shapes, body, last);
    let kinds: Vec<&syn::Type> = match &signature.output {
        syn::Type::Tuple(tuple) => tuple.elems.iter().collect(),
        kind => vec![kind],
    };
    let ends = kinds.iter().zip(&outputs).enumerate().map(|(place, (kind, output))| {
        let span = kind.span();
        let trace = Over::Shapes.local(span);
        quote_spanned!(span=> (#trace).output_of::<#name #arguments>(#place, #output))
    });
    match signature.outputs() {
        1 => quote!(#steps #(#ends)*),
        _ => quote!(#steps [#(#ends),*]),
    }
}
