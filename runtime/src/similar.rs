//! What a misspelt name was probably meant to be.

/// The most similar of these names, if one is similar enough to be meant. The measure and its bound are those of clap, which
/// suggests commands and options.
pub(crate) fn similar<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const BOUND: f64 = 0.7;
    names
        .into_iter()
        .map(|known| (strsim::jaro(name, known), known))
        .filter(|(similarity, _)| *similarity > BOUND)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typo_is_matched_and_other_word_is_not() {
        let keys = ["batch", "precision", "optimizer", "epochs", "on_non_finite"];
        for (word, meant) in
            [("precison", "precision"), ("optimiser", "optimizer"), ("bacth", "batch"), ("epoch", "epochs")]
        {
            assert_eq!(similar(word, keys), Some(meant));
        }
        assert_eq!(similar("learning_rate", keys), None);
        assert_eq!(similar("precision", []), None);
    }
}
