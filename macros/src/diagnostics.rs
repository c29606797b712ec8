//! Collects errors, so that one macro call reports all of them at once.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Error;

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Diagnostics {
    errors: Option<Error>,
    /// Errors that the expansion leaves to rustc, since the message depends on a type.
    left_to_rustc: usize,
}

impl Diagnostics {
    /// Adds an error on these tokens. Its message states what was found and what to write instead.
    pub(crate) fn error(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// Adds an error from syn.
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// Counts an error that the expansion leaves to rustc.
    pub(crate) fn leave_to_rustc(&mut self) {
        self.left_to_rustc += 1;
    }

    /// Whether there are no errors so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_none() && self.left_to_rustc == 0
    }

    /// The number of errors.
    pub(crate) fn len(&self) -> usize {
        self.errors.iter().flatten().count() + self.left_to_rustc
    }

    /// Converts the errors to code: one `compile_error!` each.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.errors.map(|errors| errors.to_compile_error()).unwrap_or_default()
    }
}
