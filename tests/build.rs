//! Generates the program that compiles the corrections of all UI cases.

#![allow(clippy::unwrap_used, reason = "a build stops where something fails")]

#[path = "errors/case.rs"]
#[allow(dead_code, reason = "the page of errors reads the rest")]
mod case;
#[path = "errors/right.rs"]
mod right;

use std::path::Path;

use case::Case;

fn main() {
    for input in ["ui/model", "ui/train", "errors/case.rs", "errors/right.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let cases = Case::all(Path::new(env!("CARGO_MANIFEST_DIR")));
    let path = Path::new(&std::env::var_os("OUT_DIR").unwrap()).join("right.rs");
    std::fs::write(path, right::crate_of(&cases)).unwrap();
}
