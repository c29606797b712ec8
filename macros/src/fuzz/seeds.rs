//! Every model and run in the repository, valid and invalid.

use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The items under each `#[model]`, and the contents of each `train!` and of each `quote!` of the expansion tests.
pub(super) fn seeds() -> Vec<TokenStream> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seeds = Vec::new();
    for folder in ["macros/src/tests.rs", "tests", "examples", "runtime/src/docs", "README.md"] {
        from(&root.join(folder), &mut seeds);
    }
    // The same model occurs in many files.
    let mut seen = std::collections::HashSet::new();
    seeds.retain(|seed| seen.insert(seed.to_string()));
    seeds
}

fn from(path: &Path, seeds: &mut Vec<TokenStream>) {
    if path.is_dir() {
        let mut inside: Vec<_> =
            std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        inside.sort();
        return inside.iter().for_each(|path| from(path, seeds));
    }
    let extension = path.extension().and_then(|extension| extension.to_str());
    if !matches!(extension, Some("rs" | "md")) {
        return;
    }
    let text = std::fs::read_to_string(path).unwrap();
    let parts: Vec<_> = match extension {
        Some("md") => {
            text.split("```").skip(1).step_by(2).map(|block| block.trim_start_matches("rust")).collect()
        }
        _ => vec![text.as_str()],
    };
    for part in parts {
        if let Ok(tokens) = part.parse::<TokenStream>() {
            gather(tokens, seeds);
        }
    }
}

fn gather(tokens: TokenStream, seeds: &mut Vec<TokenStream>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    for (place, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if *word == "train" || *word == "quote" => {
                if let [TokenTree::Punct(mark), TokenTree::Group(body), ..] = &tokens[place + 1..]
                    && mark.as_char() == '!'
                {
                    seeds.push(body.stream());
                }
            }
            TokenTree::Group(group) => {
                let is_model = group.delimiter() == Delimiter::Bracket
                    && group.stream().to_string().starts_with("model");
                if is_model {
                    seeds.push(item(&tokens[place + 1..]));
                }
                gather(group.stream(), seeds);
            }
            _ => {}
        }
    }
}

/// The tokens up to the first braces.
fn item(tokens: &[TokenTree]) -> TokenStream {
    let is_body =
        |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let end = tokens.iter().position(is_body).map_or(tokens.len(), |body| body + 1);
    tokens[..end].iter().cloned().collect()
}
