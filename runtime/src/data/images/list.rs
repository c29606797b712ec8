//! Which image files there are, and the class of each.

use std::path::{Path, PathBuf};

use super::{Rows, Table, file};
use crate::error::{Error, Result};
use crate::files::regular;
use crate::format::plain;
use crate::interrupt::Interrupt;

/// The files with their classes.
pub(super) struct Listing {
    pub(super) files: Vec<(PathBuf, u32)>,
    /// The names of the classes.
    pub(super) names: Vec<String>,
    /// The folder or the table that lists them.
    pub(super) source: PathBuf,
}

impl Listing {
    /// The files in the folders of a folder, each of which is a class.
    pub(super) fn of_folders(folder: &Path, interrupt: &Interrupt) -> Result<Self> {
        let mut found = Vec::new();
        let mut outside = None;
        for path in entries(folder)? {
            if !path.is_dir() {
                outside = outside.or(Some(path).filter(|path| is_image(path)));
                continue;
            }
            let class = name(&path);
            let mut count = 0;
            for file in entries(&path)? {
                interrupt.check()?;
                if !is_image(&file) {
                    let what = if file.is_dir() {
                        "a folder within the folder of a class"
                    } else {
                        "not a PNG or JPEG file"
                    };
                    return Err(problem(
                        &file,
                        format!("this is {what}; expected only images there, so move it away"),
                    ));
                }
                found.push((file, class.clone()));
                count += 1;
            }
            if count == 0 {
                return Err(problem(
                    &path,
                    "the folder has no images; expected at least one of each class".to_owned(),
                ));
            }
        }
        if let Some(path) = outside.filter(|_| !found.is_empty()) {
            return Err(problem(
                &path,
                "the image is not in the folder of a class; expected it in one of them".to_owned(),
            ));
        }
        if found.is_empty() {
            return Err(problem(
                folder,
                "the folder has no folders with images; expected one for each class, or a table with `.listed_in(\"labels.csv\", \
                 \"file\", \"class\")`"
                    .to_owned(),
            ));
        }
        Ok(Self::new(&found, folder))
    }

    /// The files in a table.
    pub(super) fn of_table(folder: &Path, table: &Table, interrupt: &Interrupt) -> Result<Self> {
        let (origin, bytes) = file::open(&table.path)?;
        let mut rows = Rows::new(bytes, b',', 0);
        if !rows.advance(&origin)? {
            return Err(origin.problem("the table is empty; expected a line with the names of its columns"));
        }
        let names: Vec<String> = rows.cells().map(text).collect();
        let find = |column: &String| {
            names.iter().position(|name| name == column).ok_or_else(|| {
                let known: Vec<_> =
                    names.iter().take(20).map(|name| format!("`{}`", plain(name, 40))).collect();
                origin.problem_at(
                    rows.line,
                    format!("no column has the name `{}`; found {}", plain(column, 40), known.join(", ")),
                )
            })
        };
        let (of_file, of_class) = (find(&table.file)?, find(&table.class)?);
        let mut found = Vec::new();
        while rows.advance(&origin)? {
            interrupt.check()?;
            let wrong = |problem: String| origin.problem_at(rows.line, problem);
            if rows.len() != names.len() {
                let (found, expected) = (rows.len(), names.len());
                return Err(wrong(format!("{found} columns; expected {expected}, as in the header")));
            }
            let cell = |place: usize, column: &str| {
                let cell = rows.cells().nth(place).map(text).unwrap_or_default();
                let is_empty = cell.is_empty();
                Some(cell).filter(|_| !is_empty).ok_or_else(|| {
                    wrong(format!("the cell of the column `{}` is empty; expected a text", plain(column, 40)))
                })
            };
            let path = folder.join(cell(of_file, &table.file)?);
            regular(&path).map_err(|cause| wrong(format!("{}: {cause}", path.display())))?;
            origin.reserve(&mut found, 1)?;
            found.push((path, cell(of_class, &table.class)?));
        }
        if found.is_empty() {
            return Err(origin.problem("no line of data; expected at least one image"));
        }
        Ok(Self::new(&found, origin.path()))
    }

    fn new(found: &[(PathBuf, String)], source: &Path) -> Self {
        let mut names: Vec<String> = found.iter().map(|(_, class)| class.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let numbers: Option<Vec<u64>> = names.iter().map(|name| name.parse().ok()).collect();
        if numbers.is_some() {
            names.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
        }
        let places: std::collections::BTreeMap<&str, u32> =
            names.iter().map(String::as_str).zip(0..).collect();
        let class = |class: &String| places.get(class.as_str()).copied().unwrap_or_default();
        let files = found.iter().map(|(path, name)| (path.clone(), class(name))).collect();
        Self { files, names, source: source.to_owned() }
    }
}

/// The visible entries of a folder, in the order of their names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = std::fs::read_dir(folder).map_err(Error::file(folder))?;
    let mut paths = Vec::new();
    for entry in list {
        let entry = entry.map_err(Error::file(folder))?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Whether the name of a file is one of an image.
fn is_image(path: &Path) -> bool {
    let extension = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    extension.is_some_and(|extension| ["png", "jpg", "jpeg"].iter().any(|known| extension == *known))
        && !path.is_dir()
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).trim_matches('\u{FEFF}').trim().to_owned()
}

fn problem(path: &Path, problem: String) -> Error {
    Error::Data { path: path.to_owned(), line: None, problem }
}
