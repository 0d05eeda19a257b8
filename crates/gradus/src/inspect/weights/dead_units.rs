//! Units whose weights are all 0: their output is the same for every row.

use crate::data::checks::{Finding, named};
use crate::inspect::graph::{Graph, at};
use crate::model::Model;

const NAME: &str = "dead_units";

pub(super) fn look(model: &Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    for layer in Graph::of(model).products {
        let Some(kernel) = layer.entry.weights.first() else {
            continue;
        };
        let units = layer.product.units;
        let mut alive = vec![false; units];
        for row in kernel.values.chunks_exact(units.max(1)) {
            alive
                .iter_mut()
                .zip(row)
                .for_each(|(alive, x)| *alive |= *x != 0.0);
        }
        let dead: Vec<usize> = (0..units).filter(|&unit| !alive[unit]).collect();
        if dead.is_empty() {
            continue;
        }
        let (found, advice) = if dead.len() == units {
            let advice = "all its units say the same of every row: was it trained, or is its \
                          initializer zeros?";
            ("its kernel is all 0".to_owned(), advice)
        } else {
            let found = format!(
                "{} of {units} units have weights of 0 alone: {}",
                dead.len(),
                named(&dead)
            );
            let advice = "they cost time and say nothing: fewer units would do; if nobody pruned \
                          them, a smaller rate or `leaky_relu` keeps units alive";
            (found, advice)
        };
        findings.push(Finding::warning(NAME, at(&layer.entry.name), found, advice));
    }
    findings
}
