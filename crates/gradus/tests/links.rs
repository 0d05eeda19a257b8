//! Relative links of the documents lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

/// The documents below a folder, without those of builds.
fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('.') || ["target", "corpus", "runs"].contains(&&*name) {
            continue;
        }
        if path.is_dir() {
            documents(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

#[test]
fn links_of_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    documents(&root, &mut found);
    let (mut links, mut broken) = (0, Vec::new());
    for document in &found {
        let text = fs::read_to_string(document).unwrap();
        for after in text.split("](").skip(1) {
            let link = after.split([')', '#']).next().unwrap_or_default();
            if link.is_empty() || link.contains("://") || link.contains(char::is_whitespace) {
                continue;
            }
            links += 1;
            if !document.parent().unwrap().join(link).exists() {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(found.len() > 10 && links > 100, "{links} links");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
