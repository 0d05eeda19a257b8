//! The page: a template, its style and script, and the data.
//!
//! Without JavaScript it shows title, results, facts and configuration.

use super::escaped::{html as text, html_lines, json};
use super::figure::shown;
use super::run::RunPage;
use super::{Report, Table, curves};
use crate::base::digest::Digest;
use crate::error::{Error, Result};
use serde_json::json;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPTS: [&str; 5] = [
    include_str!("script/elements.js"),
    include_str!("script/lines.js"),
    include_str!("script/heat.js"),
    include_str!("script/pictures.js"),
    include_str!("script/page.js"),
];
const UPLOT: &str = include_str!("vendor/uPlot.iife.min.js");
const UPLOT_STYLE: &str = include_str!("vendor/uPlot.min.css");

/// Seconds after which a browser loads the page of a training again.
const REFRESH: usize = 10;

/// The page of a report.
pub fn html(report: &Report) -> Result<String> {
    let sections = serde_json::to_value(report.sections());
    let sections = sections.map_err(|cause| Error::Internal(format!("report: {cause}")))?;
    let data = json(json!({ "sections": sections }));
    // Nothing in the data can know it, for it is made of the data.
    let nonce = Digest::of(data.as_bytes());
    let title = title(report);
    let mut page = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        page += before;
        let Some((name, after)) = after.split_once("}}") else {
            return Err(Error::Internal("report: page.html".into()));
        };
        match name {
            "nonce" => page += &nonce,
            "refresh" if report.runs.iter().any(|run| run.running.is_some()) => {
                page += &format!("<meta http-equiv=\"refresh\" content=\"{REFRESH}\">");
            }
            "refresh" => {}
            "title" => page += &text(&title),
            "state" => page += &text(&state(report)),
            "style" => page += STYLE,
            "uplot-style" => page += UPLOT_STYLE,
            "results" => page += &table(&results(&report.runs)),
            "differences" => page += &differences(report),
            "runs" => report.runs.iter().for_each(|run| page += &about(run)),
            "data" => page += &data,
            "uplot" => page += UPLOT,
            "script" => page += &SCRIPTS.concat(),
            name => return Err(Error::Internal(format!("report: page.html has {name}"))),
        }
        rest = after;
    }
    Ok(page + rest)
}

fn title(report: &Report) -> String {
    let names: Vec<&str> = report.runs.iter().map(|run| run.name.as_str()).collect();
    match &names[..] {
        [one] => (*one).to_owned(),
        [a, b] => format!("{a} and {b}"),
        names => format!("{} runs", names.len()),
    }
}

/// A line under the title.
fn state(report: &Report) -> String {
    let [run] = &report.runs[..] else {
        return "Runs beside each other".into();
    };
    let done = run.history.epochs.len();
    let epochs = if done == 1 { "epoch" } else { "epochs" };
    match (run.running, run.history.epochs.last()) {
        (Some(end), Some(last)) => {
            format!(
                "In training: epoch {} of up to {end} is done",
                last.epoch.saturating_add(1)
            )
        }
        (Some(_), None) => "In training: the first epoch is not done yet".into(),
        (None, _) => format!("{done} {epochs}"),
    }
}

/// Last figures and those of the best epoch, of each run.
fn results(runs: &[RunPage]) -> Table {
    let mut columns = vec!["measure".to_owned()];
    for run in runs {
        let of = match runs.len() {
            1 => String::new(),
            _ => format!("{}: ", run.name),
        };
        columns.push(format!("{of}last epoch"));
        columns.push(match run.best() {
            Some(best) => format!(
                "{of}epoch {}, best {}",
                best.epoch.saturating_add(1),
                best.monitor
            ),
            None => format!("{of}best epoch"),
        });
        if runs.len() == 1 && run.measured.names().next().is_some() {
            columns.push("the model, on the rows of Predictions".into());
        }
    }
    let row = |name: String| {
        let mut row = vec![name.clone()];
        for run in runs {
            let epochs = &run.history.epochs;
            let best = run.best();
            let best = best.and_then(|best| epochs.iter().find(|e| e.epoch == best.epoch));
            for epoch in [epochs.last(), best] {
                row.push(number(epoch.and_then(|epoch| epoch.logs.get(&name))));
            }
            if runs.len() == 1 && run.measured.names().next().is_some() {
                row.push(number(run.measured.get(&name)));
            }
        }
        row
    };
    let names = curves::names(runs).into_iter();
    let names = names.flat_map(|name| [name.clone(), format!("val_{name}")]);
    let known = |name: &String| {
        let of = |run: &RunPage| !run.history.get(name).is_empty();
        runs.iter().any(of)
    };
    Table {
        columns,
        rows: names.filter(known).map(row).collect(),
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or(String::new(), shown)
}

/// A table in HTML; the first cell of a row is its heading.
fn table(table: &Table) -> String {
    let heads = table.columns.iter();
    let heads = heads.map(|name| format!("<th scope=\"col\">{}</th>", text(name)));
    let row = |cells: &Vec<String>| {
        let cells = cells.iter().enumerate().map(|(n, cell)| match n {
            0 => format!("<th scope=\"row\">{}</th>", text(cell)),
            _ => format!("<td>{}</td>", text(cell)),
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    format!(
        "<div class=\"scroll panel\" tabindex=\"0\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n\
         </table></div>",
        heads.collect::<String>(),
        table.rows.iter().map(row).collect::<String>()
    )
}

fn differences(report: &Report) -> String {
    match &report.differences {
        Some(differences) if differences.rows.is_empty() => {
            "<section><h2>Configurations</h2><p>They are the same.</p></section>".into()
        }
        Some(differences) => format!(
            "<section><h2>Differences of the configurations</h2>{}</section>",
            table(differences)
        ),
        None => String::new(),
    }
}

/// Facts and configuration of a run.
fn about(run: &RunPage) -> String {
    let fact = |(name, words): &(String, String)| {
        format!("<dt>{}</dt><dd>{}</dd>\n", text(name), text(words))
    };
    let facts: String = run.facts.iter().map(fact).collect();
    format!(
        "<section class=\"run\"><h2>About {}</h2>\n<dl>{facts}</dl>\n<h3>Configuration</h3>\n\
         <div class=\"config\"><pre tabindex=\"0\">{}</pre></div></section>\n",
        text(&run.name),
        html_lines(&run.config)
    )
}
