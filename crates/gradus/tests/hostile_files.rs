//! Malicious model files: 500 of them, each refused (or read, if the damage is irrelevant) without
//! a hang, in under 200 MB, and without a panic.
//!
//! The mutations are a function of their number: `hostile_files 123` is always the
//! same file.

#[allow(dead_code)]
#[path = "common/mutate.rs"]
mod mutate;
#[allow(dead_code)]
#[path = "common/random.rs"]
mod random;

use gradus::prelude::*;
use mutate::mutate;
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use zip::write::{SimpleFileOptions, ZipWriter};

const MUTATIONS: usize = 500;
/// A hang: many times what the slowest of them takes in a debug build on a busy machine.
const SLOW: Duration = Duration::from_secs(60);
const LARGE: usize = 200 << 20;

/// Tracks current and peak allocation.
struct Counting;
static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(held, Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Intact files, and the extension of each.
fn originals() -> Vec<(&'static str, Vec<u8>)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let files = [
        ("keras", "keras_files/chain.keras"),
        ("keras", "keras_files/graph.keras"),
        ("keras", "golden/cases/fn_shared_bn/expected.keras"),
        ("keras", "keras_files/old_213_graph.keras"),
        ("h5", "keras_files/keras3.h5"),
        ("h5", "keras_files/keras2.h5"),
        ("h5", "keras_files/keras2_graph.h5"),
        ("weights.h5", "keras_files/keras3.weights.h5"),
        ("old.h5", "keras_files/old_weights.h5"),
        ("safetensors", "weight_files/torch.safetensors"),
        ("npz", "weight_files/keras.npz"),
    ];
    files
        .map(|(ending, path)| (ending, std::fs::read(tests.join(path)).unwrap()))
        .to_vec()
}

/// The model of the weight files.
fn network(ending: &str) -> Model {
    let chain = match ending {
        "weights.h5" => Sequential::new()
            .input([4, 3])
            .add(Flatten::new())
            .add(Dense::new(6))
            .add(BatchNormalization::new())
            .add(Dropout::new(0.2))
            .add_named("out", Dense::new(3), true),
        "old.h5" => Sequential::new()
            .input([4])
            .add(Dense::new(5))
            .add(BatchNormalization::new())
            .add_named("out", Dense::new(3), true),
        _ => Sequential::new()
            .input([4])
            .add_named("hidden", Dense::new(3), true)
            .add_named("norm", BatchNormalization::new(), true)
            .add_named("slope", layers::PReLU::new(), true)
            .add_named("out", Dense::new(2), true),
    };
    chain.build().unwrap()
}

/// Reads a file in every possible way; each gives an error that names the file, or a model, within
/// limits of time and memory.
fn read(path: &Path, ending: &str, what: &str) -> usize {
    let (start, held) = (Instant::now(), HELD.load(Relaxed));
    MOST.store(held, Relaxed);
    let mut problems = Vec::new();
    match ending {
        "keras" | "h5" => problems.extend(Model::load(path).err()),
        _ => {
            let mut model = network(ending);
            problems.extend(model.load_weights(path).err());
            problems.extend(model.load_weights_by_name(path).err());
        }
    }
    for problem in &problems {
        let text = problem.to_string();
        assert!(problem.is_users_mistake(), "{what}: {text}");
        assert!(text.contains("hostile"), "{what} is not named: {text}");
    }
    let (took, most) = (start.elapsed(), MOST.load(Relaxed) - held);
    assert!(took < SLOW, "{what}: {took:?}");
    assert!(most < LARGE, "{what}: {} MB", most >> 20);
    problems.len()
}

fn write(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A zip with these entries, deflated.
fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn hostile_files_are_refused_at_once() {
    let originals = originals();
    for (ending, bytes) in &originals {
        let path = write(&format!("hostile_whole.{ending}"), bytes);
        assert_eq!(read(&path, ending, "a whole file"), 0, "{ending}");
    }
    let mut refused = 0;
    for number in 0..MUTATIONS {
        let (ending, bytes) = &originals[number / 8 % originals.len()];
        let path = write(&format!("hostile.{ending}"), &mutate(bytes.clone(), number));
        refused += read(&path, ending, &format!("hostile_files {number} ({ending})")).min(1);
    }
    // Zips and JSON have no slack; HDF5 has, and values may be anything.
    assert!(
        refused > MUTATIONS / 2,
        "only {refused} of {MUTATIONS} refused"
    );

    let zeros = vec![0_u8; 300 << 20];
    let bombs: [&[(&str, &[u8])]; 3] = [
        &[("config.json", &zeros), ("model.weights.h5", b"")],
        &[("config.json", b"{}"), ("model.weights.h5", &zeros)],
        &[
            ("../../config.json", b"{}"),
            ("/etc/passwd", b""),
            ("model.weights.h5", b""),
        ],
    ];
    for entries in bombs {
        let path = write("hostile.keras", &zipped(entries));
        assert_eq!(read(&path, "keras", entries[0].0), 1);
    }
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (78643200,), }";
    let mut entry = b"\x93NUMPY\x01\x00".to_vec();
    entry.extend((header.len() as u16).to_le_bytes());
    entry.extend(header.bytes());
    entry.extend(&zeros);
    for name in ["hidden/kernel.npy", "../hidden/kernel.npy"] {
        let path = write("hostile.npz", &zipped(&[(name, &entry)]));
        assert_eq!(read(&path, "npz", name), 2);
    }
    // A header that claims to be larger than memory, and one that contradicts itself.
    for header in [
        &b"\xff\xff\xff\xff\xff\xff\xff\x7f{}"[..],
        b"\x02\0\0\0\0\0\0\0{}",
    ] {
        let path = write("hostile.safetensors", header);
        assert_eq!(read(&path, "safetensors", "a header"), 2);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keras_files");
    for name in [
        "circle.h5",
        "branching.h5",
        "promise.h5",
        "shared.h5",
        "pieces.h5",
    ] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        for ending in ["h5", "weights.h5"] {
            let path = write(&format!("hostile.{ending}"), &bytes);
            assert!(read(&path, ending, name) > 0, "{name}");
        }
    }
}
