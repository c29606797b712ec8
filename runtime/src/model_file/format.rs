//! Recognizes files that are not safetensors, and describes how to convert them.

/// The error for bytes that safetensors rejects with `error`.
pub(crate) fn no_safetensors(bytes: &[u8], error: impl std::fmt::Display) -> String {
    match recognize(bytes) {
        Some((what, convert)) => format!("this is {what}, not a safetensors file; {convert}"),
        None => format!("not a safetensors file: {error}"),
    }
}

/// How to convert from PyTorch. A checkpoint often has the weights under a key.
const PYTORCH: &str = "convert it in Python: `import torch; from safetensors.torch import save_file; \
     state = torch.load(\"model.pt\", map_location=\"cpu\", weights_only=True); \
     save_file({name: tensor.contiguous() for name, tensor in state.items()}, \"model.safetensors\")` \
     (if the weights are under a key of the file, take `state[\"state_dict\"]` or the key that it has)";

const NUMPY: &str = "convert it in Python: `import numpy; from safetensors.numpy import save_file; \
     save_file(dict(numpy.load(\"model.npz\")), \"model.safetensors\")`";

const ELSEWHERE: &str = "save the model as safetensors with the program that made it";

/// The type of a file, by its first bytes, and what to do.
fn recognize(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    // The names of a zip archive's first entries are near its start.
    let head = &bytes[..bytes.len().min(4096)];
    let has = |text: &str| head.windows(text.len()).any(|part| part == text.as_bytes());
    if begins(b"PK\x03\x04") {
        return Some(if has("data.pkl") || has("/.format_version") || has("/byteorder") {
            ("a PyTorch file", PYTORCH)
        } else if has(".npy") {
            ("a NumPy archive (.npz)", NUMPY)
        } else {
            ("a zip archive", "unpack it, and use the model file in it")
        });
    }
    if let [0x80, 2..=5, ..] = bytes {
        return Some(("a pickle, as older versions of PyTorch write", PYTORCH));
    }
    Some(if begins(b"\x93NUMPY") {
        let one = "convert it in Python: `import numpy; from safetensors.numpy import save_file; \
             save_file({\"name\": numpy.load(\"model.npy\")}, \"model.safetensors\")`";
        ("a NumPy array (.npy)", one)
    } else if begins(b"GGUF") {
        (
            "a GGUF file, whose weights are usually quantized",
            "use the safetensors file from which it was made",
        )
    } else if begins(b"\x89HDF\r\n\x1a\n") {
        ("an HDF5 file, as Keras writes", ELSEWHERE)
    } else if begins(b"\x1f\x8b") {
        ("compressed by gzip", "decompress it first")
    } else if begins(b"version https://git-lfs") {
        ("a pointer of Git LFS to a file that was not downloaded", "run `git lfs pull`")
    } else if begins(b"<!DOCTYPE") || begins(b"<!doctype") || begins(b"<html") {
        ("a web page", "download the file itself")
    } else if begins(b"{") && has("weight_map") {
        let join = "load all the parts that it lists, and save them as one file";
        ("an index of a model in several files", join)
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_file_formats_are_rejected_with_instructions() {
        let said = |bytes: &[u8]| no_safetensors(bytes, "header too large");
        let zip = |name: &str| [b"PK\x03\x04\0\0\0\0", name.as_bytes()].concat();
        for (bytes, expected) in [
            (
                zip("archive/data.pkl"),
                "this is a PyTorch file, not a safetensors file; convert it in Python: `import torch",
            ),
            (
                b"\x80\x02\x8a\x0al\xfc\x9cF".to_vec(),
                "this is a pickle, as older versions of PyTorch write, no",
            ),
            (zip("weight.npy"), "this is a NumPy archive (.npz), not a safetensors file; convert it"),
            (zip("notes.txt"), "this is a zip archive, not a safetensors file; unpack it"),
            (b"\x93NUMPY\x01\0".to_vec(), "this is a NumPy array (.npy), no"),
            (b"GGUF\x03\0\0\0".to_vec(), "this is a GGUF file"),
            (b"\x89HDF\r\n\x1a\n".to_vec(), "this is an HDF5 file"),
            (b"\x1f\x8b\x08".to_vec(), "this is compressed by gzip"),
            (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "this is a pointer of Git LFS"),
            (b"<!DOCTYPE html>".to_vec(), "this is a web page"),
            (br#"{"metadata":{},"weight_map":{}}"#.to_vec(), "this is an index of a model in several files"),
            (b"".to_vec(), "not a safetensors file: header too large"),
            (b"\xff\xff".to_vec(), "not a safetensors file: header too large"),
        ] {
            assert!(said(&bytes).starts_with(expected), "{}", said(&bytes));
        }
        assert!(said(&zip("archive/data.pkl")).contains("save_file({name: tensor.contiguous()"));
    }
}
