//! Table files by their names.

/// The endings of files that are read as tables.
const ENDINGS: [&str; 3] = [".csv", ".tsv", ".parquet"];

/// True for the name of a table file.
pub(in crate::data::source) fn is_table(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| lower.ends_with(ending))
}
