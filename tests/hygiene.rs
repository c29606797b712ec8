//! Declarations work in every scope, whatever names the user's items have.

#![deny(warnings, missing_docs, unsafe_code)]
#![allow(clippy::unwrap_used)]
// User code, with constructs that a lint would report.
#![allow(clippy::extra_unused_type_parameters, clippy::unused_self, clippy::items_after_statements)]

/// Every name that generated code could use, taken by another item.
mod names_of_the_users_own {
    #![allow(
        dead_code,
        non_camel_case_types,
        non_snake_case,
        non_upper_case_globals,
        unused_macros,
        clippy::pedantic
    )]

    struct Result;
    struct Option;
    struct Vec;
    struct String;
    struct Box;
    struct Shape;
    struct Config;
    struct Model;
    struct Module;
    struct Scope;
    struct Spec;
    struct Trace;
    struct Experiment;
    struct Declaration;
    struct Kind;
    struct CheckResult;
    struct Linear;
    struct Conv2d;
    trait Default {}
    trait Clone {}
    trait Copy {}
    trait Debug {}
    trait Serialize {}
    trait Deserialize {}
    trait From {}
    trait Into {}
    trait Iterator {}
    fn Some() {}
    fn None() {}
    fn Ok() {}
    fn Err() {}
    fn drop() {}
    mod std {}
    mod core {}
    mod alloc {}
    mod serde {}
    mod trainspec {}
    struct bool;
    struct char;
    const out: () = ();
    const kernel: () = ();
    const layer: () = ();
    const scope: () = ();
    const trace: () = ();
    const value: () = ();
    const self_: () = ();
    macro_rules! panic {
        () => {
            compile_error!("the user's own")
        };
    }
    macro_rules! vec {
        () => {
            compile_error!("the user's own")
        };
    }
    macro_rules! format {
        () => {
            compile_error!("the user's own")
        };
    }
    macro_rules! unreachable {
        () => {
            compile_error!("the user's own")
        };
    }
    macro_rules! assert {
        () => {
            compile_error!("the user's own")
        };
    }

    /// Methods that every type has.
    trait Everything: Sized {
        fn name(self) {}
        fn shapes(self) {}
        fn rule(self) {}
        fn rule_of_missing(self) {}
        fn finish(self) {}
    }
    impl<T> Everything for T {}

    use ::trainspec::Model as _;
    use ::trainspec::prelude::{Digits8x8, Image, Logits, conv2d, flatten, linear, model, train};

    /// A model.
    #[model]
    fn Net(image: Image<1, 8, 8>, #[default(3)] size: usize) -> Logits<10> {
        image.conv2d(out = 4, kernel = size).flatten().linear(out = 10)
    }

    train! {
        pub(crate) Run { model: Net, data: Digits8x8::embedded(), epochs: 1 }
    }

    #[test]
    fn generated_code_does_not_use_them() {
        ::core::assert_eq!(Net::graph().unwrap().nodes.len(), 3);
        ::core::assert!(Run::experiment().settings().is_ok());
    }
}

/// Inside functions, generic ones, methods of generic types, and a trait's default methods.
mod places {
    use std::marker::PhantomData;

    use trainspec::prelude::*;

    pub(crate) fn in_a_function<T>() -> usize {
        #[model]
        fn Net(x: Features<4>) -> Values<1> {
            x.linear(out = 1)
        }
        Net::graph().unwrap().nodes.len()
    }

    pub(crate) struct Generic<'a, T: ?Sized, const N: usize>(pub(crate) PhantomData<&'a T>);

    impl<T: ?Sized, const N: usize> Generic<'_, T, N> {
        pub(crate) fn method(&self) -> usize {
            let x = 3;
            #[model]
            fn Net<const N: usize>(x: Image<1, 8, 8>) -> Logits<10> {
                x.flatten().linear(out = N).linear(out = 10)
            }
            train! {
                Run { model: Net<3>, data: Digits8x8::embedded(), epochs: 1 }
            }
            let _ = (Run::experiment(), N);
            Net::<3>::graph().unwrap().nodes.len() + x
        }
    }

    pub(crate) trait Default {
        fn by_default(&self) -> usize {
            #[model]
            fn Net(x: Value, hidden: usize) -> Value {
                x.linear(out = hidden)
            }
            #[model]
            fn Whole(x: Features<4>) -> Values<1> {
                x.net(hidden = 3).linear(out = 1)
            }
            Whole::graph().unwrap().nodes.len()
        }
    }

    impl<T> Default for T {}

    #[test]
    fn declarations_compile_in_every_scope() {
        assert_eq!(in_a_function::<u8>(), 1);
        assert_eq!(Generic::<str, 2>(PhantomData).method(), 6);
        assert_eq!(().by_default(), 2);
    }
}

/// Substitutions of `macro_rules!` have invisible delimiters.
mod in_macros {
    use trainspec::prelude::*;

    macro_rules! declare {
        (
            $(#[$meta:meta])* $vis:vis $name:ident($x:ident: $kind:ty, $key:ident: $key_type:ty) -> $output:ty,
            $width:expr, $rate:literal, $receiver:expr, $counter:ident, $range:expr
        ) => {
            $(#[$meta])*
            #[model]
            $vis fn $name($x: $kind, #[default($width)] $key: $key_type) -> $output {
                let mut y = $receiver;
                for $counter in 0..2 {
                    y = y.linear(out = $key + $counter).dropout(p = $rate);
                }
                for _ in $range {
                    y = y.relu();
                }
                y.linear(out = $width)
            }
        };
    }

    declare! {
        /// Substituted everywhere.
        pub(crate) Substituted(x: Value, width: usize) -> Value, 4 + 4, 0.1, x, i, 0..2
    }

    macro_rules! body {
        ($name:ident, $x:ident, $body:block) => {
            #[model]
            fn $name($x: Features<8>) -> Values<8> $body
        };
    }

    body!(Whole, x, { x.substituted() + x.substituted(width = 3) });

    macro_rules! run {
        ($vis:vis $name:ident, $model:ty, $data:expr, $metrics:expr, $optimizer:expr, $key:ident = $value:expr) => {
            train! {
                $vis $name {
                    model: $model,
                    data: $data,
                    metrics: $metrics,
                    optimizer: $optimizer,
                    $key: $value,
                    schedule: [Warmup { steps: $value }],
                }
            }
        };
    }

    #[model]
    fn Classes(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    run!(
        pub(crate) Run, Classes, Digits8x8::embedded(), [Accuracy, TopK { k: 3 }], AdamW { lr: 1e-2 },
        epochs = 1 + 1
    );
    run!(Private, Classes, Digits8x8::embedded(), [Accuracy], RAdam, steps = 7);

    #[test]
    fn macro_rules_groups_are_parsed() {
        assert_eq!(Whole::graph().unwrap().nodes.len(), 15);
        let mut run = Run::experiment();
        assert_eq!(run.settings().unwrap().epochs, Some(2));
        assert!(Private::experiment().settings().is_ok());
    }
}

/// `#[cfg]` on keys, on values of lists and on keys of structs.
mod features {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        let wide = if cfg!(test) { 3 } else { 4 };
        image.flatten().linear(out = wide).linear(out = 10)
    }

    train! {
        Run {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy, #[cfg(not(test))] NoSuchMetric, #[cfg(test)] TopK { k: 3 }],
            #[cfg(test)]
            batch: 16,
            #[cfg(not(test))]
            batch: no_such_constant,
            #[cfg(not(test))]
            no_such_key: NoSuchType { key: 3 },
            optimizer: AdamW { #[cfg(test)] lr: 1e-2, #[cfg(not(test))] lr: -1.0 },
            epochs: 1,
        }
    }

    #[test]
    fn cfg_attributes_are_applied() {
        let mut run = Run::experiment();
        let settings = run.settings().unwrap();
        assert_eq!(settings.batch, 16);
        assert_eq!(settings.metrics.len(), 2);
    }
}

/// Names that are Rust keywords.
mod words {
    use trainspec::prelude::*;

    #[model]
    fn Loop(x: Value, r#type: usize) -> Value {
        let r#match = x.linear(out = r#type);
        r#match.relu()
    }

    #[model]
    fn Whole(r#in: Features<4>) -> Values<4> {
        r#in.r#loop(r#type = 4)
    }

    #[test]
    fn raw_identifiers_print_without_prefix() {
        let graph = Whole::graph().unwrap();
        let paths: Vec<_> = graph.nodes.iter().map(|node| node.path.as_str()).collect();
        assert_eq!(paths, ["loop.0.match", "loop.0.relu_1"]);
    }
}

/// The longest chain of calls that is guaranteed.
mod long {
    use trainspec::prelude::*;

    macro_rules! times_500 {
        ($x:ident $($relu:tt)*) => { times_500!(@2 $x $($relu)* $($relu)* $($relu)* $($relu)* $($relu)*); };
        (@2 $x:ident $($relu:tt)*) => { times_500!(@3 $x $($relu)* $($relu)* $($relu)* $($relu)* $($relu)*); };
        (@3 $x:ident $($relu:tt)*) => {
            #[model]
            fn Long($x: Features<2>) -> Values<2> {
                $x $($relu)* $($relu)* $($relu)* $($relu)*
            }
        };
    }
    times_500!(x.relu().tanh().relu().tanh().relu());

    #[test]
    fn chain_of_500_layers_compiles() {
        assert_eq!(Long::graph().unwrap().nodes.len(), 500);
    }
}
