//! Arrays that NumPy has written: of each type, of each version of the format, stored and compressed.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use trainspec::data::Npy;
use trainspec::prelude::*;

type Arrays = Npy<Image<1, 2, 3>, Class<3>>;

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "golden/arrays", name].iter().collect()
}

fn samples(data: &Arrays) -> (Vec<f32>, Vec<u32>) {
    let (mut inputs, mut targets) = (vec![0.0; 24], vec![0; 4]);
    assert_eq!(data.len(), 4);
    for (index, (input, target)) in inputs.chunks_mut(6).zip(targets.chunks_mut(1)).enumerate() {
        data.sample(index, input, target).unwrap();
    }
    (inputs, targets)
}

#[test]
fn arrays_of_each_type_read_as_numpy_wrote_them() {
    let numbers: Vec<f32> = (0..24_u8).map(f32::from).collect();
    for name in [
        "uint8",
        "int8",
        "uint16",
        "int16",
        "uint32",
        "int32",
        "uint64",
        "int64",
        "float32",
        "float64",
        "version_2",
        "version_3",
    ] {
        let data = Arrays::read(path(&format!("{name}.npy")), path("labels.npy")).unwrap();
        assert_eq!(samples(&data), (numbers.clone(), vec![2, 0, 1, 2]), "{name}");
    }
    let bits = Arrays::read(path("bool.npy"), path("labels.npy")).unwrap();
    assert_eq!(samples(&bits).0, numbers.iter().map(|number| number.min(1.0)).collect::<Vec<_>>());
    for name in ["stored.npz", "compressed.npz"] {
        let data = Arrays::read_npz(path(name), "x", "y").unwrap().scale(4.0);
        assert_eq!(samples(&data), (numbers.clone(), vec![2, 0, 1, 2]), "{name}");
    }
}

#[test]
fn other_arrays_are_rejected_with_what_to_save() {
    for (name, words) in [
        ("fortran.npy", "save `numpy.ascontiguousarray(x)`"),
        ("big_endian.npy", "the values are of the type `>f4`"),
        ("half.npy", "the values are of the type `<f2`"),
        ("records.npy", "the values are of the type several fields"),
        ("stored.npz", "this is not an array of NumPy"),
    ] {
        let said = Arrays::read(path(name), path("labels.npy")).unwrap_err().to_string();
        assert!(said.contains(words), "{name}: {said}");
    }
    let said = Arrays::read_npz(path("stored.npz"), "x", "z").unwrap_err().to_string();
    assert!(said.ends_with("the archive has no array `z`; found 2 arrays: `x`, `y`"), "{said}");
    let said = Arrays::read_npz(path("float32.npy"), "x", "y").unwrap_err().to_string();
    assert!(said.contains("this is not an archive of `numpy.savez`"), "{said}");
}

#[test]
fn damaged_archive_is_rejected() {
    let whole = std::fs::read(path("stored.npz")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("x.npz");
    // In the values of the first array, after the headers of the archive and of the array.
    let mut damaged = whole.clone();
    damaged[180] ^= 1;
    std::fs::write(&copy, damaged).unwrap();
    let said = Arrays::read_npz(&copy, "x", "y").unwrap_err().to_string();
    assert!(
        said.ends_with("array `x`: its checksum does not match; replace the archive with an intact copy"),
        "{said}"
    );
    std::fs::write(&copy, &whole[..400]).unwrap();
    assert!(Arrays::read_npz(&copy, "x", "y").is_err());
}
