//! Tests of array files: every type that NumPy writes, IDX, and errors for damaged files.

use flate2::{Compression, write::GzEncoder};
use gradus::data::{npz_keys, read_idx, read_npy, write_csv, write_npy};
use gradus::{Error, Result, Shape, Tensor, data::Values};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// A file for one test.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("data_files_{name}"));
    fs::write(&path, bytes).unwrap();
    path
}

fn said(result: Result<Tensor>) -> String {
    let error = result.map(|_| ()).unwrap_err();
    assert!(error.is_users_mistake(), "{error:?}");
    error.to_string()
}

fn npy(header: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(body);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_type_and_order_that_numpy_writes_is_read() -> Result<()> {
    let expected: Vec<f32> = (0..24).map(|i| i as f32).collect();
    let archive = golden("arrays.npz");
    let keys = npz_keys(&archive)?;
    assert_eq!(keys.len(), 25);
    for key in keys {
        let path = format!("{}:{key}", archive.display());
        let tensor = read_npy(path.as_ref())?;
        assert_eq!(
            (tensor.rows(), tensor.shape()),
            (4, &Shape::from([2, 3])),
            "{key}"
        );
        assert_eq!(tensor.name(), path);
        if key == "bool" {
            assert_eq!(
                tensor.to_f32(),
                expected.iter().map(|x| x % 2.0).collect::<Vec<_>>()
            );
        } else {
            assert_eq!(tensor.to_f32(), expected, "{key}");
        }
        let stays_bytes = key.contains("u1") || key == "bool";
        assert_eq!(
            matches!(tensor.values(), Values::U8(_)),
            stays_bytes,
            "{key}"
        );
    }
    assert_eq!(read_npy(&golden("fortran.npy"))?.to_f32(), expected);
    Ok(())
}

#[test]
fn what_is_written_reads_back() -> Result<()> {
    let values = [1.0, -0.0, 1e-42, f32::MAX, 0.1, -3.5e-20];
    for dims in [&[][..], &[2], &[3, 1], &[1, 2, 3]] {
        let shape = Shape::new(dims);
        let mut bytes = Vec::new();
        write_npy(&mut bytes, &shape, &values).unwrap();
        let tensor = read_npy(&file("written.npy", &bytes))?;
        assert_eq!(tensor.shape(), &shape);
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&tensor.to_f32()), bits(&values));
        assert_eq!((bytes.len() - 24) % 64, 0);
    }
    let mut csv = Vec::new();
    write_csv(&mut csv, 2, &[0.1, 1.0, -2.5e-8, f32::NAN]).unwrap();
    assert_eq!(String::from_utf8(csv).unwrap(), "0.1,1.0\n-2.5e-8,NaN\n");
    Ok(())
}

#[test]
fn damaged_npy_files_say_what_is_wrong() {
    let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
    let with = |header: &str| npy(header, &[0; 24]);
    let deep = format!("{{'descr': {}", "(".repeat(9000));
    let huge = |dims: &str| with(&good.replace("2, 3", dims));
    let cases = [
        ("empty", vec![], "no .npy file"),
        (
            "wrong magic",
            b"\x93NUMPX\x01\x00\x00\x00".to_vec(),
            "no .npy file",
        ),
        (
            "a later version",
            b"\x93NUMPY\x07\x00\x00\x00".to_vec(),
            "version 7.0",
        ),
        (
            "no header",
            b"\x93NUMPY\x01\x00\xff\x00".to_vec(),
            "cut short",
        ),
        (
            "a header of 4 GB",
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(),
            "header has 4294967295 bytes",
        ),
        ("cut short", npy(good, &[0; 23]), "cut short"),
        ("too long", npy(good, &[0; 25]), "goes on after"),
        (
            "more rows than bytes",
            huge("1000000000, 3"),
            "more than it can hold",
        ),
        (
            "dimensions that overflow",
            huge("4294967296, 4294967296, 3"),
            "more than it can hold",
        ),
        (
            "a dimension beyond 64 bits",
            huge("99999999999999999999, 3"),
            "expected a dimension",
        ),
        (
            "a negative dimension",
            huge("-2, 3"),
            "found `-2, 3), }`, expected a dimension",
        ),
        ("empty rows", huge("2, 0"), "hold no numbers"),
        (
            "no rows' dimension",
            with(&good.replace("2, 3", "")),
            "expected rows in the first dimension",
        ),
        (
            "objects",
            with(&good.replace("<f4", "|O")),
            "Python objects",
        ),
        (
            "bytes",
            with(&good.replace("<f4", "|S7")),
            "holds bytes (`|S7`)",
        ),
        (
            "texts of no length",
            with(&good.replace("<f4", "<U0")),
            "texts of another length than known (`<U0`)",
        ),
        (
            "complex numbers",
            with(&good.replace("<f4", "<c8")),
            "complex numbers",
        ),
        (
            "dates",
            with(&good.replace("<f4", "<M8[ns]")),
            "dates or times",
        ),
        (
            "long doubles",
            with(&good.replace("<f4", "<f16")),
            "unknown type (`<f16`)",
        ),
        (
            "records",
            with(&good.replace("'<f4'", "[('a', '<f4')]")),
            "records",
        ),
        (
            "no shape",
            with("{'descr': '<f4', 'fortran_order': False}"),
            "lacks one of",
        ),
        (
            "an open string",
            with("{'descr': '<f4"),
            "expected a string",
        ),
        ("nesting", with(&deep), "expected a string"),
        ("no dict", with("42"), "expected `{`"),
        (
            "a strange key",
            with("{'desc': '<f4'}"),
            "unknown key `desc`",
        ),
        (
            "not UTF-8",
            npy("{'descr': '<f4'", &[0xff; 40]),
            "cannot be read",
        ),
    ];
    for (what, bytes, expected) in cases {
        let path = file("damaged.npy", &bytes);
        let text = said(read_npy(&path));
        assert!(text.contains(expected), "{what}: {text}");
        assert!(
            text.contains("damaged.npy"),
            "{what} does not name the file: {text}"
        );
    }
    assert!(said(read_npy(Path::new("/nowhere.npy"))).starts_with("cannot read /nowhere.npy"));
    assert!(said(read_npy(Path::new(env!("CARGO_TARGET_TMPDIR")))).contains("folder"));
}

#[test]
fn damaged_archives_say_what_is_wrong() {
    let bytes = fs::read(golden("arrays.npz")).unwrap();
    let read = |bytes: &[u8], key: &str| {
        let path = file("damaged.npz", bytes);
        read_npy(format!("{}{key}", path.display()).as_ref())
    };
    assert!(said(read(&bytes, "")).contains("with one of its arrays: u1_little, u1_big"));
    assert!(said(read(&bytes, ":f4_litle")).contains("did you mean `f4_little`?"));
    assert!(said(read(b"PK nothing", ":x")).contains("no whole .npz archive"));
    assert!(said(read(&bytes[..bytes.len() - 30], ":f4_little")).contains("no whole .npz archive"));
    // Each byte of the first array inverted in turn: an error or, if the byte is irrelevant, the
    // right values; never a panic.
    let right = read(&bytes, ":u1_little").unwrap();
    let mut refused = 0;
    for place in 0..160 {
        let mut bytes = bytes.clone();
        bytes[place] ^= 0xff;
        match read(&bytes, ":u1_little") {
            Ok(tensor) => assert_eq!(tensor, right, "byte {place}"),
            Err(error) => {
                assert!(matches!(error, Error::File { .. }), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 60, "{refused}");
}

fn idx(kind: u8, dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, dims.len() as u8];
    bytes.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
    bytes.extend(body);
    bytes
}

#[test]
fn idx_files_are_read_plain_and_gzipped() -> Result<()> {
    let body: Vec<u8> = (0..24).collect();
    let images = idx(8, &[4, 2, 3], &body);
    for bytes in [gzip(&images), images] {
        let tensor = read_idx(&file("good.idx", &bytes))?;
        assert_eq!((tensor.rows(), tensor.shape()), (4, &Shape::from([2, 3])));
        assert_eq!(tensor.values(), Values::U8(&body));
    }
    let shorts = idx(0x0b, &[3], &[0, 1, 0xff, 0xff, 1, 0]);
    assert_eq!(
        read_idx(&file("shorts.idx", &shorts))?.to_f32(),
        [1.0, -1.0, 256.0]
    );
    Ok(())
}

#[test]
fn damaged_idx_files_say_what_is_wrong() {
    let body = [7; 24];
    let good = idx(8, &[4, 6], &body);
    let mut bad_sum = gzip(&good);
    let sum = bad_sum.len() - 8;
    bad_sum[sum] ^= 1;
    let cases = [
        ("empty", vec![], "cut short"),
        ("wrong magic", b"\x89PNG\r\n".to_vec(), "no IDX file"),
        ("an unknown type", idx(7, &[24], &body), "number type 0x07"),
        ("half a header", good[..9].to_vec(), "cut short"),
        (
            "cut short",
            good[..30].to_vec(),
            "ends before the 24 numbers",
        ),
        ("too long", [&good[..], &[0]].concat(), "goes on after"),
        (
            "lying sizes",
            idx(8, &[u32::MAX, u32::MAX], &body),
            "more than it can hold",
        ),
        (
            "overflowing sizes",
            idx(0x0e, &[u32::MAX; 3], &body),
            "more than it can hold",
        ),
        (
            "lying sizes, gzipped",
            gzip(&idx(8, &[u32::MAX, 600], &body)),
            "more than it can hold",
        ),
        (
            "short, gzipped",
            gzip(&idx(8, &[5, 6], &body)),
            "ends before the 30 numbers",
        ),
        ("a cut gzip", gzip(&good)[..20].to_vec(), "cut short"),
        ("a wrong sum", bad_sum, "damaged"),
    ];
    for (what, bytes, expected) in cases {
        let text = said(read_idx(&file("damaged.idx", &bytes)));
        assert!(text.contains(expected), "{what}: {text}");
        assert!(
            text.contains("damaged.idx"),
            "{what} does not name the file: {text}"
        );
    }
}
