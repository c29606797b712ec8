#![expect(clippy::float_cmp, reason = "these numbers are exact")]

use super::*;
use crate::data::file::tests::{packed, problem};
use crate::shape;

type Rows = Npy<shape::Features<3>, shape::Class<4>>;

/// An array as NumPy writes it.
fn array(values: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{values}', 'fortran_order': False, 'shape': {shape}, }}");
    with_header(&header, bytes)
}

fn with_header(header: &str, bytes: &[u8]) -> Vec<u8> {
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0".as_slice(), &length, header.as_bytes(), bytes].concat()
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn read(x: &[u8], y: &[u8]) -> Result<Rows> {
    let folder = tempfile::tempdir().unwrap();
    let (of_x, of_y) = (folder.path().join("x.npy"), folder.path().join("y.npy"));
    std::fs::write(&of_x, x).unwrap();
    std::fs::write(&of_y, y).unwrap();
    Rows::read(of_x, of_y)
}

fn sample(data: &Rows, index: usize) -> Result<([f32; 3], u32)> {
    let (mut input, mut target) = ([0.0; 3], [0]);
    data.sample(index, &mut input, &mut target)?;
    Ok((input, target[0]))
}

#[test]
fn samples_are_rows_of_the_arrays() {
    let x = array("<f4", "(2, 3)", &floats(&[0.5, 1.0, -2.0, 3.0, 4.0, 5.0]));
    let y = array("|u1", "(2,)", &[3, 1]);
    for (x, y) in [(x.clone(), y.clone()), (packed(&x), packed(&y))] {
        let data = read(&x, &y).unwrap();
        assert_eq!(data.len(), 2);
        assert_eq!(sample(&data, 0).unwrap(), ([0.5, 1.0, -2.0], 3));
        assert_eq!(sample(&data.scale(2.0), 1).unwrap(), ([6.0, 8.0, 10.0], 1));
    }
    assert!(sample(&read(&x, &y).unwrap(), 2).is_err());
}

/// The same array, in memory and read from its file.
#[test]
fn file_is_read_by_position() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    std::fs::write(&path, [vec![9; 10], floats(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])].concat()).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let stored = Stored::in_file(file, &path, 10, 24);
    let array = Array { path: path.clone(), name: None, values: Type::F32, samples: 2, bytes: stored };
    let mut row = [0.0_f32; 3];
    array.sample(1, &mut row, shape::Features::<3>::SHAPE, |value| value).unwrap();
    assert_eq!(row, [3.0, 4.0, 5.0]);
    let error = array.sample(2, &mut row, shape::Features::<3>::SHAPE, |value| value).unwrap_err();
    assert_eq!(error.to_string(), "data: there is no sample 2");
    std::fs::write(&path, [9; 12]).unwrap();
    let error =
        array.sample(1, &mut row, shape::Features::<3>::SHAPE, |value| value).unwrap_err().to_string();
    assert!(
        error.ends_with("the file is shorter than when it was opened; do not change it during a run"),
        "{error}"
    );
}

#[test]
fn malformed_array_is_rejected() {
    let six = floats(&[0.0; 6]);
    let huge = array("<f4", "(4611686018427387904, 3)", &six);
    for (bytes, sentence) in [
        (vec![], "x: the header is cut short"),
        (
            b"PK\x03\x04 and more".to_vec(),
            "x: this is not an array of NumPy; expected a file of `numpy.save`",
        ),
        (array("<f4", "(2, 3)", &six)[..30].to_vec(), "x: the header is cut short"),
        (
            [b"\x93NUMPY\x09\0".as_slice(), &[0; 40]].concat(),
            "x: the header has the version 9 and 0 bytes; expected a version from 1 to 3 and at most 65536 bytes",
        ),
        (
            with_header("{'descr': '<f4', }", &[]),
            "x: the header is `{'descr': '<f4', }`; expected the `descr`, `fortran_order` and `shape` of an array",
        ),
        (
            array("<c8", "(2, 3)", &six),
            "x: the values are of the type `<c8`; expected little-endian numbers of 8 to 64 bits: save `x.astype(\"float32\")`",
        ),
        (
            with_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", &six),
            "x: the values are of the type several fields; expected little-endian numbers of 8 to 64 bits: save \
             `x.astype(\"float32\")`",
        ),
        (
            with_header("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", &six),
            "x: the array is in Fortran order, one column after the other; save `numpy.ascontiguousarray(x)`",
        ),
        (
            with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }", &six),
            "x: the header is `{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }`; expected the `descr`, `fortran_order` \
             and `shape` of an array",
        ),
        (
            array("<f4", "(2, 4)", &six),
            "x: the array has the shape (2, 4); expected (N, 3) for N samples of `Features`",
        ),
        (
            array("<f4", "()", &six),
            "x: the array has the shape (); expected (N, 3) for N samples of `Features`",
        ),
        (
            array("<f4", "(3, 3)", &six),
            "x: 24 bytes after the header; expected 36 for the shape (3, 3) of float32; the file is cut short",
        ),
        (
            array("<f4", "(1, 3)", &six),
            "x: more than the 12 bytes of the shape (1, 3) of float32; the file is damaged or not what its header says",
        ),
        (
            huge,
            "x: 24 bytes after the header; expected 18446744073709551615 for the shape (4611686018427387904, 3) of float32; the file \
             is cut short",
        ),
    ] {
        let said = problem("x", &bytes, |path| {
            Array::open(path, "Features", shape::Features::<3>::SHAPE).map(|_| ())
        });
        assert_eq!(said, sentence);
    }
    let bomb = packed(&array("<f4", "(1000000000, 3)", &six));
    let said =
        problem("x", &bomb, |path| Array::open(path, "Features", shape::Features::<3>::SHAPE).map(|_| ()));
    assert!(
        said.contains("the header declares 12000000000 bytes, and a file of this size holds at most"),
        "{said}"
    );
}

#[test]
fn likely_cause_of_wrong_shape_is_named() {
    let said = |shape: &str, kind: Shape| {
        let bytes = array("<f4", shape, &[]);
        problem("x", &bytes, |path| Array::open(path, "K", kind).map(|_| ()))
    };
    assert_eq!(
        said("(9, 32, 32, 3)", shape::Image::<3, 32, 32>::SHAPE),
        "x: the array has the shape (9, 32, 32, 3); expected (N, 3, 32, 32) for N samples of `K`; the channels seem to be last: save \
         `x.transpose(0, 3, 1, 2)`"
    );
    assert_eq!(
        said("(9, 10)", shape::Class::<10>::SHAPE),
        "x: the array has the shape (9, 10); expected (N,) for N samples of `K`; if each row has a 1 at its class, save \
         `y.argmax(axis=1)`"
    );
}

#[test]
fn invalid_values_name_their_sample() {
    let x = array("<f4", "(2, 3)", &floats(&[0.0, 1.0, 2.0, 3.0, f32::NAN, 5.0]));
    let y = array("<f4", "(2,)", &floats(&[3.5, 1.0]));
    let data = read(&x, &y).unwrap();
    let said = |index| {
        let said = sample(&data, index).unwrap_err().to_string();
        said.rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(said(0), "y.npy: sample 0 (from 0) is 3.5; expected a whole number from 0 to 3");
    assert_eq!(said(1), "x.npy: element 1 of sample 1 (from 0) is NaN; expected a finite number");
    let said = read(&x, &array("|u1", "(3,)", &[0; 3])).unwrap_err().to_string();
    assert!(said.contains("y.npy: 3 targets; expected 2, one for each input of "), "{said}");
}
