//! Classes that only held-out rows have: the network never learns them.

use super::finding::Finding;
use super::one_class::class_name;
use super::rows::{Rows, What};
use crate::data::classes;
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "unseen_class";
/// Limit of classes named in the message.
const NAMED: usize = 5;

pub(super) fn look(rows: &Rows<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (n, target) in rows.targets.iter().enumerate() {
        let What::Classes { of_rows, .. } = &target.what else {
            continue;
        };
        let seen: BTreeSet<u32> = of_rows.iter().copied().collect();
        for (part, held_out) in &rows.held_out {
            let codes = held_out.targets().get(n).map(classes::codes);
            let Some(Ok(codes)) = codes else {
                continue;
            };
            let mut unseen = BTreeMap::new();
            for (row, code) in codes.iter().enumerate() {
                if !seen.contains(code) {
                    unseen.entry(*code).or_insert(row);
                }
            }
            let Some(&first) = unseen.values().min() else {
                continue;
            };
            let count = codes
                .iter()
                .filter(|code| unseen.contains_key(code))
                .count();
            let named: Vec<String> = unseen
                .keys()
                .take(NAMED)
                .map(|code| class_name(rows, *code))
                .collect();
            let (classes, more) = match unseen.len() {
                1 => ("class", String::new()),
                n if n > NAMED => ("classes", format!(" and {} more", n - NAMED)),
                _ => ("classes", String::new()),
            };
            let found = format!(
                "{count} of {} {part} rows are of {classes} {}{more}, which no training row is; \
                 the first is here",
                codes.len(),
                named.join(", ")
            );
            let advice = format!(
                "is the file sorted by class? `{part} = {{ fraction = 0.1, stratify = true }}` \
                 takes of each"
            );
            let place = rows.row(held_out, first);
            findings.push(Finding::warning(NAME, place, found, advice));
        }
    }
    findings
}
