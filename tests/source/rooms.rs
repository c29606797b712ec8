//! The modules of the runtime import from those below them only, in the order that ARCHITECTURE.md states.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{files, root};

/// The files above all modules, which re-export them.
const TOP: [&str; 3] = ["lib", "prelude", "private"];

/// The modules from the bottom up, as ARCHITECTURE.md lists them.
fn order() -> Vec<String> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let list = text.split("```text rooms\n").nth(1).expect("a block `text rooms` in ARCHITECTURE.md");
    let list = list.split("```").next().unwrap();
    let names = list.lines().map(|line| line.split_once(':').map_or(line, |(names, _)| names));
    names.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// Returns the code of a file without its comments and without its test module at the end.
fn code(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let is_test = |place: &usize| {
        let after = lines[place + 1..].iter().find(|line| !line.starts_with("#["));
        lines[*place] == "#[cfg(test)]" && after.is_some_and(|line| line.starts_with("mod "))
    };
    let end = (0..lines.len()).find(is_test).unwrap_or(lines.len());
    lines[..end].join("\n")
}

/// Returns the modules that a piece of code names as `crate::…`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        assert!(
            !after.starts_with('{'),
            "`use crate::{{…}}` hides the imported module; write one `use` for each module"
        );
        found.insert(after.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
    }
    found
}

/// Returns the module of a file.
fn room(source: &Path, path: &Path) -> String {
    let first = path.strip_prefix(source).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_import_only_from_lower_modules() {
    let order = order();
    let source = root().join("runtime/src");
    let place = |name: &str| order.iter().position(|other| other == name);
    let mut wrong = Vec::new();
    for path in files(&source, &["rs"]) {
        let room = room(&source, &path);
        let is_test = path.iter().any(|part| part == "tests.rs" || part == "tests") || room == "fixture";
        if is_test || TOP.contains(&room.as_str()) {
            continue;
        }
        let Some(own) = place(&room) else {
            wrong.push(format!("`{room}` is not in the list of ARCHITECTURE.md"));
            continue;
        };
        for import in imports(&code(&fs::read_to_string(&path).unwrap())) {
            match place(&import) {
                Some(other) if other <= own => {}
                Some(_) => {
                    wrong.push(format!(
                        "{} imports from `{import}`, which is listed after it",
                        path.display()
                    ));
                }
                None => wrong.push(format!("{} names `crate::{import}`; name its module", path.display())),
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_listed_module_exists_once() {
    let order = order();
    let source = root().join("runtime/src");
    for (place, name) in order.iter().enumerate() {
        assert!(!order[..place].contains(name), "`{name}` is listed twice");
        let is_there = source.join(name).is_dir() || source.join(format!("{name}.rs")).is_file();
        assert!(is_there, "`{name}` is listed, but the module does not exist");
    }
}
