//! Reading a network of another library: the layers that its operators make together.
//!
//! `array` reads constants, `external` those in files beside it, `network` the graph around them; `nodes` goes through it, `layers`
//! knows the nodes that are layers (`columns`, `rows`, `shapes`, `images`, `pooling` and `frames` are more of them),
//! `geometry` their windows, `axes` the order of axes, `functions`
//! those of single numbers, which `values` makes layers of, `folding` those of constants; `steps`
//! makes a model of the layers found.

mod array;
mod axes;
mod columns;
mod external;
mod folding;
mod frames;
mod functions;
mod geometry;
mod images;
mod layers;
mod names;
mod network;
mod nodes;
mod pooling;
mod reader;
mod rows;
mod shapes;
mod steps;
mod trouble;
mod values;

use super::messages;
use crate::artifacts::keras::Note;
use crate::base::digest::Digest;
use crate::base::files;
use crate::error::{Error, Result};
use crate::model::Model;
use network::Network;
use prost::Message;
use reader::Reader;
use std::fs::File;
use std::path::Path;

/// Size limit of a file: that of a protocol buffer.
const MOST_BYTES: u64 = 1 << 31;

/// Loads a network from an ONNX file: dense and convolutional networks of PyTorch's exporter,
/// skl2onnx, Keras and the like. Weights may be in files in the folder of the ONNX file. Notes say what of its outputs is left out: a classifier's labels.
///
/// An error names every node that is not understood.
///
/// ```no_run
/// use gradus::artifacts::onnx::load_onnx;
///
/// let (model, notes) = load_onnx("model.onnx")?;
/// notes.iter().for_each(|note| eprintln!("{note}"));
/// model.save("model.keras")?;
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn load_onnx(path: impl AsRef<Path>) -> Result<(Model, Vec<Note>)> {
    let (model, notes, _) = load_onnx_with_digest(path.as_ref())?;
    Ok((model, notes))
}

/// Like [`load_onnx`], with the digest of all that was read.
pub(crate) fn load_onnx_with_digest(path: &Path) -> Result<(Model, Vec<Note>, String)> {
    let bytes = bytes_of(path)?;
    let mut digest = Digest::new();
    digest.add(&bytes);
    let (model, notes) = read(&bytes, path, &mut digest)?;
    Ok((model, notes, digest.finish()))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|cause| Error::io("read", path, cause))?;
    files::read_from(file, path, MOST_BYTES)
}

/// The model of a file's bytes.
fn read(bytes: &[u8], path: &Path, digest: &mut Digest) -> Result<(Model, Vec<Note>)> {
    let file = messages::Model::decode(bytes);
    let mut file = file.map_err(|error| Error::file(path, format!("is no ONNX model: {error}")))?;
    if let Some(graph) = &mut file.graph {
        external::read(graph, path, digest)?;
    }
    if let Some(function) = file.functions.first() {
        let name = &function.name;
        let problem =
            format!("has functions of its own, such as `{name}`: export it with them inlined");
        return Err(Error::file(path, problem));
    }
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let name = file
        .graph
        .as_ref()
        .map(|graph| graph.name.clone())
        .filter(|name| !name.is_empty());
    let name = name.or(stem).unwrap_or_else(|| "functional".into());
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    let network = Network::of(file, &mut problems, &mut notes);
    let network = network.map_err(|problem| Error::file(path, problem))?;
    if network.inputs.is_empty() {
        problems.push("no input leads to its outputs".into());
    }
    let mut reader = Reader::new(network, problems);
    let outputs = reader.read();
    if !reader.problems.is_empty() {
        let problem = format!("is not read: {}", reader.problems.join("; "));
        return Err(Error::file(path, problem));
    }
    let model = steps::model(&name, &reader.inputs, reader.steps, &outputs);
    let model = model.map_err(|error| Error::file(path, error))?;
    Ok((model, notes))
}
