//! Windows of text files, for models that predict the next token.

use std::io::BufRead;
use std::path::{Path, PathBuf};

pub use vocabulary::Vocabulary;
pub use windows::TextWindows;

use super::csv::encoding;
use super::file::{self, Origin};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::loss::TargetKind;
use crate::shape::{InputKind, Kind};
use ids::Ids;
use vocabulary::{Characters, Part};
use windows::Document;

mod ids;
mod vocabulary;
mod windows;

/// Text files, plain or compressed with gzip, from which a model learns to predict the next token.
///
/// A sample is a window of `T` consecutive tokens, and its target is the same window one token later, so that each position has the
/// next token as its target. The kind `Tokens<V, T>` sets the length of the windows and the number of different tokens, which must be
/// that of the text. Without a choice, each character is a token.
///
/// Windows start every `T` tokens, unless [`Text::stride`] is set, at the start of each file and each [document](Text::documents).
/// They never continue into the next one; the tokens that are left at its end are not used.
///
/// The text is in UTF-8, with or without a byte order mark, which is not part of it. It is not changed otherwise: line ends stay as
/// they are.
///
/// # Split
/// By default the first 80 % of the windows are for training, the next 10 % for validation and the last 10 % for the test.
/// [`TextWindows::with_split`] changes the shares. Where windows overlap, those that share targets with the first window of the next
/// part are in no part.
///
/// # Errors
/// [`Text::read`] names the file and the line of a text that is not UTF-8, and the right kind if `V` is not the number of tokens:
/// ``the text has 65 characters, but the kind is `Tokens<64, 32>`; write `Tokens<65, 32>` ``.
///
/// # Memory
/// The decompressed size of all files while they are read, and one byte for each token of a vocabulary of up to 256, two up to 65,536,
/// and four above. A tokenizer needs about 100 bytes more for each byte of the longest document while it is split into tokens.
///
/// # Example
/// ```
/// use trainspec::data::{Dataset, Text};
/// use trainspec::Tokens;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("chorus.txt");
/// # std::fs::write(&path, "la la la\n").unwrap();
/// // la la la
/// let data = Text::open(path).characters().read::<Tokens<4, 3>>()?;
/// let (mut input, mut target) = ([0; 3], [0; 3]);
/// data.sample(0, &mut input, &mut target)?;
/// assert_eq!(data.vocabulary().decode(&input)?, "la ");
/// assert_eq!(data.vocabulary().decode(&target)?, "a l");
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Text {
    paths: Vec<PathBuf>,
    tokens: Tokens,
    stride: Option<usize>,
    separator: Option<String>,
}

/// What a token is.
#[derive(Clone, Debug)]
enum Tokens {
    Characters,
    Bytes,
    File(PathBuf),
    Given(Vocabulary),
}

impl Text {
    /// Creates a reader for a text file. [`Text::read`] opens it.
    #[must_use]
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self { paths: vec![path.into()], tokens: Tokens::Characters, stride: None, separator: None }
    }

    /// Adds another file after the others. No window continues from one file into the next.
    #[must_use]
    pub fn then(mut self, path: impl Into<PathBuf>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Makes each character (Unicode code point) that occurs in the text a token, numbered in the order of their code points. This is
    /// the default.
    #[must_use]
    pub fn characters(mut self) -> Self {
        self.tokens = Tokens::Characters;
        self
    }

    /// Makes each byte a token, with its value as its number: `V` is 256. The files may hold anything.
    #[must_use]
    pub fn bytes(mut self) -> Self {
        self.tokens = Tokens::Bytes;
        self
    }

    /// Splits the text by a tokenizer file in the format of Hugging Face, `tokenizer.json`. It adds no tokens at the start and at the
    /// end of a document, and its limit on the length of a text is not applied.
    #[must_use]
    pub fn tokenizer(mut self, path: impl Into<PathBuf>) -> Self {
        self.tokens = Tokens::File(path.into());
        self
    }

    /// Splits the text into the tokens of a vocabulary, such as that of the text of a trained model. A character that it does not have
    /// is an error.
    #[must_use]
    pub fn vocabulary(mut self, vocabulary: Vocabulary) -> Self {
        self.tokens = Tokens::Given(vocabulary);
        self
    }

    /// Starts a window every `tokens` tokens; `T` by default. A smaller stride gives more samples, which overlap.
    #[must_use]
    pub fn stride(mut self, tokens: usize) -> Self {
        self.stride = Some(tokens);
        self
    }

    /// Splits the text into documents at each occurrence of a separator, such as `"<|endoftext|>"`, or `"\n\n"` for empty lines. No
    /// window continues from one document into the next. The separator itself belongs to neither, and a document of fewer than `T + 1`
    /// tokens has no window.
    #[must_use]
    pub fn documents(mut self, separator: impl Into<String>) -> Self {
        self.separator = Some(separator.into());
        self
    }

    /// Reads the files.
    ///
    /// # Errors
    /// If a file cannot be read, or if the text does not have the tokens of this kind; see [`Text`].
    pub fn read<K: InputKind + TargetKind + Kind<Element = u32>>(self) -> Result<TextWindows<K>> {
        let interrupt = Interrupt::current();
        let (known, length) = match (K::SHAPE.vocabulary(), K::SHAPE.axes()) {
            (Some(known), &[length]) if length > 0 && length < usize::MAX => (known, length),
            _ => {
                return Err(Error::Dataset(format!(
                    "the kind `{}` has the shape {}; a `Text` has windows of one axis above 0, such as `Tokens<256, 64>`",
                    K::NAME,
                    K::SHAPE
                )));
            }
        };
        let stride = self.stride.unwrap_or(length);
        if stride == 0 {
            return Err(Error::Dataset("the stride of a `Text` is 0; expected at least 1".to_owned()));
        }
        if self.separator.as_deref() == Some("") {
            return Err(Error::Dataset(
                "the separator of the documents of a `Text` is empty; expected some text, such as `\"\\n\\n\"`"
                    .to_owned(),
            ));
        }
        let given = match &self.tokens {
            Tokens::Characters => None,
            Tokens::Bytes => Some(Vocabulary::of_bytes()),
            Tokens::File(path) => Some(Vocabulary::open(path)?),
            Tokens::Given(vocabulary) => Some(vocabulary.clone()),
        };
        let files = self.paths.iter().map(|path| content(path)).collect::<Result<Vec<_>>>()?;
        let is_text = !given.as_ref().is_some_and(Vocabulary::takes_bytes);
        for (origin, file) in files.iter().filter(|_| is_text) {
            if let Some(found) = encoding(file) {
                return Err(origin.problem(format!(
                    "the text seems to be {found}; expected UTF-8: save it as UTF-8, or convert it with `iconv -f {found} -t UTF-8`"
                )));
            }
        }
        let vocabulary = match given {
            Some(vocabulary) => vocabulary,
            None => self.found(&files, &interrupt)?,
        };
        if vocabulary.size() != known {
            return Err(self.other_size::<K>(&vocabulary, length));
        }
        let mut ids = Ids::below(vocabulary.size());
        let mut documents: Vec<Document> = Vec::new();
        let (mut windows, mut longest) = (0, 0);
        for (number, (origin, file)) in files.iter().enumerate() {
            for part in self.parts(file, is_text) {
                let first_token = ids.len();
                vocabulary.append(origin, part, &interrupt, &mut ids)?;
                let tokens = ids.len() - first_token;
                longest = longest.max(tokens);
                if tokens <= length {
                    ids.truncate(first_token);
                    continue;
                }
                origin.reserve(&mut documents, 1)?;
                documents.push(Document { first_window: windows, first_token, file: number });
                windows += (tokens - length - 1) / stride + 1;
            }
        }
        if windows == 0 {
            let what = if self.separator.is_some() { "longest document" } else { "text" };
            let (unit, more) = (vocabulary.unit(), length + 1);
            return Err(self.problem(format!(
                "the {what} has {longest} {unit}; expected at least {more}, for a window of {length} and the token after it"
            )));
        }
        let paths = self.paths.into_iter().map(PathBuf::into_boxed_path).collect();
        let windows = TextWindows::new(ids, documents, paths, vocabulary, windows, stride);
        windows.with_default_split()
    }

    /// The characters of all files.
    fn found(&self, files: &[(Origin, Vec<u8>)], interrupt: &Interrupt) -> Result<Vocabulary> {
        let mut characters = Characters::new();
        for (origin, file) in files {
            for part in self.parts(file, true) {
                interrupt.check()?;
                characters.add(part.text(origin)?);
            }
        }
        Ok(characters.vocabulary())
    }

    /// The documents of a file.
    fn parts<'a>(&'a self, file: &'a [u8], is_text: bool) -> impl Iterator<Item = Part<'a>> {
        const MARK: &[u8] = "\u{FEFF}".as_bytes();
        let mut start = if is_text && file.starts_with(MARK) { MARK.len() } else { 0 };
        let separator = self.separator.as_deref().map(str::as_bytes);
        let mut ends = separator.map(|separator| memchr::memmem::find_iter(file, separator));
        let mut is_done = false;
        std::iter::from_fn(move || {
            if is_done {
                return None;
            }
            let end = ends.as_mut().and_then(Iterator::next);
            is_done = end.is_none();
            let bytes = file.get(start..end.unwrap_or(file.len())).unwrap_or_default();
            let part = Part { file, start, bytes };
            start = end.unwrap_or(file.len()) + separator.map_or(0, <[u8]>::len);
            Some(part)
        })
    }

    /// The error of a kind with another number of tokens.
    fn other_size<K: Kind>(&self, vocabulary: &Vocabulary, length: usize) -> Error {
        let (size, unit, name) = (vocabulary.size(), vocabulary.unit(), K::NAME);
        let has = match self.tokens {
            Tokens::Characters => format!("the text has {size} {unit}"),
            Tokens::Bytes => format!("a text of bytes has {size} tokens"),
            Tokens::File(_) => format!("the tokenizer has {size} tokens"),
            Tokens::Given(_) => format!("the vocabulary has {size} {unit}"),
        };
        let known = K::SHAPE.vocabulary().unwrap_or(0);
        self.problem(format!(
            "{has}, but the kind is `{name}<{known}, {length}>`; write `{name}<{size}, {length}>`, in the model too"
        ))
    }

    /// An error in the files, or in the only one.
    fn problem(&self, problem: String) -> Error {
        match self.paths.as_slice() {
            [path] => Error::Data { path: path.clone(), line: None, problem },
            _ => Error::Dataset(format!("{} text files: {problem}", self.paths.len())),
        }
    }
}

/// A whole file, decompressed.
fn content(path: &Path) -> Result<(Origin, Vec<u8>)> {
    let (origin, mut bytes) = file::open(path)?;
    let mut content = Vec::new();
    loop {
        let part = bytes.fill_buf().map_err(|error| origin.unreadable(error))?;
        if part.is_empty() {
            break;
        }
        let length = part.len();
        origin.reserve(&mut content, length)?;
        content.extend_from_slice(part);
        bytes.consume(length);
    }
    Ok((origin, content))
}

#[cfg(test)]
mod tests;
