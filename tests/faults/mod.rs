//! External faults: killed processes, full disks, damaged files. Each results in a clear error or a clean continuation, and no
//! intact file is damaged.

#![allow(missing_docs, clippy::unwrap_used)]

mod damaged_files;
mod evaluation;
#[cfg(target_os = "linux")]
mod file_system;
#[cfg(unix)]
mod full_disk;
#[cfg(unix)]
mod killed;

/// Each guarantee names tests that exist, and the page lists each guarantee.
#[test]
fn reliability_page_lists_every_guarantee() {
    use std::fs;
    use std::path::Path;

    use trainspec_tests::promises::{PAGE, PROMISES};

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("..").join(PAGE)).unwrap();
    for promise in PROMISES {
        assert!(page.contains(promise.promise), "{PAGE} lacks `{}`; regenerate it", promise.promise);
        for test in promise.tests {
            let (target, name) = test.split_once("::").unwrap();
            let folder = root.join(target);
            let sources: Vec<_> = match fs::read_dir(&folder) {
                Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
                Err(_) => vec![root.join(format!("{target}.rs"))],
            };
            let is_there = |path| fs::read_to_string(path).unwrap().contains(&format!("fn {name}("));
            assert!(sources.into_iter().any(is_there), "there is no test {test}");
        }
    }
}
