//! One `const` for each configuration that stands alone, so that every bad one is its own error.

use proc_macro2::TokenStream;

use super::layers::Called;

/// The checks of all calls whose keys are constants.
pub(super) fn checks(layers: &[Called]) -> TokenStream {
    layers.iter().filter(|called| called.stands_alone).map(|called| called.literal.check()).collect()
}
