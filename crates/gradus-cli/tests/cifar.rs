//! Tests of CIFAR-10 and CIFAR-100 through the real binary: from files, from the archive, and
//! damaged.

mod common;

use common::{Place, Said};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

const PIXELS: usize = 3 * 32 * 32;

/// Rows with these labels, the planes filled with 10, 20, 30, and the row's number in the first
/// pixel's red.
fn rows(labels: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, labels) in labels.enumerate() {
        bytes.extend(labels);
        let start = bytes.len();
        bytes.extend((0..PIXELS).map(|place| 10 * (1 + place / 1024) as u8));
        bytes[start] = number as u8;
    }
    bytes
}

fn ten(count: usize) -> Vec<u8> {
    rows((0..count).map(|row| vec![(row % 10) as u8]))
}

fn hundred(count: usize) -> Vec<u8> {
    rows((0..count).map(|row| vec![(row % 20) as u8, (row % 100) as u8]))
}

/// A tar archive's entry.
fn entry(name: &str, contents: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", contents.len()).as_bytes());
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend(contents);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

fn gzip(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for part in parts {
        encoder.write_all(part).unwrap();
    }
    encoder.write_all(&[0; 1024]).unwrap();
    encoder.finish().unwrap()
}

fn run(place: &Place, arguments: &[&str]) -> Said {
    let mut command = place.command(arguments);
    let output = command
        .env("XDG_CACHE_HOME", place.path("cache"))
        .env("GRADUS_DATA", place.path(""))
        .output()
        .unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn shown(place: &Place, spec: &str) -> String {
    let said = run(place, &["data", "show", spec]);
    assert_eq!(said.code, Some(0), "{spec}: {}", said.err);
    said.out
}

#[test]
fn cifar10_is_read_from_its_files_and_its_archive() {
    let place = Place::new();
    let folder = |name: &str| std::fs::create_dir_all(place.path(name)).unwrap();
    folder("cifar10/cifar-10-batches-bin");
    let test = ten(10_000);
    place.write("cifar10/cifar-10-batches-bin/test_batch.bin", &test);
    let out = shown(&place, "cifar10:test");
    for words in [
        "cifar10:test: 10000 rows",
        "(None, 32, 32, 3) uint8",
        "from 0 to 255, mean 20",
        "0 airplane        1000",
        "9 truck           1000",
    ] {
        assert!(out.contains(words), "no {words:?} in {out}");
    }
    // The archive has the files that the folder lacks.
    let mut entries = vec![entry("cifar-10-batches-bin/readme.html", b"<p>")];
    for number in [2, 1, 3, 5, 4] {
        let name = format!("cifar-10-batches-bin/data_batch_{number}.bin");
        entries.push(entry(&name, &test));
    }
    place.write("cifar10/cifar-10-binary.tar.gz", gzip(&entries));
    let out = shown(&place, "cifar10:train");
    assert!(
        out.contains("50000 rows") && out.contains("airplane        5000"),
        "{out}"
    );

    // Channels last, as in Keras.
    place.write(
        "c.toml",
        "[data]\ndataset = \"cifar10:test\"\nscale = \"none\"\n\
         [model]\nlayers = [{ type = \"Flatten\" }, { type = \"Dense\", units = 10 }]\n\
         [train]\nloss = \"sparse_categorical_crossentropy\"\nepochs = 1\nbatch_size = 1000\n\
         optimizer = { type = \"SGD\", learning_rate = 1e-9 }\n",
    );
    let said = run(&place, &["train", "c.toml", "--out", "run", "--quiet"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
}

#[test]
fn cifar100_has_classes_and_superclasses() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("cifar100")).unwrap();
    let entries = [entry("cifar-100-binary/test.bin", &hundred(10_000))];
    place.write("cifar100/cifar-100-binary.tar.gz", gzip(&entries));
    let out = shown(&place, "cifar100:test");
    assert!(out.contains("99 worm              100"), "{out}");
    let out = shown(&place, "cifar100-coarse:test");
    assert!(
        out.contains("19 vehicles_2                         500"),
        "{out}"
    );
    assert!(
        out.contains(" 0 aquatic_mammals                    500"),
        "{out}"
    );
}

#[test]
fn damaged_files_and_archives_are_named() {
    let whole = ten(10_000);
    let mut label = whole.clone();
    label[3 * 3073] = 10;
    let inside = |contents: &[u8]| gzip(&[entry("cifar-10-batches-bin/test_batch.bin", contents)]);
    let mut cut = inside(&whole);
    cut.truncate(cut.len() / 2);
    let mut checksum = entry("test_batch.bin", b"");
    checksum[0] = b'T';
    let mut huge = entry("other.bin", b"");
    huge[124..136].copy_from_slice(b"777777777777");
    huge[148..156].copy_from_slice(b"        ");
    let sum: u32 = huge[..512].iter().map(|&byte| u32::from(byte)).sum();
    huge[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    // Its header promises more than follows.
    let mut short = entry("test_batch.bin", &whole);
    short.truncate(512 + 3073 * 20);
    let bomb = gzip(&vec![entry("filler.bin", &vec![0; 40 << 20]); 6]);
    let (plain, archive) = ("cifar10/test_batch.bin", "cifar10/cifar-10-binary.tar.gz");
    let cases: [(&str, &str, Vec<u8>, &[&str]); 11] = [
        ("empty", plain, vec![], &["0 bytes, expected 30730000"]),
        (
            "cut",
            plain,
            whole[..99].to_vec(),
            &["99 bytes", "cut short"],
        ),
        (
            "CIFAR-100's",
            plain,
            hundred(10_000),
            &["30740000 bytes, expected 30730000"],
        ),
        (
            "a label",
            plain,
            label,
            &["row 3", "label 10", "from 0 to 9"],
        ),
        ("no archive", archive, b"<html>".to_vec(), &["no gzip file"]),
        ("cut archive", archive, cut, &["cut short"]),
        (
            "no tar",
            archive,
            gzip(&[vec![7; 2048]]),
            &["tar archive's header"],
        ),
        (
            "checksum",
            archive,
            gzip(&[checksum]),
            &["tar archive's header"],
        ),
        (
            "huge",
            archive,
            gzip(&[huge]),
            &["other.bin has 68719476735 bytes"],
        ),
        (
            "short",
            archive,
            {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&short).unwrap();
                encoder.finish().unwrap()
            },
            &["cut short"],
        ),
        (
            "bomb",
            archive,
            bomb,
            &["filler.bin has 41943040 bytes", "more than the"],
        ),
    ];
    for (what, file, bytes, words) in cases {
        let place = Place::new();
        std::fs::create_dir_all(place.path("cifar10")).unwrap();
        place.write(file, bytes);
        let said = run(&place, &["data", "show", "cifar10:test"]);
        assert_eq!(
            (said.code, &*said.out),
            (Some(2), ""),
            "{what}: {}",
            said.err
        );
        assert!(
            said.err.contains(file) && !said.err.contains("panicked"),
            "{}",
            said.err
        );
        for word in words {
            assert!(
                said.err.contains(word),
                "{what}: no {word:?} in {}",
                said.err
            );
        }
    }
    // An archive without the split.
    let place = Place::new();
    std::fs::create_dir_all(place.path("cifar10")).unwrap();
    place.write(archive, gzip(&[entry("data_batch_1.bin", &whole)]));
    let said = run(&place, &["data", "show", "cifar10:test"]);
    assert!(
        said.err.contains("does not hold test_batch.bin"),
        "{}",
        said.err
    );
    let said = run(&place, &["data", "show", "cifar100:test"]);
    assert!(
        said.err.contains("gradus data fetch cifar100"),
        "{}",
        said.err
    );
}
