use proptest::prelude::*;

use super::*;
use crate::data::file::tests::{packed, problem};
use crate::data::{Dataset, PreparedDataset, Split};
use crate::shape;

/// Reads a text of this content.
fn read<K>(text: &[u8], change: impl FnOnce(Text) -> Text) -> TextWindows<K>
where
    K: InputKind + TargetKind + Kind<Element = u32>,
{
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.txt");
    std::fs::write(&path, text).unwrap();
    change(Text::open(path)).read::<K>().unwrap()
}

fn windows<K>(data: &TextWindows<K>) -> Vec<(String, String)>
where
    K: InputKind + TargetKind + Kind<Element = u32>,
{
    let length = K::SHAPE.elements();
    let window = |index| {
        let (mut input, mut target) = (vec![0; length], vec![0; length]);
        data.sample(index, &mut input, &mut target).unwrap();
        let text = |tokens: &[u32]| data.vocabulary().decode(tokens).unwrap();
        (text(&input), text(&target))
    };
    (0..data.len()).map(window).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(input, target)| ((*input).to_owned(), (*target).to_owned())).collect()
}

#[test]
fn target_is_window_one_character_later() {
    let text = "abcdef\u{e9}\u{1f600}";
    for file in [text.as_bytes().to_vec(), packed(text.as_bytes()), format!("\u{FEFF}{text}").into_bytes()] {
        let data = read::<shape::Tokens<8, 3>>(&file, Text::characters);
        assert_eq!(windows(&data), pairs(&[("abc", "bcd"), ("def", "ef\u{e9}")]));
        assert_eq!(data.vocabulary().names().concat(), text);
        assert!(data.sample(2, &mut [0; 3], &mut [0; 3]).is_err());
    }
    let data = read::<shape::Tokens<8, 7>>(text.as_bytes(), |text| text);
    assert_eq!(windows(&data), pairs(&[("abcdef\u{e9}", "bcdef\u{e9}\u{1f600}")]));
}

#[test]
fn stride_sets_distance_of_windows() {
    let with_stride = |stride| windows(&read::<shape::Tokens<5, 2>>(b"abcde", |text| text.stride(stride)));
    assert_eq!(with_stride(1), pairs(&[("ab", "bc"), ("bc", "cd"), ("cd", "de")]));
    assert_eq!(with_stride(2), pairs(&[("ab", "bc"), ("cd", "de")]));
    assert_eq!(with_stride(3), pairs(&[("ab", "bc")]));
}

#[test]
fn windows_stay_within_documents_and_files() {
    let text = b"abcd##ef##ghijk";
    let data = read::<shape::Tokens<11, 2>>(text, |text| text.documents("##").stride(1));
    let expected = [("ab", "bc"), ("bc", "cd"), ("gh", "hi"), ("hi", "ij"), ("ij", "jk")];
    assert_eq!(windows(&data), pairs(&expected));

    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    std::fs::write(&a, "abc").unwrap();
    std::fs::write(&b, "defgh").unwrap();
    let data = Text::open(&a).then(&b).read::<shape::Tokens<8, 2>>().unwrap();
    assert_eq!(windows(&data), pairs(&[("ab", "bc"), ("de", "ef"), ("fg", "gh")]));
    assert_eq!(data.location(2), Some(format!("{}: window 1 (from 0)", b.display())));
    assert_eq!(data.location(3), None);
}

#[test]
fn bytes_may_be_anything() {
    let data = read::<shape::Tokens<256, 2>>(&[0, 255, 254, 10, 0xEF, 0xBB], Text::bytes);
    let (mut input, mut target) = ([0; 2], [0; 2]);
    data.sample(1, &mut input, &mut target).unwrap();
    assert_eq!((data.len(), input, target), (2, [254, 10], [10, 0xEF]));
    assert_eq!(data.vocabulary().decode(&[104, 0xC3, 0xA9]).unwrap(), "h\u{e9}");
    assert!(data.vocabulary().decode(&[256]).is_err());
}

proptest! {
    /// Each window is the right part of the text, for any length, stride and separator.
    #[test]
    fn windows_equal_slices_of_the_text(text in "[ab|]{5,60}", stride in 1_usize..6, is_divided: bool) {
        let documents: Vec<&str> = if is_divided { text.split('|').collect() } else { vec![&text] };
        let mut expected = Vec::new();
        for document in &documents {
            let starts = (0..document.len()).step_by(stride).take_while(|start| start + 4 < document.len() + 1);
            expected.extend(starts.map(|start| (document[start..start + 3].to_owned(), document[start + 1..start + 4].to_owned())));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, &text).unwrap();
        let reader = Text::open(path).stride(stride).vocabulary(Vocabulary::of_characters("ab|"));
        let reader = if is_divided { reader.documents("|") } else { reader };
        match reader.read::<shape::Tokens<3, 3>>() {
            Ok(data) => prop_assert_eq!(windows(&data), expected),
            Err(error) => {
                let error = error.to_string();
                prop_assert!(expected.len() < 40 && (expected.is_empty() || error.contains("overlaps")), "{}", error);
            }
        }
    }

    /// No target of a part is in a training window.
    #[test]
    fn split_never_shares_targets_between_parts(tokens in 40_usize..200, stride in 1_usize..8, share in 0.1..0.4_f64) {
        let text: String = (0..tokens).map(|place| char::from_u32(0x4E00 + place as u32).unwrap()).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, &text).unwrap();
        let letters: String = (0..200).map(|place| char::from_u32(0x4E00 + place).unwrap()).collect();
        let reader = Text::open(path).stride(stride).vocabulary(Vocabulary::of_characters(&letters));
        let Ok(data) = reader.read::<shape::Tokens<200, 4>>() else { return Ok(()) };
        let Ok(data) = data.with_split(Split::InOrder { validation: share, test: share }) else { return Ok(()) };
        let targets = |indices: &[usize]| {
            let mut seen = std::collections::BTreeSet::new();
            for &index in indices {
                let (mut input, mut target) = ([0; 4], [0; 4]);
                data.sample(index, &mut input, &mut target).unwrap();
                seen.extend(target);
            }
            seen
        };
        let parts = data.split().resolve(data.len(), 1).unwrap();
        let [train, validation, test] = [&parts.train, &parts.validation, &parts.test].map(|part| targets(part));
        prop_assert!(train.is_disjoint(&validation) && validation.is_disjoint(&test) && train.is_disjoint(&test));
    }
}

#[test]
fn wrong_kind_names_the_right_one() {
    let said = |text: &[u8], change: fn(Text) -> Text| {
        problem("x.txt", text, |path| change(Text::open(path)).read::<shape::Tokens<3, 2>>())
    };
    for (text, change, sentence) in [
        (
            b"abcdef".as_slice(),
            Text::characters as fn(Text) -> Text,
            "x.txt: the text has 6 characters, but the kind is `Tokens<3, 2>`; write `Tokens<6, 2>`, in the model too",
        ),
        (
            b"abcdef",
            Text::bytes,
            "x.txt: a text of bytes has 256 tokens, but the kind is `Tokens<3, 2>`; write `Tokens<256, 2>`, in the model too",
        ),
        (
            b"abc",
            |text| text.vocabulary(Vocabulary::of_characters("ab")),
            "x.txt: the vocabulary has 2 characters, but the kind is `Tokens<3, 2>`; write `Tokens<2, 2>`, in the model too",
        ),
        (
            b"abc\nabx",
            |text| text.vocabulary(Vocabulary::of_characters("abc")),
            "x.txt:1: the character `\\n` is not one of the 3 of the vocabulary",
        ),
        (
            b"ab\nabc",
            |text| text.vocabulary(Vocabulary::of_characters("ab\n")),
            "x.txt:2: the character `c` is not one of the 3 of the vocabulary",
        ),
        (
            b"a,b,,c,a",
            |text| text.documents(","),
            "x.txt: the longest document has 1 characters; expected at least 3, for a window of 2 and the token after it",
        ),
        (
            b"ab",
            |text| text,
            "x.txt: the text has 2 characters, but the kind is `Tokens<3, 2>`; write `Tokens<2, 2>`, in the model too",
        ),
        (
            b"a\nb\xE9",
            |text| text,
            "x.txt:2: the byte 0xE9 is not UTF-8; expected a text in UTF-8: convert it, such as with `iconv -f WINDOWS-1252 -t \
             UTF-8`, or read it as bytes with `.bytes()`",
        ),
        (
            b"\xFF\xFEa\0b\0",
            |text| text,
            "x.txt: the text seems to be UTF-16; expected UTF-8: save it as UTF-8, or convert it with `iconv -f UTF-16 -t UTF-8`",
        ),
        (b"abc", |text| text.stride(0), "data: the stride of a `Text` is 0; expected at least 1"),
        (
            b"abc",
            |text| text.documents(""),
            "data: the separator of the documents of a `Text` is empty; expected some text, such as `\"\\n\\n\"`",
        ),
        (
            b"",
            |text| text.vocabulary(Vocabulary::of_characters("abc")),
            "x.txt: the text has 0 characters; expected at least 3, for a window of 2 and the token after it",
        ),
    ] {
        assert_eq!(said(text, change), sentence);
    }
    let two = problem("x.txt", b"abcd", |path| Text::open(path).then(path).read::<shape::Tokens<3, 2>>());
    assert_eq!(
        two,
        "data: 2 text files: the text has 4 characters, but the kind is `Tokens<3, 2>`; write `Tokens<4, 2>`, in the model too"
    );
}

#[test]
fn vocabulary_survives_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vocabulary.json");
    for vocabulary in [Vocabulary::of_bytes(), Vocabulary::of_characters("z\u{1f600}\"a\n\0")] {
        vocabulary.save(&path).unwrap();
        let read = Vocabulary::open(&path).unwrap();
        assert_eq!((read.size(), read.names()), (vocabulary.size(), vocabulary.names()));
    }
    let said = |text: &str| problem("v.json", text.as_bytes(), |path| Vocabulary::open(path));
    assert!(
        said("{")
            .starts_with("v.json: EOF while parsing an object at line 1 column 1; expected a vocabulary")
    );
    assert!(said("{}").starts_with("v.json: the file has neither `characters` nor `bytes` nor the `model`"));
    assert!(said("{\"model\": 3}").starts_with("v.json: the tokenizer cannot be read: "));
}

/// A tokenizer of words and of a token for the end, as its library writes it.
fn words(dropout: &str) -> String {
    format!(
        r#"{{"version":"1.0","truncation":{{"direction":"Right","max_length":4,"strategy":"LongestFirst","stride":0}},"padding":null,
        "added_tokens":[{{"id":5,"content":"<end>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}}],
        "normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,
        "model":{{"type":"BPE","dropout":{dropout},"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,
        "fuse_unk":false,"byte_fallback":false,"vocab":{{"l":0,"a":1," ":2,"la":3,"la ":4}},"merges":[["l","a"]]}}}}"#
    )
}

#[test]
fn tokenizer_file_splits_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, words("null")).unwrap();
    let vocabulary = Vocabulary::open(&path).unwrap();
    assert_eq!(vocabulary.size(), 6);
    assert_eq!(vocabulary.encode("la la l").unwrap(), [3, 2, 3, 2, 0]);
    assert_eq!(vocabulary.sha256().map(str::len), Some(64));
    // The limit of the file is not applied.
    let data = read::<shape::Tokens<6, 4>>(b"la la la<end>la la", |text| text.tokenizer(&path).stride(2));
    let (mut input, mut target) = ([0; 4], [0; 4]);
    data.sample(1, &mut input, &mut target).unwrap();
    assert_eq!((data.len(), input, target), (3, [3, 2, 3, 5], [2, 3, 5, 3]));
    assert!(vocabulary.decode(&[6]).unwrap_err().to_string().contains("no token with the number 6"));

    let copy = folder.path().join("copy.json");
    vocabulary.save(&copy).unwrap();
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), words("null"));

    std::fs::write(&path, words("0.1")).unwrap();
    let said = Vocabulary::open(&path).unwrap_err().to_string();
    assert!(said.ends_with("the tokenizer has a `dropout` of 0.1, so that each reading of a text would be different; set it to null"));
}

/// The windows are ready for a run.
#[test]
fn prepared_windows_keep_their_order() {
    let text: String = "the quick brown fox ".repeat(20);
    let data = read::<shape::Tokens<16, 8>>(text.as_bytes(), |text| text);
    let data = PreparedDataset::new(Box::new(data), 1).unwrap();
    assert_eq!(
        (data.train().len(), data.validation().to_vec(), data.test().to_vec()),
        (41, (41..45).collect(), (45..49).collect())
    );
}
