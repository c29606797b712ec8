//! Errors, collected: one macro call reports all of its mistakes at once.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Error;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Diagnostics {
    errors: Option<Error>,
    /// Mistakes that the expansion lets rustc report, since the message needs to know a type.
    left_to_rustc: usize,
}

impl Diagnostics {
    /// Adds a mistake on these tokens. Its text says what was found and what to write instead.
    pub(crate) fn error(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// Adds a mistake that syn found.
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// Counts a mistake that the expansion lets rustc report.
    pub(crate) fn leave_to_rustc(&mut self) {
        self.left_to_rustc += 1;
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_none() && self.left_to_rustc == 0
    }

    /// How many mistakes there are.
    pub(crate) fn len(&self) -> usize {
        self.errors.iter().flatten().count() + self.left_to_rustc
    }

    /// The mistakes as code: one `compile_error!` each.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.errors.map(|errors| errors.to_compile_error()).unwrap_or_default()
    }
}
