//! Numbers of constants that lie in files beside the ONNX file, as large exports have them. Names and
//! sizes are not trusted: nothing outside the folder is opened, nothing beyond a file's end is read.

use super::super::messages::{Entry, Graph, Tensor, data_type};
use super::MOST_BYTES;
use crate::base::digest::Digest;
use crate::error::{Error, Result, visible};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

/// Reads the numbers of a graph's constants that are in files beside `path`, and adds them to the
/// digest.
pub(super) fn read(graph: &mut Graph, path: &Path, digest: &mut Digest) -> Result<()> {
    let mut files: HashMap<String, (File, u64)> = HashMap::new();
    let mut room = MOST_BYTES;
    for tensor in &mut graph.initializer {
        if tensor.external_data.is_empty() && tensor.data_location != 1 {
            continue;
        }
        let name = visible(&tensor.name).into_owned();
        let refused = |problem: String| Error::file(path, format!("constant `{name}`: {problem}"));
        let place = Place::of(tensor).map_err(refused)?;
        room = room.checked_sub(place.length).ok_or_else(|| {
            let most = MOST_BYTES >> 20;
            refused(format!(
                "its file has more than {most} MiB of numbers, the most that is read"
            ))
        })?;
        if !files.contains_key(&place.location) {
            let opened = open(path, &place.location).map_err(refused)?;
            files.insert(place.location.clone(), opened);
        }
        let Some((file, size)) = files.get_mut(&place.location) else {
            continue;
        };
        let found = visible(&place.location).into_owned();
        if place
            .offset
            .checked_add(place.length)
            .is_none_or(|end| end > *size)
        {
            let (offset, length) = (place.offset, place.length);
            let problem = format!("{length} bytes from {offset} on are asked of `{found}`");
            return Err(refused(format!("{problem}, which has {size}")));
        }
        let mut raw = vec![0; place.length as usize];
        let read = file
            .seek(SeekFrom::Start(place.offset))
            .and_then(|_| file.read_exact(&mut raw));
        read.map_err(|cause| refused(format!("`{found}` cannot be read: {cause}")))?;
        digest.add(&raw);
        tensor.raw_data = raw;
        tensor.external_data.clear();
        tensor.data_location = 0;
    }
    Ok(())
}

/// A place in another file.
struct Place {
    location: String,
    offset: u64,
    length: u64,
}

impl Place {
    /// The place that a tensor names, with the length that its shape needs.
    fn of(tensor: &Tensor) -> Result<Self, String> {
        let entry = |key: &str| {
            let mut entries = tensor.external_data.iter();
            entries
                .find(|entry: &&Entry| entry.key == key)
                .map(|entry| &*entry.value)
        };
        let number = |key: &str| match entry(key) {
            None => Ok(None),
            Some(text) => text
                .parse::<u64>()
                .map(Some)
                .map_err(|_| format!("its {key} is `{}`", visible(text))),
        };
        let size = match tensor.data_type {
            data_type::FLOAT | data_type::INT32 => 4,
            data_type::DOUBLE | data_type::INT64 => 8,
            data_type::FLOAT16 | data_type::BFLOAT16 => 2,
            data_type::BOOL => 1,
            other => return Err(format!("its numbers are of ONNX's type {other}")),
        };
        let mut dims = tensor.dims.iter();
        let needed = dims.try_fold(size, |n: u64, &dim| n.checked_mul(u64::try_from(dim).ok()?));
        let needed = needed.ok_or_else(|| format!("its shape is {:?}", tensor.dims))?;
        let length = number("length")?.unwrap_or(needed);
        if length != needed {
            let found = format!("it has {length} bytes in another file");
            return Err(format!(
                "{found}, expected {needed} for the shape {:?}",
                tensor.dims
            ));
        }
        Ok(Place {
            location: entry("location").unwrap_or_default().to_owned(),
            offset: number("offset")?.unwrap_or(0),
            length,
        })
    }
}

/// Opens a file in the folder of `path`, and gives its size.
fn open(path: &Path, location: &str) -> Result<(File, u64), String> {
    let found = visible(location);
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if location.is_empty() || !Path::new(location).components().all(is_plain) {
        return Err(format!(
            "its numbers are in `{found}`, expected a file in the folder of the ONNX file"
        ));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let cannot = |cause: std::io::Error| format!("its numbers are in the file `{found}`: {cause}");
    let folder = folder.canonicalize().map_err(cannot)?;
    let file = folder.join(location).canonicalize().map_err(cannot)?;
    if !file.starts_with(&folder) || !file.is_file() {
        return Err(format!(
            "its numbers are in `{found}`, which is no file in the folder of the ONNX file"
        ));
    }
    let opened = File::open(&file).map_err(cannot)?;
    let size = opened.metadata().map_err(cannot)?.len();
    Ok((opened, size))
}
