//! Patterns of layers' names.

/// True if a pattern matches a layer's name, or that of a submodel that contains it.
pub(crate) fn names(pattern: &str, name: &str) -> bool {
    let ends = name.match_indices('/').map(|(i, _)| i);
    ends.chain([name.len()])
        .any(|end| matches(pattern, &name[..end]))
}

/// True if a name matches a pattern in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|&i| rest.is_char_boundary(i))
                .any(|i| matches(tail, &rest[i..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("dense*", "dense_1"));
        assert!(matches("*", "x"));
        assert!(matches("*_1", "dense_1"));
        assert!(matches("d*e_*", "dense_10"));
        assert!(!matches("dense", "dense_1"));
        assert!(!matches("*_2", "dense_1"));
    }
}
