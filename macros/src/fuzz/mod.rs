//! No token stream makes a macro panic or hang, and for any input it returns items.
//!
//! The inputs are every model and run in the repository, their prefixes, random changes to them, and very deep or long
//! ones. For more changes: `PROPTEST_CASES=1000000 cargo test -p trainspec-macros fuzz`.

mod change;
mod seeds;

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use proc_macro2::{TokenStream, TokenTree};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use quote::quote;
use syn::parse::{ParseStream, Parser};

use self::change::{Change, prefix};
use self::seeds::seeds;

/// How long one input may take before it counts as a hang; most take less than a millisecond.
const PATIENCE: Duration = Duration::from_mins(2);

/// The stack of a compiler and of an editor's macro server.
const STACK: usize = 8 << 20;

/// The maximum output for each input token, and for none. A token within a literal is emitted again for each
/// enclosing literal, which has its own check.
const GROWTH: usize = 60;
const CONSTANT: usize = 1_000;

/// Passes every input to both macros, in a separate thread, and reports the one that hangs.
fn watched(cases: impl FnOnce(&Sender<String>) + Send + 'static) {
    let (starts, watch) = channel();
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || cases(&starts)).unwrap();
    let mut last = String::new();
    loop {
        match watch.recv_timeout(PATIENCE) {
            Ok(text) => last = text,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("no end after {PATIENCE:?}: {last}"),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    if let Err(panic) = worker.join() {
        eprintln!("the last input: {last}");
        std::panic::resume_unwind(panic);
    }
}

/// Checks the properties of every input of both macros.
fn holds(input: &TokenStream) -> Result<(), String> {
    answers(input, model_name(input), &crate::model::expand(TokenStream::new(), input.clone()))?;
    answers(input, run_name(input), &crate::train::expand(input.clone()))?;
    // The arguments of `#[model(…)]` come from the user too.
    let item = quote!(
        fn Net(x: Value) -> Value {
            x.relu()
        }
    );
    answers(input, Some("Net".to_owned()), &crate::model::expand(input.clone(), item))
}

fn answers(input: &TokenStream, name: Option<String>, expansion: &TokenStream) -> Result<(), String> {
    let (given, written) = (weight(input), count(expansion));
    if written > GROWTH * given + CONSTANT {
        return Err(format!("{given} tokens became {written}"));
    }
    let file: syn::File =
        syn::parse2(expansion.clone()).map_err(|error| format!("{error} in the expansion {expansion}"))?;
    if let Some(name) = name {
        let is_there = file.items.iter().any(|item| match item {
            syn::Item::Struct(item) => item.ident == name,
            syn::Item::Type(item) => item.ident == name,
            // A run with its model's name is rejected and declares nothing of that name.
            syn::Item::Macro(error) => error.mac.tokens.to_string().contains("is the name of this run"),
            _ => false,
        });
        if !is_there {
            return Err(format!("`{name}` is not there after {expansion}"));
        }
    }
    for item in &file.items {
        if let syn::Item::Macro(error) = item {
            let text: syn::LitStr = error.mac.parse_body().map_err(|error| error.to_string())?;
            if text.value().trim().is_empty() {
                return Err("an error without a message".to_owned());
            }
        }
    }
    Ok(())
}

/// The name of a function, if it can be parsed.
fn model_name(input: &TokenStream) -> Option<String> {
    if crate::depth::check(input).is_err() {
        return None;
    }
    let function: syn::ItemFn = syn::parse2(input.clone()).ok()?;
    Some(function.sig.ident.to_string())
}

/// The name before the first braces, if only documentation and a visibility precede it.
fn run_name(input: &TokenStream) -> Option<String> {
    let head: Vec<_> = input
        .clone()
        .into_iter()
        .map_while(|token| match &token {
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace => None,
            _ => Some(token),
        })
        .collect();
    let has_no_block = head.len() == input.clone().into_iter().count();
    let head: TokenStream = head.into_iter().collect();
    if has_no_block || crate::depth::check(&head).is_err() {
        return None;
    }
    let parse = |input: ParseStream<'_>| {
        input.call(syn::Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        let name = input.parse::<syn::Ident>()?;
        if input.is_empty() { Ok(name) } else { Err(input.error("more than a name")) }
    };
    parse.parse2(head).ok().map(|name| name.to_string())
}

/// The number of tokens, including those in groups.
fn count(tokens: &TokenStream) -> usize {
    let mut open = vec![tokens.clone()];
    let mut count = 0;
    while let Some(tokens) = open.pop() {
        for token in tokens {
            count += 1;
            if let TokenTree::Group(group) = token {
                open.push(group.stream());
            }
        }
    }
    count
}

/// The number of tokens, each counted again for each group around it.
fn weight(tokens: &TokenStream) -> usize {
    let mut open = vec![(tokens.clone(), 1)];
    let mut weight = 0;
    while let Some((tokens, depth)) = open.pop() {
        for token in tokens {
            weight += depth;
            if let TokenTree::Group(group) = token {
                open.push((group.stream(), depth + 1));
            }
        }
    }
    weight
}

/// Editors expand the macro at every keystroke.
#[test]
fn every_beginning_of_every_sample() {
    watched(|starts| {
        for seed in seeds() {
            for length in 0..=count(&seed) {
                let input = prefix(&seed, length);
                let _ = starts.send(input.to_string());
                holds(&input).unwrap_or_else(|error| panic!("{error}\nof {input}"));
            }
        }
    });
}

#[test]
fn changed_samples() {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 4_000;
    }
    watched(move |starts| {
        let seeds = seeds();
        let case = (any::<prop::sample::Index>(), prop::collection::vec(any::<Change>(), 1..8));
        // The same cases each time; another number of cases selects others.
        let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let outcome = TestRunner::new_with_rng(config, random).run(&case, |(seed, changes)| {
            let mut input = seeds[seed.index(seeds.len())].clone();
            for change in changes {
                input = change.apply(input, &seeds);
            }
            let _ = starts.send(input.to_string());
            holds(&input).map_err(|error| TestCaseError::fail(format!("{error}\nof {input}")))
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    });
}

/// Long repetitions are either parsed or rejected, at any length and in any position.
#[test]
fn monsters() {
    watched(|starts| {
        for (begin, end) in [
            ("(", ")"),
            ("[", "]"),
            ("{", "}"),
            ("A { a: ", "}"),
            ("x.a(", ")"),
            ("A::<", ">"),
            ("if a {", "}"),
            ("if let a = ", ""),
            ("for i in 0..2 {", "}"),
            ("match x { _ => ", "}"),
            ("- ", ""),
            ("&", ""),
            ("return ", ""),
            ("move |a, b| ", ""),
            ("x = ", ""),
            ("if a { b } else ", ""),
            ("'a: loop { ", "}"),
            ("x as fn() -> ", ""),
            ("for<'a, 'b> fn() -> ", ""),
            (".. ", ""),
            ("let y = ", ";"),
            ("", ".relu()"),
            ("", "?"),
            ("", "[0]"),
            ("", "()"),
            ("", " + x"),
            ("", " as T"),
            ("", ".a"),
            ("", " x"),
            ("", ", x"),
            ("", "; x"),
            ("#[a] ", ""),
            ("#[cfg(a)] ", ""),
            ("x { } ", ""),
        ] {
            for times in [100, 400, 5_000] {
                let monster: TokenStream =
                    format!("{}x{}", begin.repeat(times), end.repeat(times)).parse().unwrap();
                for input in [
                    quote!(fn Net(x: Value) -> Value { #monster }),
                    quote!(fn Net(x: Value) -> Value { let y = #monster; y }),
                    quote!(fn Net(x: Value) -> Value { x.linear(out = #monster) }),
                    quote!(fn Net(x: Value) -> Value { const A: usize = #monster; x.a() }),
                    quote!(fn Net(x: #monster) -> Value { x }),
                    quote!(fn Net(x: Value, #monster) -> Value { x }),
                    quote!(#monster fn Net(x: Value) -> Value { x }),
                    quote!(Run { model: Net, data: #monster }),
                    quote!(Run { model: #monster, data: a() }),
                    quote!(Run { model: Net, data: a(), loss: #monster, batch: 1 }),
                    quote!(Run { model: Net, data: a(), loss: A { b: #monster }, schedule: [#monster, A] }),
                    quote!(Run { #monster }),
                    quote!(#monster Run { a: 1 }),
                    quote!(Run { a: 1 } #monster),
                ] {
                    let _ = starts.send(format!("{times} times {begin}x{end} in {}", head(&input)));
                    holds(&input).unwrap_or_else(|error| {
                        panic!("{times} times {begin}x{end} in {}: {}", head(&input), head(&error))
                    });
                }
            }
        }
    });
}

/// The start of a text that may be very long.
fn head(text: &impl ToString) -> String {
    text.to_string().chars().take(200).collect()
}

/// The samples must be found, so that the tests above are not empty.
#[test]
fn the_samples_are_found() {
    let seeds = seeds();
    assert!(seeds.len() > 100, "{}", seeds.len());
    let models = seeds.iter().filter(|seed| model_name(seed).is_some()).count();
    let runs = seeds.iter().filter(|seed| run_name(seed).is_some()).count();
    assert!(models > 50 && runs > 50, "{models} models and {runs} runs");
}
