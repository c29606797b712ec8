//! Finds the tensor in which two files differ.

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::Value;

/// A tensor's name, and its old and new content.
pub(super) type TensorDifference = (String, String, String);

/// The first tensor that differs bit for bit, first among the names that start with a path, in the order of the paths, then
/// among the others; or the difference of the metadata, except for the version that wrote the file.
pub(super) fn first_difference(old: &[u8], new: &[u8], paths: &[&str]) -> Option<TensorDifference> {
    if old == new {
        return None;
    }
    let read = |bytes| SafeTensors::deserialize(bytes);
    let (was, is) = match (read(old), read(new)) {
        (Ok(was), Ok(is)) => (was, is),
        (was, is) => {
            let text = |file: Result<_, safetensors::SafeTensorError>| {
                file.map_or_else(
                    |error| format!("not a safetensors file ({error})"),
                    |()| "a safetensors file".to_owned(),
                )
            };
            return Some(("the file".to_owned(), text(was.map(|_| ())), text(is.map(|_| ()))));
        }
    };
    let mut names: Vec<_> = was.names().into_iter().chain(is.names()).collect();
    let place = |name: &str| {
        let of = |path: &&str| {
            name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        paths.iter().position(of).unwrap_or(paths.len())
    };
    names.sort_unstable_by_key(|name| (place(name), *name));
    names.dedup();
    let different = names.into_iter().find_map(|name| {
        let (was, is) = differs(was.tensor(name).ok().as_ref(), is.tensor(name).ok().as_ref())?;
        Some((name.to_owned(), was, is))
    });
    different.or_else(|| {
        let (was, is) = (metadata(old), metadata(new));
        let change = super::difference::changes(&was, &is).into_iter().next()?;
        Some((change.key, change.old, change.new))
    })
}

fn differs(was: Option<&TensorView<'_>>, is: Option<&TensorView<'_>>) -> Option<(String, String)> {
    let (Some(was), Some(is)) = (was, is) else {
        let text = |tensor: Option<_>| if tensor.is_some() { "present" } else { "missing" }.to_owned();
        return Some((text(was), text(is)));
    };
    let kind = |tensor: &TensorView<'_>| format!("{:?} {:?}", tensor.dtype(), tensor.shape());
    if kind(was) != kind(is) {
        return Some((kind(was), kind(is)));
    }
    let size = if was.dtype() == Dtype::F32 { size_of::<f32>() } else { 1 };
    let mut numbers = was.data().chunks(size).zip(is.data().chunks(size)).enumerate();
    let (place, (was, is)) = numbers.find(|(_, (was, is))| was != is)?;
    let text = |bytes: &[u8]| match bytes.try_into().map(u32::from_le_bytes) {
        Ok(bits) => format!("{:?} (bits {bits:08x})", f32::from_bits(bits)),
        Err(_) => format!("{bytes:?}"),
    };
    Some((format!("{} at index {place}", text(was)), text(is)))
}

/// The metadata of a file, without the version.
fn metadata(bytes: &[u8]) -> Value {
    let metadata =
        SafeTensors::read_metadata(bytes).ok().and_then(|(_, metadata)| metadata.metadata().clone());
    let text = metadata.and_then(|mut metadata| metadata.remove("trainspec"));
    let mut json: Value = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    if let Some(keys) = json.as_object_mut() {
        keys.remove("version");
    }
    json
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model_file::TensorFile;

    #[test]
    fn first_difference_in_path_order_is_named() {
        let file = |b: f32, a: &[f32], metadata: Value| {
            let tensors = vec![
                ("b.m".to_owned(), vec![1], vec![b].into()),
                ("a.m".to_owned(), vec![a.len()], a.into()),
            ];
            TensorFile::new(tensors, &metadata).unwrap().to_bytes().unwrap()
        };
        let old = file(1.0, &[0.0, 2.0], json!({ "version": "1", "seed": 7 }));
        let found = |b, a: &[f32], metadata| {
            let found = first_difference(&old, &file(b, a, metadata), &["b", "a"]);
            found.map(|(name, was, is)| format!("{name}: {was}, {is}"))
        };
        assert_eq!(found(1.0, &[0.0, 2.0], json!({ "version": "2", "seed": 7 })), None);
        assert_eq!(found(1.0, &[0.0, 2.0], json!({ "seed": 8 })), Some("seed: 7, 8".to_owned()));
        let zero = found(1.0, &[-0.0, 2.0], json!({})).unwrap();
        assert_eq!(zero, "a.m: 0.0 (bits 00000000) at index 0, -0.0 (bits 80000000)");
        let both = found(1.5, &[0.0, 3.0], json!({})).unwrap();
        assert_eq!(both, "b.m: 1.0 (bits 3f800000) at index 0, 1.5 (bits 3fc00000)");
        assert_eq!(found(1.0, &[0.0], json!({})).unwrap(), "a.m: F32 [2], F32 [1]");
        assert!(first_difference(&old, b"", &[]).unwrap().2.starts_with("not a safetensors file"));
    }
}
