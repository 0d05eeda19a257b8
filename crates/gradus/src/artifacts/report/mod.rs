//! The report: runs as one page of HTML that needs no network.
//!
//! Plain data goes in ([`Report`]), one text comes out. Every number is computed here; the script of
//! the page draws them, with [uPlot](https://github.com/leeoniya/uPlot) (`vendor/`), and writes texts
//! as texts only.

mod curves;
mod escaped;
mod figure;
mod health;
mod images;
mod importance;
mod measures;
mod outputs;
mod page;
mod run;
mod thin;
mod weights;

pub use figure::Table;
pub use images::Pictures;
pub use importance::Importance;
pub use measures::Reliability;
pub use outputs::{OutputPage, Predicted, Uncertainty};
pub use run::RunPage;
pub use weights::WeightPage;

use figure::Figure;
use serde::Serialize;

/// A page about one run, or several beside each other.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The runs.
    pub runs: Vec<RunPage>,
    /// The keys in which the configurations of several runs differ.
    pub differences: Option<Table>,
}

/// A part of the page with its pictures.
#[derive(Clone, Debug, Serialize)]
struct Section {
    title: String,
    /// Lines of text under the title.
    notes: Vec<String>,
    figures: Vec<Figure>,
}

impl Report {
    /// The page.
    pub fn html(&self) -> crate::error::Result<String> {
        page::html(self)
    }

    /// The parts that have anything to show.
    fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        let mut add = |title: &str, notes: Vec<String>, figures: Vec<Figure>| {
            if !(figures.is_empty() && notes.is_empty()) {
                let title = title.to_owned();
                sections.push(Section {
                    title,
                    notes,
                    figures,
                });
            }
        };
        let curves = curves::figures(&self.runs);
        let hint = "Epochs count from 1 here, from 0 in history.csv. Drag across a curve to zoom in, \
                    double-click to go back.";
        let hint = (!curves.is_empty()).then(|| hint.to_owned());
        add("Training", hint.into_iter().collect(), curves);
        // Several runs are compared by their curves; each has a page of its own for the rest.
        if let [run] = &self.runs[..] {
            for output in &run.outputs {
                let title = match run.outputs.len() {
                    1 => "Predictions".to_owned(),
                    _ => format!("Predictions: {}", output.name),
                };
                add(&title, vec![run.rows.clone()], output.figures());
            }
            let columns = run.importance.as_ref().and_then(importance::figure);
            add("Columns", Vec::new(), columns.into_iter().collect());
            let health = health::figure(&run.history.health);
            add("Layer health", Vec::new(), health.into_iter().collect());
            add("Weights", Vec::new(), weights::figures(&run.weights));
            add("Not shown", run.notes.clone(), Vec::new());
        }
        sections
    }
}
