//! Formatted expansions. To accept new ones: `INSTA_UPDATE=always cargo test -p
//! trainspec-macros`.

use proc_macro2::TokenStream;
use quote::quote;

fn pretty(expansion: TokenStream) -> String {
    let file: syn::File = syn::parse2(expansion).expect("an expansion is a list of items");
    prettyplease::unparse(&file)
}

fn model(item: TokenStream) -> String {
    pretty(crate::model::expand(TokenStream::new(), item))
}

#[test]
fn a_model_without_parameters() {
    insta::assert_snapshot!(model(quote! {
        /// Two convolutions and a small head for 8x8 grey digits.
        pub fn DigitNet(image: Image<1, 8, 8>) -> Logits<10> {
            image
                .conv2d(out = 32, kernel = 3, padding = 1, bias = false)
                .batch_norm()
                .relu()
                .max_pool2d(kernel = 2)
                .flatten()
                .dropout(p = 0.25)
                .linear(out = 10)
        }
    }));
}

#[test]
fn a_part_of_other_models() {
    insta::assert_snapshot!(model(quote! {
        fn Block(x: Value, heads: usize, #[default(0.1)] dropout: f64) -> Value {
            let x = x + x.layer_norm().self_attention(heads = heads, causal = true, dropout = dropout);
            x + x.layer_norm().linear(out = 1024).gelu().linear(out = 256)
        }
    }));
}

#[test]
fn loops_branches_and_names() {
    insta::assert_snapshot!(model(quote! {
        pub fn Net<const DEPTH: usize, const DEEP: bool>(x: Features<64>) -> Logits<10> {
            let stem = x.linear(out = 32);
            let mut x = stem;
            for i in 1..=DEPTH {
                x = x.linear(out = 32 * i).relu();
            }
            if DEEP {
                x = x.linear(out = 32);
            }
            let head = if DEEP { x.linear(out = 16).relu() } else { x };
            head.linear(out = 10)
        }
    }));
}

#[test]
fn the_face_after_a_mistake() {
    insta::assert_snapshot!(model(quote! {
        pub fn Net(x: Features<64>) -> Logits<10> {
            while true {}
            x.linear(10)
        }
    }));
}

#[test]
fn a_run() {
    insta::assert_snapshot!(pretty(crate::train::expand(quote! {
        /// Classifies handwritten digits.
        pub Digits {
            model: DigitNet,
            data: Digits8x8::embedded(),
            loss: CrossEntropy { label_smoothing: 0.05 },
            metrics: [Accuracy],
            batch: 64,
            optimizer: AdamW { lr: 3e-3, weight_decay: 0.05 },
            schedule: [Warmup { steps: 50 }, Cosine],
        }
    })));
}

#[test]
fn a_run_with_a_broken_value() {
    insta::assert_snapshot!(pretty(crate::train::expand(quote! {
        Digits {
            model: CharGpt<4>,
            batch: 6 4,
            loss: CrossEntropy { label_smoothing: },
        }
    })));
}

/// The path of the runtime follows `crate = …`.
#[test]
fn another_path_for_the_runtime() {
    let item = quote! { fn Net(x: Features<4>) -> Values<1> { x.linear(out = 1) } };
    let expansion = pretty(crate::model::expand(quote!(crate = engine::spec), item));
    assert!(!expansion.contains("::trainspec"), "{expansion}");
    assert!(expansion.contains("engine::spec::__private"));
}

/// For any input, a macro returns items and never panics.
#[test]
fn no_input_makes_a_macro_panic() {
    let inputs = [
        quote!(),
        quote!(fn),
        quote!(
            fn f() {}
        ),
        quote!(
            fn f(self) -> Value {
                self
            }
        ),
        quote!(
            fn f(x: Value) -> Value {
                x.a(b.c(d = e)).f(g = { x })
            }
        ),
        quote!(
            fn f(x: Value, (a, b): (usize, usize)) -> Value {
                x
            }
        ),
        quote!(
            fn f<T>(x: T, y: usize, z: Image<1>) -> T
            where
                T: Copy,
            {
                for (a, b) in x {}
                if x {
                } else {
                    3
                }
            }
        ),
        quote!(
            fn f(x: Value) -> Value {
                let x;
                let (a, b) = x;
                x += 1;
                x[0];
                -x;
                x / x;
                if x {
                    x
                } else {
                }
            }
        ),
        quote!(Name),
        quote!(Name {}),
        quote!(Name { : }),
        quote!(Name { model }),
        quote!(Name { model: , data: , batch: [,] }),
        quote!(pub(crate) Name { model: A, model: B, data: 1, data: 2, crate: x, batch: }),
        quote!(Name { a: 1 } Other {}),
    ];
    for input in inputs {
        pretty(crate::model::expand(TokenStream::new(), input.clone()));
        pretty(crate::train::expand(input));
    }
}

/// The letters that editors insert into a copy of the file, to find their position.
const MARKER: &str = "Marker";

/// Whether an editor can find the word at `^` in the expansion: it expands the text with and without more letters at that word,
/// and looks up the position of one in the other. So the text before the word must be the same in both, and the word must
/// occur once in its braces, as an identifier.
fn is_found(expand: fn(TokenStream) -> TokenStream, text: &str) -> Result<(), String> {
    let without: TokenStream = text.replace('^', "").parse().expect("tokens");
    let with: TokenStream = text.replace('^', MARKER).parse().expect("tokens");
    let (without, with) = (expand(without).to_string(), expand(with));
    let text = with.to_string();
    let place = text.find(MARKER).ok_or("it is not in the expansion")?;
    if without.get(..place) != text.get(..place) {
        return Err(format!("other text is before it: {}", text.get(..place).unwrap_or_default()));
    }
    match innermost(&with) {
        Some(1) => Ok(()),
        Some(times) => Err(format!("it occurs {times} times in its braces")),
        None => Err("it is first in a string".to_owned()),
    }
}

/// How often the marker occurs in the innermost braces of its first occurrence.
fn innermost(tokens: &TokenStream) -> Option<usize> {
    for token in tokens.clone() {
        match token {
            proc_macro2::TokenTree::Group(group) if group.to_string().contains(MARKER) => {
                return innermost(&group.stream());
            }
            proc_macro2::TokenTree::Ident(word) if word.to_string().contains(MARKER) => {
                return Some(tokens.to_string().matches(MARKER).count());
            }
            other if other.to_string().contains(MARKER) => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn editors_find_what_is_typed() {
    let models = [
        "x.lin^",
        "x.lin^.relu()",
        "x.relu().lin^(out = 3)",
        "x.linear(ou^)",
        "x.linear(ou^ = 3)",
        "x.linear(ou^ = 3).relu().linear(out = 2)",
        "x.linear(out = 3, bi^)",
        "x.linear(out = 3, bi^ = false).relu()",
        "x.linear(out = 3, bias = fal^)",
        "{ let y = x.linear(ou^ = 3); y }",
    ];
    let whole = |body: &str| format!("fn Net(x: Features<4>) -> Logits<3> {{ {body} }}");
    for body in models {
        let found = is_found(|item| crate::model::expand(TokenStream::new(), item), &whole(body));
        assert_eq!(found, Ok(()), "{body}");
    }
    let programs = [
        "bat^",
        "bat^,",
        "bat^: 32",
        "bat^ epochs: 3",
        "batch: 32 epo^ seed: 3",
        "bat^\nepochs: 3, optimizer: AdamW {}",
        "optimizer: Ada^",
        "optimizer: Ada^ {}",
        "optimizer: Ada^ { lr: 0.1 }",
        "optimizer: AdamW { weight_^ }",
        "optimizer: AdamW { lr: 0.1, weight_^ }",
        "optimizer: AdamW { lr: 0.1, weight_^: 3 }",
        "optimizer: AdamW { weight_^, lr: 0.1 }",
        "loss: Cross^",
        "metrics: [Acc^]",
        "metrics: [TopK { k^ }]",
        "schedule: [War^]",
        "schedule: [Warmup { ste^ }, Cosine]",
        "schedule: [Warmup { ste^: 3 }, Cosine]",
        "schedule: [Warmup { steps: 3 }, Cosine { flo^ }]",
        "checkpoint: Checkpoint { every: Ste^(3) }",
    ];
    let whole = |keys: &str| format!("Run {{ model: Net, data: points(), {keys} }}");
    for keys in programs {
        assert_eq!(is_found(crate::train::expand, &whole(keys)), Ok(()), "{keys}");
    }
    for block in ["Run { model: Ne^, data: points() }", "Run { model: Net, data: InMemory::ne^(), batch: 3 }"]
    {
        assert_eq!(is_found(crate::train::expand, block), Ok(()), "{block}");
    }
}
