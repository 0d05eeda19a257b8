//! Links to headings.

/// The name by which a heading is linked.
pub fn anchor(title: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || c == ' ' || c == '-' || c == '_';
    let kept: String = title.chars().filter(|c| kept(*c)).collect();
    kept.to_lowercase().replace(' ', "-")
}
