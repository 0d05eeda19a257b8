//! Too many texts or classes for the number of rows.

use super::finding::Finding;
use super::id::different;
use super::rows::{Rows, What};

const NAME: &str = "categories";
/// Fewer different texts are never too many.
const MANY: usize = 1000;
/// With fewer rows per text, most are not learned.
const FEWEST_ROWS_EACH: usize = 10;

pub(super) fn look(rows: &Rows<'_>) -> Vec<Finding> {
    let (count, mut findings) = (rows.train.rows(), Vec::new());
    for column in rows.columns.iter().filter(|c| c.texts().is_some()) {
        let texts = different(column, &rows.all());
        // A column with as many texts as rows is left to the `id` check.
        if texts >= MANY && texts * FEWEST_ROWS_EACH > count && texts * 2 <= count {
            let each = count as f64 / texts as f64;
            let found = format!("{texts} different texts in {count} rows, {each:.1} rows each");
            let advice = format!(
                "little is learned of a text that is so rare: make groups of them, or {}",
                rows.way_out(&column.place)
            );
            findings.push(Finding::warning(NAME, column.place.clone(), found, advice));
        }
    }
    for target in &rows.targets {
        if let What::Classes { count: classes, .. } = target.what
            && classes > 20
            && (classes * 2 > count || classes >= MANY && classes * FEWEST_ROWS_EACH > count)
        {
            let found = format!("{classes} classes in {count} training rows");
            let advice = match rows.is_table() {
                true => {
                    "most are seen once or twice: is it the right column, or a number \
                         (`columns = { NAME = \"number\" }`)?"
                }
                false => {
                    "most are seen once or twice: is it the right file, or are they numbers \
                          to be predicted, for which the loss is \"mse\"?"
                }
            };
            findings.push(Finding::warning(NAME, target.place.clone(), found, advice));
        }
    }
    findings
}
