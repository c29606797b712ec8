//! Configuration literals: the user's keys, completed with the defaults of the type.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprStruct, Ident, Member};

/// `name { key: value, ..DEFAULT }`, from parts that keep their own spans.
///
/// The type is named only once, so that rustc reports an unknown type once.
pub(crate) struct Literal {
    /// The `#[cfg]`s of the key or element whose value this is.
    pub(crate) attributes: Vec<Attribute>,
    /// The user's token: errors about the whole configuration are reported here.
    pub(crate) span: Span,
    /// The names of the keys that are set, with their `#[cfg]`s.
    keys: Vec<(Vec<Attribute>, Ident)>,
    /// The expression.
    pub(crate) tokens: TokenStream,
}

impl Literal {
    /// A layer's call `.name(key = value)` as a literal.
    pub(crate) fn of_call(name: &TokenStream, span: Span, keys: &[(Ident, Expr)]) -> Self {
        let fields = keys.iter().map(|(key, value)| quote!(#key: #value));
        let tokens = quote_spanned! {span=>
            __t::called(#name { #(#fields,)* ..<_ as __t::Callable<_>>::DEFAULT })
        };
        let keys = keys.iter().map(|(key, _)| (Vec::new(), key.clone())).collect();
        Self { attributes: Vec::new(), span, keys, tokens }
    }

    /// Completes a struct literal of the user; one with its own `..` is unchanged. Nested literals
    /// are completed too and are added to `all`, innermost first.
    pub(crate) fn of_struct(literal: &ExprStruct, all: &mut Vec<Self>) -> TokenStream {
        Self::of_named(&literal.path.to_token_stream(), literal, all)
    }

    /// The same under another name for its type, so that rustc reports an error in the type once, where that name is defined.
    pub(crate) fn of_named(path: &TokenStream, literal: &ExprStruct, all: &mut Vec<Self>) -> TokenStream {
        let span = literal.path.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span());
        let fields: Vec<_> = literal
            .fields
            .iter()
            .map(|field| {
                let (attributes, member) = (&field.attrs, &field.member);
                if field.colon_token.is_none() {
                    // Only once, as written: an editor searches for what is typed here.
                    return field.to_token_stream();
                }
                let value = completed_under(attributes, &field.expr, all);
                quote!(#(#attributes)* #member: #value)
            })
            .collect();
        let tokens = match &literal.rest {
            Some(rest) => quote_spanned!(span=> #path { #(#fields,)* ..#rest }),
            None => {
                quote_spanned!(span=> __t::part(#path { #(#fields,)* ..<_ as __t::Configuration<_>>::DEFAULT }))
            }
        };
        if literal.rest.is_none() {
            let keys = literal.fields.iter().filter_map(|field| match &field.member {
                Member::Named(key) => Some((field.attrs.clone(), key.clone())),
                Member::Unnamed(_) => None,
            });
            all.push(Self { attributes: Vec::new(), span, keys: keys.collect(), tokens: tokens.clone() });
        }
        tokens
    }

    /// The names of the keys that are set, as strings.
    pub(crate) fn key_names(&self) -> impl Iterator<Item = TokenStream> {
        self.keys.iter().map(|(attributes, key)| {
            let name = key.unraw().to_string();
            quote!(#(#attributes)* #name)
        })
    }

    /// A `const` that fails at the user's token when the configuration's own check fails.
    pub(crate) fn check(&self) -> TokenStream {
        let (attributes, tokens, names) = (&self.attributes, &self.tokens, self.key_names());
        quote_spanned! {self.span=>
            #(#attributes)*
            const _: () = {
                let __layer = #tokens;
                __t::alone(&__layer, &[#(#names),*], __t::check_returned(__layer.check()))
            };
        }
    }
}

/// Whether a literal is of a struct, which a `..` can complete, and not of an enum variant, which is written after its type:
/// `Initializer::Normal { std: 0.02 }`.
pub(crate) fn is_struct(literal: &ExprStruct) -> bool {
    let before = literal.path.segments.iter().rev().nth(1);
    !before.is_some_and(|segment| segment.ident.to_string().starts_with(char::is_uppercase))
}

/// [`completed`] for a value under these `#[cfg]`s.
pub(crate) fn completed_under(attributes: &[Attribute], value: &Expr, all: &mut Vec<Literal>) -> TokenStream {
    let before = all.len();
    let tokens = completed(value, all);
    for literal in &mut all[before..] {
        literal.attributes.extend_from_slice(attributes);
    }
    tokens
}

/// Completes the struct literals of an expression and adds them to `all`.
pub(crate) fn completed(value: &Expr, all: &mut Vec<Literal>) -> TokenStream {
    match value {
        Expr::Struct(literal) if is_struct(literal) => Literal::of_struct(literal, all),
        Expr::Paren(inner) => completed(&inner.expr, all),
        Expr::Group(inner) => completed(&inner.expr, all),
        Expr::Tuple(tuple) => {
            let parts: Vec<_> = tuple.elems.iter().map(|part| completed(part, all)).collect();
            quote_spanned!(value.span()=> (#(#parts,)*))
        }
        // `&a + b` would be `(&a) + b`.
        Expr::Binary(_) | Expr::Cast(_) | Expr::Range(_) => quote_spanned!(value.span()=> (#value)),
        other => other.to_token_stream(),
    }
}

/// Formats tokens with conventional spacing, for the usual constant expressions.
pub(crate) fn tidy(tokens: &TokenStream) -> String {
    let mut text = tokens.to_string();
    for (found, written) in [
        (" :: ", "::"),
        (":: ", "::"),
        ("- ", "-"),
        (" . ", "."),
        (" ,", ","),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" < ", "<"),
        (" >", ">"),
        (" ?", "?"),
    ] {
        text = text.replace(found, written);
    }
    text
}
