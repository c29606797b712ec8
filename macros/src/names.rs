//! Call names of models and runs.

use quote::format_ident;
use syn::Ident;

/// The name in snake case, with the span of the original: `DigitNet` is called `digit_net`.
pub(crate) fn snake_case(name: &Ident) -> Ident {
    let text = name.to_string();
    let mut snake = String::with_capacity(text.len() + 4);
    let mut previous: Option<char> = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let begins_word = letter.is_uppercase()
            && previous.is_some_and(|previous| {
                // `DigitNet` and the last capital of `MLPHead` begin words; the others of `MLP` do not.
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
    format_ident!("{}", snake, span = name.span())
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
        ] {
            assert_eq!(snake_case(&Ident::new(name, Span::call_site())), snake);
        }
    }
}
