//! The keys of a run's model: in the spec, at startup, in run folders, and in the hash of a spec.

#![allow(clippy::unwrap_used)]

use trainspec::Config;
use trainspec::prelude::*;

#[model]
fn Deep(
    image: Image<1, 8, 8>,
    #[default(1)] depth: usize,
    #[default(0.1)] dropout: f64,
    #[default([16, 8])] sizes: [usize; 2],
) -> Logits<10> {
    let mut x = image.flatten().linear(out = sizes[0]).relu();
    for _ in 0..depth {
        x = x.linear(out = sizes[1]).relu();
    }
    x.dropout(p = dropout).linear(out = 10)
}

#[model]
fn Wide<const WIDTH: usize>(image: Image<1, 8, 8>, heads: usize) -> Logits<10> {
    let x = image.flatten().linear(out = WIDTH).reshape(to = [heads, WIDTH / heads]);
    x.flatten().linear(out = 10)
}

#[model]
fn Fixed(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! { Plain { model: Deep, data: Digits8x8::embedded(), steps: 2 } }

train! { Changed { model: Deep { dropout: 0.25, depth: 2 }, data: Digits8x8::embedded(), steps: 2 } }

train! { Generic { model: Wide<12> { heads: 3 }, data: Digits8x8::embedded(), steps: 1 } }

train! { Keyless { model: Fixed, data: Digits8x8::embedded(), steps: 1 } }

fn outs(graph: &trainspec::graph::Graph) -> Vec<u64> {
    let keys = graph.nodes.iter().filter_map(|node| node.layer.to_json()["out"].as_u64());
    keys.collect()
}

#[test]
fn declared_keys_reach_the_graph() {
    assert_eq!(outs(&Plain::experiment().graph().unwrap()), [16, 8, 10]);
    let graph = Changed::experiment().graph().unwrap();
    assert_eq!(outs(&graph), [16, 8, 8, 10]);
    let dropout = graph.nodes.iter().find(|node| node.layer.name() == "dropout").unwrap();
    assert_eq!(dropout.layer.to_json()["p"], 0.25);
    assert_eq!(outs(&Generic::experiment().graph().unwrap()), [12, 10]);
}

#[test]
fn keys_are_set_at_startup() {
    let graph = Changed::experiment().set("model.depth", "3").unwrap().graph().unwrap();
    assert_eq!(outs(&graph), [16, 8, 8, 8, 10]);
    let graph = Plain::experiment().set("model.sizes.1", "4").unwrap().graph().unwrap();
    assert_eq!(outs(&graph), [16, 4, 10]);
    let code = Plain::experiment().model(Deep { depth: 0, ..Deep::DEFAULT });
    assert_eq!(outs(&code.graph().unwrap()), [16, 10]);
    assert_eq!(code.overrides().len(), 1);
    // Both keys together are valid, the first alone is not.
    let both = Generic::experiment().set("model.heads", "4").unwrap().graph();
    assert!(both.is_ok());
}

fn refused<M>(set: trainspec::Result<trainspec::Experiment<M>>) -> String
where
    M: Model,
{
    match set {
        Err(error) => error.to_string(),
        Ok(experiment) => experiment.graph().unwrap_err().to_string(),
    }
}

#[test]
fn invalid_key_is_rejected_at_startup() {
    let changed = |key: &str, value: &str| refused(Changed::experiment().set(key, value));
    assert_eq!(changed("model.dropout", "1.5"), "model.dropout: dropout: p is 1.5; expected 0 <= p < 1");
    assert_eq!(
        changed("model.dept", "2"),
        "model.dept: unknown key `dept`; did you mean `depth`? expected one of depth, dropout, sizes"
    );
    assert!(changed("model.depth", "0.5").starts_with("model.depth: "), "{}", changed("model.depth", "0.5"));
    assert_eq!(changed("model.sizes.0", "0"), "model.sizes.0: linear: out is 0; expected at least 1");
    assert_eq!(
        refused(Generic::experiment().set("model.heads", "5")),
        "model.heads: reshape: the input [12] has 12 elements, but [5, 2] has 10"
    );
    assert_eq!(
        refused(Generic::experiment().set("model.WIDTH", "16")),
        "model.WIDTH: `WIDTH` is a const generic of the model, which is fixed at compile time; make it a key to change it here: \
         `width: usize`"
    );
    assert_eq!(
        refused(Keyless::experiment().set("model.depth", "2")),
        "model.depth: the model has no keys; declare one after its inputs, such as `#[default(0.1)] dropout: f64`"
    );
    assert!(refused(Changed::experiment().set("model", "3")).contains("is not a `deep`"));
}

#[test]
fn changed_keys_are_part_of_the_spec() {
    let spec = |mut experiment: trainspec::Experiment<Deep>| experiment.spec().unwrap();
    // As in specs from before a run could set them.
    assert!(spec(Plain::experiment()).pointer("/model/keys").is_none());
    let changed = spec(Changed::experiment());
    assert_eq!(changed.pointer("/model/keys/dropout"), Some(&0.25.into()));
    assert_eq!(changed.pointer("/model/keys/depth"), Some(&2.into()));
    // Where a value comes from does not matter.
    let set = Plain::experiment().set("model.dropout", "0.25").unwrap().set("model.depth", "2").unwrap();
    assert_eq!(spec(set).get("model"), changed.get("model"));
}

#[test]
fn run_with_changed_keys_is_resumed_verified_and_loaded() {
    let out = tempfile::tempdir().unwrap();
    let start = || Changed::experiment().set("model.depth", "3").unwrap().out(out.path());
    let run = start().set("checkpoint", r#"{"every":{"Steps":1},"keep":2}"#).unwrap().run().unwrap();
    let folder = run.folder.unwrap();
    let verified = Changed::experiment().verify(&folder, None).unwrap();
    assert!(verified.first.is_none(), "{:?}", verified.first);
    let file = folder.join("model.safetensors");
    let net = Deep { depth: 3, dropout: 0.25, ..Deep::DEFAULT };
    assert!(net.load_as(&file).is_ok());
    assert!(Deep::load(&file).is_err());
    let other = Changed::experiment().resume(&folder).run().unwrap_err().to_string();
    assert!(other.contains("`model.keys.depth` was 3, is 2"), "{other}");
}
