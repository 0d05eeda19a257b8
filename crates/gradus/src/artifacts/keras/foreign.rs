//! Detection of other files in place of a model, with advice.

use std::path::Path;

/// Number of first bytes that identify a file.
pub(crate) const ENOUGH: usize = 512;

const RESAVE: &str = "in Python, load the model and `model.save(\"model.keras\")`";

/// The kind of a folder.
pub(crate) fn folder(path: &Path) -> String {
    let has = |name: &str| path.join(name).exists();
    if has("saved_model.pb") || has("keras_metadata.pb") {
        format!("is a folder in TensorFlow's SavedModel format, expected a model file: {RESAVE}")
    } else if has("model.keras") {
        "is a folder, expected a model file: there is model.keras in it".to_owned()
    } else {
        "is a folder without model.keras, expected a model file or a run folder".to_owned()
    }
}

/// The kind of a file, by its first bytes and its name; `None` if it may be a model.
pub(crate) fn file(path: &Path, first: &[u8]) -> Option<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let text = String::from_utf8_lossy(first);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let begins = |with: &str| {
        let begin = text.get(..with.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(with))
    };
    let is = |what: &str, then: &str| Some(format!("is {what}, not a model: {then}"));
    if first.starts_with(b"PK\x03\x04") || first.starts_with(&super::legacy::MAGIC) {
        return None;
    }
    if first.is_empty() {
        return Some("is empty (0 bytes), expected a model".to_owned());
    }
    if begins("version https://git-lfs.github.com/spec/") {
        return is(
            "a Git LFS pointer",
            "`git lfs pull` fetches the file itself",
        );
    }
    if begins("<!doctype html") || begins("<html") {
        let then = "fetch the file itself (on GitHub it is behind \"Download raw file\")";
        return is("an HTML page", then);
    }
    if begins("{") {
        return match text.contains("\"class_name\"") {
            true => {
                let what = "a model's architecture as JSON, without weights";
                Some(format!("is {what}: {RESAVE}"))
            }
            false => is("JSON", RESAVE),
        };
    }
    // PyTorch's magic number, as a pickle.
    if first.starts_with(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19") {
        return Some(torch());
    }
    if matches!(first, [0x80, 2..=5, ..]) || ends(&[".pkl", ".pickle", ".joblib"]) {
        let then = format!("gradus never runs it; {RESAVE}");
        return Some(format!("is a Python pickle, which is code: {then}"));
    }
    if first.get(4..8) == Some(b"TFL3") || ends(&[".tflite"]) {
        return other("a TensorFlow Lite model");
    }
    if ends(&[".onnx"]) || matches!(first, [0x08, 1..=32, 0x12, ..]) {
        let then = "`gradus convert IN.onnx OUT.keras` makes one of it";
        return is("an ONNX model", then);
    }
    if ends(&[".pb"]) {
        return other("a TensorFlow graph");
    }
    if ends(&[".ckpt", ".index", ".data-00000-of-00001"]) {
        let what = "a TensorFlow checkpoint, weights alone";
        return Some(format!("is {what}: {RESAVE}"));
    }
    if first.starts_with(b"\x93NUMPY") {
        return is("an array (.npy)", RESAVE);
    }
    if first.starts_with(b"\x1f\x8b") {
        return is("packed by gzip", "unpack it first");
    }
    let is_safetensors = first.get(8..10) == Some(b"{\"");
    if is_safetensors || ends(&[".safetensors"]) {
        return Some(super::legacy::ALONE.replace("`save_weights` writes them", "safetensors"));
    }
    None
}

/// The kind of a zip by its entries' names; `None` if it may be a model.
pub(crate) fn zip<'a>(names: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let (mut entries, mut arrays) = (0, 0);
    for name in names {
        if name.ends_with(b"/data.pkl") || name == b"data.pkl" {
            return Some(torch());
        }
        if name.ends_with(b"saved_model.pb") {
            return Some(format!("is a zipped SavedModel of TensorFlow: {RESAVE}"));
        }
        entries += 1;
        arrays += usize::from(name.ends_with(b".npy"));
    }
    let all = entries > 0 && arrays == entries;
    all.then(|| super::legacy::ALONE.replace("`save_weights` writes them", "NumPy's .npz"))
}

fn torch() -> String {
    "is a PyTorch file, which is code: gradus never runs it. In Python, `safetensors.torch.\
     save_file(model.state_dict(), \"w.safetensors\")` writes its weights, and `gradus convert \
     w.safetensors OUT.keras --model MODEL` puts them into a model of the same layers"
        .to_owned()
}

fn other(what: &str) -> Option<String> {
    let then = "save the Keras model that it was made of as .keras";
    Some(format!("is {what}, which gradus does not read: {then}"))
}
