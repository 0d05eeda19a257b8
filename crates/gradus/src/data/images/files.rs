//! The pictures of a folder and their classes.

use super::options::Order;
use crate::error::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Extensions of the files that are read.
const READ: [&str; 3] = ["jpeg", "jpg", "png"];

/// Extensions of unsupported pictures: skipping them silently would be wrong.
const NOT_READ: [&str; 9] = [
    "bmp", "gif", "webp", "tif", "tiff", "heic", "avif", "jp2", "jxl",
];

/// Depth limit of folders within class folders.
const DEEPEST: usize = 16;

/// The pictures of a folder, by class and then by name.
#[derive(Debug)]
pub(super) struct Found {
    pub folder: PathBuf,
    /// The pictures' paths relative to the folder.
    pub files: Vec<PathBuf>,
    /// The class of each, if there are class folders.
    pub labels: Option<Vec<usize>>,
    /// The names of the classes.
    pub classes: Vec<String>,
}

impl Found {
    /// The path of a picture.
    pub(super) fn path(&self, file: usize) -> PathBuf {
        self.folder.join(&self.files[file])
    }

    /// The names of the files, with `/` between folders.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |file: &PathBuf| {
            let parts = file.iter().map(|part| part.to_string_lossy());
            parts.collect::<Vec<_>>().join("/")
        };
        self.files.iter().map(name).collect()
    }

    /// Replaces the labels by the class folders' indices in `classes`.
    pub(super) fn relabel(&mut self, classes: &[String]) -> Result<()> {
        let Some(labels) = &mut self.labels else {
            return Err(no_classes(&self.folder));
        };
        let mut places = Vec::new();
        for name in &self.classes {
            let place = classes.iter().position(|known| known == name);
            places.push(place.ok_or_else(|| {
                let known = classes.iter().map(String::as_str);
                let at = self.folder.display().to_string();
                Error::unknown(&at, "class folder", name, known)
            })?);
        }
        labels.iter_mut().for_each(|label| *label = places[*label]);
        self.classes = classes.to_vec();
        Ok(())
    }

    /// The picture of each row.
    pub(super) fn rows(&self, order: Order) -> Vec<usize> {
        let files = 0..self.files.len();
        let (Order::Spread, Some(labels)) = (order, &self.labels) else {
            return files.collect();
        };
        let mut counts = vec![0_usize; self.classes.len()];
        labels.iter().for_each(|&label| counts[label] += 1);
        let mut seen = vec![0_usize; self.classes.len()];
        let mut places: Vec<(f64, usize)> = files
            .map(|file| {
                let label = labels[file];
                seen[label] += 1;
                ((seen[label] as f64 - 0.5) / counts[label] as f64, file)
            })
            .collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        places.into_iter().map(|(_, file)| file).collect()
    }
}

/// The error for a folder without class folders, where labels are needed.
pub(in crate::data) fn no_classes(folder: &Path) -> Error {
    let problem = "its pictures are in no class folders: put those of each class into a folder \
                   that is named after it";
    Error::file(folder, problem)
}

/// Finds the pictures of a folder, skipping hidden files and other files.
pub(super) fn find(folder: &Path) -> Result<Found> {
    let Listed { folders, files } = list(folder)?;
    let loose = pictures(folder, Path::new(""), &files)?;
    if folders.is_empty() {
        if loose.is_empty() {
            return Err(Error::file(
                folder,
                "it holds no pictures (.png, .jpg, .jpeg)",
            ));
        }
        return Ok(Found {
            folder: folder.to_owned(),
            files: loose,
            labels: None,
            classes: Vec::new(),
        });
    }
    if let Some(file) = loose.first() {
        let problem = format!(
            "it lies beside the class folders (`{}`, ...): move it into one of them, or away",
            folders[0]
        );
        return Err(Error::file(folder.join(file), problem));
    }
    let (mut files, mut labels) = (Vec::new(), Vec::new());
    for (label, class) in folders.iter().enumerate() {
        let before = files.len();
        walk(folder, Path::new(class), DEEPEST, &mut files)?;
        if files.len() == before {
            let problem = "this class folder holds no pictures (.png, .jpg, .jpeg): fill it or \
                           remove it";
            return Err(Error::file(folder.join(class), problem));
        }
        labels.resize(files.len(), label);
    }
    Ok(Found {
        folder: folder.to_owned(),
        files,
        labels: Some(labels),
        classes: folders,
    })
}

/// Adds the pictures under `folder/inner`, sorted as Keras sorts them: a folder's
/// own files, then its folders.
fn walk(folder: &Path, inner: &Path, deepest: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let here = folder.join(inner);
    if deepest == 0 {
        let problem = format!("folders lie in folders more than {DEEPEST} deep");
        return Err(Error::file(here, problem));
    }
    let Listed { folders, files } = list(&here)?;
    found.extend(pictures(folder, inner, &files)?);
    for name in folders {
        // Links between folders can go round in circles.
        if !here.join(&name).is_symlink() {
            walk(folder, &inner.join(name), deepest - 1, found)?;
        }
    }
    Ok(())
}

struct Listed {
    folders: Vec<String>,
    files: Vec<String>,
}

/// The entries of a folder, sorted by name, without hidden ones.
fn list(folder: &Path) -> Result<Listed> {
    let failed = |cause| Error::io("read", folder, cause);
    let mut listed = Listed {
        folders: Vec::new(),
        files: Vec::new(),
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some(name) = name.to_str() else {
            let problem = "its name is not UTF-8: rename it";
            return Err(Error::file(folder.join(name), problem));
        };
        match folder.join(name) {
            _ if name.starts_with('.') => {}
            path if path.is_dir() => listed.folders.push(name.to_owned()),
            _ => listed.files.push(name.to_owned()),
        }
    }
    listed.folders.sort();
    listed.files.sort();
    Ok(listed)
}

/// The pictures among the files, relative to the folder.
fn pictures(folder: &Path, inner: &Path, files: &[String]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for name in files {
        let path = inner.join(name);
        let ending = path.extension().and_then(|ending| ending.to_str());
        let ending = ending.unwrap_or_default().to_ascii_lowercase();
        if READ.contains(&&*ending) {
            found.push(path);
        } else if NOT_READ.contains(&&*ending) {
            let problem = "this kind of picture is not read: convert it to PNG or JPEG, or move it \
                           away";
            return Err(Error::file(folder.join(path), problem));
        }
    }
    Ok(found)
}
