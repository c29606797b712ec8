//! The tokens of a text: what each number stands for.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tokenizers::{ModelWrapper, Tokenizer};

use super::ids::Ids;
use crate::data::file::Origin;
use crate::error::{Error, Result};
use crate::files::{pretty, read_file, sha256, write_atomic};
use crate::format::plain;
use crate::interrupt::Interrupt;

/// The tokens that a text is made of, each with its number: characters, bytes, or those of a tokenizer file.
///
/// It turns text into the numbers that a model takes, and numbers into text. [`TextWindows::vocabulary`](super::TextWindows::vocabulary)
/// returns that of a text; [`Vocabulary::save`] stores it next to a model, so that a program that has only the model can use it.
///
/// ```
/// use trainspec::data::Vocabulary;
///
/// let letters = Vocabulary::of_characters("hello");
/// assert_eq!(letters.size(), 4);
/// assert_eq!(letters.encode("hole")?, [1, 3, 2, 0]);
/// assert_eq!(letters.decode(&[1, 0, 2, 2])?, "hell");
/// assert_eq!(
///     letters.encode("help").unwrap_err().to_string(),
///     "data: the character `p` is not one of the 4 of the vocabulary"
/// );
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone)]
pub struct Vocabulary {
    tokens: Arc<Tokens>,
}

enum Tokens {
    /// In ascending order of their code points.
    Characters(Vec<char>),
    Bytes,
    File {
        tokenizer: Box<Tokenizer>,
        /// One more than the largest token.
        size: usize,
        sha256: String,
        /// The file, to be saved again.
        json: Vec<u8>,
    },
}

/// The largest size of a tokenizer file. That of a vocabulary of 250,000 tokens has 17 MB.
const LARGEST_FILE: u64 = 256 << 20;

impl Vocabulary {
    /// All bytes, each with its value as its number: 256 tokens.
    #[must_use]
    pub fn of_bytes() -> Self {
        Self { tokens: Arc::new(Tokens::Bytes) }
    }

    /// The characters that occur in a text, numbered in the order of their code points.
    #[must_use]
    pub fn of_characters(text: &str) -> Self {
        let mut characters = Characters::new();
        characters.add(text);
        characters.vocabulary()
    }

    /// Reads a file of [`Vocabulary::save`], or a tokenizer file in the format of Hugging Face, `tokenizer.json`.
    ///
    /// # Errors
    /// If the file cannot be read, or is neither of them; or if the tokenizer has a dropout, which would make each reading of a text
    /// different.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let problem = |problem: String| Error::Data { path: path.to_owned(), line: None, problem };
        let size = std::fs::metadata(path).map_err(Error::file(path))?.len();
        if size > LARGEST_FILE {
            return Err(problem(format!(
                "the file has {}; expected a vocabulary of at most {}",
                crate::format::bytes(size),
                crate::format::bytes(LARGEST_FILE)
            )));
        }
        let bytes = read_file(path).map_err(Error::file(path))?;
        let json: Value = serde_json::from_slice(&bytes).map_err(|error| {
            problem(format!(
                "{error}; expected a vocabulary in JSON: a file of `Vocabulary::save`, or a `tokenizer.json`"
            ))
        })?;
        if json.get("model").is_some() {
            return Self::of_tokenizer(bytes).map_err(problem);
        }
        match (json.get("characters").and_then(Value::as_str), json.get("bytes")) {
            (Some(characters), None) => Ok(Self::of_characters(characters)),
            (None, Some(_)) => Ok(Self::of_bytes()),
            _ => Err(problem(
                "the file has neither `characters` nor `bytes` nor the `model` of a tokenizer; expected a file of \
                 `Vocabulary::save`, or a `tokenizer.json`"
                    .to_owned(),
            )),
        }
    }

    fn of_tokenizer(json: Vec<u8>) -> Result<Self, String> {
        let unreadable = |why: &str| format!("the tokenizer cannot be read: {}", plain(why, 300));
        check_prefix(&json).map_err(|why| unreadable(&why))?;
        let mut tokenizer = Tokenizer::from_bytes(&json).map_err(|error| unreadable(&error.to_string()))?;
        if let ModelWrapper::BPE(model) = tokenizer.get_model()
            && let Some(dropout) = model.dropout.filter(|dropout| *dropout > 0.0)
        {
            return Err(format!(
                "the tokenizer has a `dropout` of {dropout}, so that each reading of a text would be different; set it to null"
            ));
        }
        // These shorten or lengthen a text for the model that the file was made for.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        let largest = tokenizer.get_vocab(true).into_values().max();
        let size = largest.map_or(0, |largest| largest as usize + 1);
        if size == 0 {
            return Err("the tokenizer has no tokens; expected at least one".to_owned());
        }
        let sha256 = sha256(&json);
        let tokens = Tokens::File { tokenizer: Box::new(tokenizer), size, sha256, json };
        Ok(Self { tokens: Arc::new(tokens) })
    }

    /// Writes the vocabulary to a file, which [`Vocabulary::open`] reads. That of a tokenizer is a copy of its file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let json = match &*self.tokens {
            Tokens::Characters(list) => pretty(&json!({ "characters": list.iter().collect::<String>() })),
            Tokens::Bytes => pretty(&json!({ "bytes": 256 })),
            Tokens::File { json, .. } => return write_atomic(path.as_ref(), json),
        };
        write_atomic(path.as_ref(), json.as_bytes())
    }

    /// The number of tokens: `V` of the kind `Tokens<V, T>`.
    #[must_use]
    pub fn size(&self) -> usize {
        match &*self.tokens {
            Tokens::Characters(list) => list.len(),
            Tokens::Bytes => 256,
            Tokens::File { size, .. } => *size,
        }
    }

    /// SHA-256 of the tokenizer file as hexadecimal digits; `None` without such a file.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        match &*self.tokens {
            Tokens::File { sha256, .. } => Some(sha256),
            _ => None,
        }
    }

    /// The tokens of a text. A tokenizer adds no tokens of its own at the start and at the end.
    ///
    /// # Errors
    /// If the text has a character that the vocabulary does not have.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        match &*self.tokens {
            Tokens::Bytes => Ok(text.bytes().map(u32::from).collect()),
            Tokens::Characters(list) => {
                let numbers = Numbers::new(list);
                let number = |letter| numbers.of(letter).ok_or_else(|| Error::Dataset(self.unknown(letter)));
                text.chars().map(number).collect()
            }
            Tokens::File { tokenizer, size, .. } => encoded(tokenizer, *size, text).map_err(Error::Dataset),
        }
    }

    /// The text of some tokens. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// If a number is not one of a token.
    pub fn decode(&self, tokens: &[u32]) -> Result<String> {
        let unknown = |token: u32| {
            Error::Dataset(format!("the token is {token}; expected a number below {}", self.size()))
        };
        match &*self.tokens {
            Tokens::Characters(list) => {
                let found =
                    tokens.iter().map(|&token| list.get(token as usize).ok_or_else(|| unknown(token)));
                found.collect()
            }
            Tokens::Bytes => {
                let found = tokens.iter().map(|&token| u8::try_from(token).map_err(|_| unknown(token)));
                Ok(String::from_utf8_lossy(&found.collect::<Result<Vec<u8>>>()?).into_owned())
            }
            Tokens::File { tokenizer, .. } => {
                if let Some(token) = tokens.iter().find(|token| tokenizer.id_to_token(**token).is_none()) {
                    return Err(Error::Dataset(format!(
                        "the tokenizer has no token with the number {token}"
                    )));
                }
                let text = tokenizer.decode(tokens, false);
                text.map_err(|error| Error::Dataset(format!("the tokens cannot be decoded: {error}")))
            }
        }
    }

    /// The text of each token, in the order of their numbers; empty for a number without a token. Bytes that are not ASCII are
    /// written as `\xE9`.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match &*self.tokens {
            Tokens::Characters(list) => list.iter().map(ToString::to_string).collect(),
            Tokens::Bytes => {
                (0..=u8::MAX)
                    .map(|byte| {
                        if byte.is_ascii() { char::from(byte).to_string() } else { format!("\\x{byte:02X}") }
                    })
                    .collect()
            }
            Tokens::File { tokenizer, size, .. } => {
                (0..*size).map(|token| tokenizer.id_to_token(token as u32).unwrap_or_default()).collect()
            }
        }
    }

    /// The message about a character that is not in the vocabulary.
    fn unknown(&self, character: char) -> String {
        let shown = character.escape_debug();
        format!("the character `{shown}` is not one of the {} of the vocabulary", self.size())
    }

    /// What its tokens are called in messages.
    pub(super) fn unit(&self) -> &'static str {
        match &*self.tokens {
            Tokens::Characters(_) => "characters",
            Tokens::Bytes => "bytes",
            Tokens::File { .. } => "tokens",
        }
    }

    /// Whether any bytes have tokens, not only those of a text in UTF-8.
    pub(super) fn takes_bytes(&self) -> bool {
        matches!(*self.tokens, Tokens::Bytes)
    }

    /// Appends the tokens of a part of a file.
    pub(super) fn append(
        &self,
        origin: &Origin,
        part: Part<'_>,
        interrupt: &Interrupt,
        ids: &mut Ids,
    ) -> Result<()> {
        match &*self.tokens {
            Tokens::Bytes => {
                for bytes in part.bytes.chunks(1 << 20) {
                    interrupt.check()?;
                    bytes.iter().try_for_each(|&byte| ids.push(origin, byte.into()))?;
                }
            }
            Tokens::Characters(list) => {
                let numbers = Numbers::new(list);
                for (place, (at, character)) in part.text(origin)?.char_indices().enumerate() {
                    if place % (1 << 20) == 0 {
                        interrupt.check()?;
                    }
                    let Some(id) = numbers.of(character) else {
                        return Err(origin.problem_at(part.line_of(at), self.unknown(character)));
                    };
                    ids.push(origin, id)?;
                }
            }
            Tokens::File { tokenizer, size, .. } => {
                interrupt.check()?;
                let list = encoded(tokenizer, *size, part.text(origin)?);
                let list = list.map_err(|problem| origin.problem_at(part.line_of(0), problem))?;
                list.into_iter().try_for_each(|id| ids.push(origin, id))?;
            }
        }
        Ok(())
    }
}

/// The tokens that a tokenizer finds in a text.
fn encoded(tokenizer: &Tokenizer, size: usize, text: &str) -> Result<Vec<u32>, String> {
    let found = tokenizer.encode_fast(text, false);
    let found = found.map_err(|error| format!("the text cannot be split into tokens: {error}"))?;
    match found.get_ids().iter().find(|id| **id as usize >= size) {
        Some(id) => Err(format!("the tokenizer returned the token {id}; expected a number below {size}")),
        None => Ok(found.get_ids().to_vec()),
    }
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vocabulary({} {})", self.size(), self.unit())
    }
}

/// A part of a file: a document.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// The whole file.
    pub(super) file: &'a [u8],
    /// The part's first byte.
    pub(super) start: usize,
    pub(super) bytes: &'a [u8],
}

impl<'a> Part<'a> {
    /// The part as text, or the error that it is not UTF-8.
    pub(super) fn text(&self, origin: &Origin) -> Result<&'a str> {
        std::str::from_utf8(self.bytes).map_err(|error| {
            let at = error.valid_up_to();
            let byte = self.bytes.get(at).copied().unwrap_or_default();
            origin.problem_at(
                self.line_of(at),
                format!(
                    "the byte 0x{byte:02X} is not UTF-8; expected a text in UTF-8: convert it, such as with `iconv -f WINDOWS-1252 \
                     -t UTF-8`, or read it as bytes with `.bytes()`"
                ),
            )
        })
    }

    /// The line of a byte of the part, from 1.
    fn line_of(&self, at: usize) -> u64 {
        let before = self.file.get(..self.start + at).unwrap_or_default();
        memchr::memchr_iter(b'\n', before).count() as u64 + 1
    }
}

/// The set of characters of a text.
pub(super) struct Characters {
    /// A bit for each code point.
    seen: Vec<u64>,
}

impl Characters {
    pub(super) fn new() -> Self {
        Self { seen: vec![0; (char::MAX as usize + 1).div_ceil(64)] }
    }

    pub(super) fn add(&mut self, text: &str) {
        for character in text.chars() {
            let code = character as usize;
            if let Some(bits) = self.seen.get_mut(code / 64) {
                *bits |= 1 << (code % 64);
            }
        }
    }

    pub(super) fn vocabulary(&self) -> Vocabulary {
        let is_seen = |character: &char| {
            let code = *character as usize;
            self.seen.get(code / 64).is_some_and(|bits| bits >> (code % 64) & 1 == 1)
        };
        let characters = ('\0'..=char::MAX).filter(is_seen).collect();
        Vocabulary { tokens: Arc::new(Tokens::Characters(characters)) }
    }
}

/// The numbers of characters.
struct Numbers<'a> {
    list: &'a [char],
    /// Those of ASCII characters.
    ascii: [Option<u32>; 128],
}

impl<'a> Numbers<'a> {
    fn new(list: &'a [char]) -> Self {
        let mut ascii = [None; 128];
        for (number, character) in (0..).zip(list) {
            if let Some(place) = ascii.get_mut(*character as usize) {
                *place = Some(number);
            }
        }
        Self { list, ascii }
    }

    fn of(&self, character: char) -> Option<u32> {
        match self.ascii.get(character as usize) {
            Some(number) => *number,
            None => self.list.binary_search(&character).ok().map(|number| number as u32),
        }
    }
}

/// Checks what the library of tokenizers takes for granted: the second token of a merge begins with the prefix of continued words.
fn check_prefix(json: &[u8]) -> Result<(), String> {
    let json: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let model = json.get("model");
    let prefix = model.and_then(|model| model.get("continuing_subword_prefix")?.as_str()).unwrap_or_default();
    let merges =
        model.and_then(|model| model.get("merges")?.as_array()).map(Vec::as_slice).unwrap_or_default();
    let second = |merge: &Value| match merge {
        Value::String(pair) => pair.split_once(' ').map(|(_, second)| second.to_owned()),
        pair => pair.get(1)?.as_str().map(str::to_owned),
    };
    match merges.iter().filter_map(second).find(|second| !second.starts_with(prefix)) {
        Some(second) => Err(format!(
            "the merge of `{second}` does not begin with the prefix `{prefix}` of continued words"
        )),
        None => Ok(()),
    }
}
