//! The model's shapes: its body once more, over shapes instead of tensors, in const evaluation.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{PathArguments, Type};

use super::emit::{Over, emit};
use crate::model::ast::{Signature, Steps};
use crate::syntax::peeled_type;

/// The shape functions.
///
/// A model without parameters is traced in a `const` of its own, where the first mistake is an error on the
/// user's word. One with parameters, or with an input of any shape, is traced by `output` for each use.
pub(super) fn shapes(signature: &Signature, body: &Steps) -> TokenStream {
    let stands_alone = signature.generics.params.is_empty() && signature.keys.is_empty();
    let trace = stands_alone.then(|| {
        let name = format_ident!("shapes_of_{}", signature.name, span = Span::mixed_site());
        let inputs = signature.inputs.iter().map(|input| {
            let (mutable, name, kind) = (&input.mutable, &input.name, &input.kind);
            quote!(let #mutable #name = __trace.kind::<#kind>();)
        });
        let traced = traced(signature, body);
        quote! {
            #[allow(unused_mut, unused_variables, unused_assignments)]
            const #name: __t::Shape = {
                let mut __trace = __t::Trace::SPEAKING;
                #(#inputs)*
                #traced
            };
        }
    });
    let output = if stands_alone && signature.inputs.iter().all(|input| is_concrete(&input.kind)) {
        // Its inputs have one shape, and what it does with that is checked by the `const`.
        let output = &signature.output;
        quote!(__trace.finish(<#output as __t::Kind>::SHAPE))
    } else {
        let traced = traced(signature, body);
        quote! {
            let __output = { #traced };
            __trace.finish(__output)
        }
    };
    let functions = functions(signature, &output);
    quote!(#trace #functions)
}

/// The same functions after an error: nothing can be said.
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
        quote!(let #mutable #name = __trace.input::<#kind>(#word, #name);)
    });
    let known = inputs.iter().map(|input| {
        let kind = &input.kind;
        quote!(<#kind as __t::Kind>::SHAPE)
    });
    let keys = keys.iter().map(|key| &key.name);
    quote! {
        impl #parameters #name #arguments {
            /// The rules of the model's own keys; those of its layers are part of [`Self::output`].
            pub const fn check(&self) -> __t::Verdict {
                ::core::result::Result::Ok(())
            }
            /// The shape that the model gives for inputs of these shapes.
            #[allow(unused_mut, unused_variables, unused_assignments)]
            pub const fn output(&self, #(#takes),*) -> __t::Verdict<__t::Shape> {
                let mut __trace = __t::Trace::QUIET;
                #(let #keys = self.#keys;)*
                #(#given)*
                #output
            }
            /// The shape that the model gives for inputs of its own kinds, with its default keys.
            pub const fn shapes() -> __t::Verdict<__t::Shape> {
                <Self as __t::Config>::DEFAULT.output(#(#known),*)
            }
        }
    }
}

/// The body over shapes, ending in the output's shape.
fn traced(signature: &Signature, body: &Steps) -> TokenStream {
    let (steps, tail) = emit(Over::Shapes, body);
    let output = &signature.output;
    let trace = Over::Shapes.local(output.span());
    let end = quote_spanned!(output.span()=> (#trace).output::<#output>(#tail));
    quote!(#steps #end)
}

/// Whether a kind has lengths of its own, as `Image<1, 8, 8>` has and `Value` has not.
fn is_concrete(kind: &Type) -> bool {
    match peeled_type(kind) {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| matches!(last.arguments, PathArguments::AngleBracketed(_))),
        _ => false,
    }
}
