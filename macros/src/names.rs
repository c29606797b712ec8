//! Call names of models and runs.

use quote::ToTokens;
use syn::Ident;
use syn::ext::IdentExt;

/// The name in snake case, with the span of the original: `DigitNet` is called `digit_net`.
pub(crate) fn snake_case(name: &Ident) -> Ident {
    let text = name.unraw().to_string();
    let mut snake = String::with_capacity(text.len() + 4);
    let mut previous: Option<char> = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let begins_word = letter.is_uppercase()
            && previous.is_some_and(|previous| {
                // The capitals of `DigitNet` and the last one of `MLPHead` start words; the others of `MLP` do not.
                previous.is_lowercase()
                    || previous.is_ascii_digit()
                    || (previous.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase()))
            });
        if begins_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
        previous = Some(letter);
    }
    let call_name = Ident::new(&snake, name.span());
    let is_word = syn::parse2::<Ident>(call_name.to_token_stream()).is_ok();
    // `Box` is called `r#box`; these keywords have no raw form.
    if is_word || ["self", "super", "crate", "_"].contains(&snake.as_str()) {
        call_name
    } else {
        Ident::new_raw(&snake, name.span())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::Span;

    #[test]
    fn names_are_cut_at_words() {
        for (name, snake) in [
            ("DigitNet", "digit_net"),
            ("Mlp", "mlp"),
            ("MLPHead", "mlp_head"),
            ("ResNet20", "res_net20"),
            ("block", "block"),
            ("Loop", "r#loop"),
            ("Crate", "crate"),
        ] {
            assert_eq!(snake_case(&Ident::new(name, Span::call_site())).to_string(), snake);
        }
    }
}
