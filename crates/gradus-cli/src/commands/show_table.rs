//! `gradus data show` of a table: a line for each column and its role.

use console::{Style, Term, measure_text_width, pad_str, truncate_str};
use gradus::Result;
use gradus::data::{ColumnLook, Kind, LookValues, Schema, Summary, Table, TableOptions, Treat};
use std::collections::{HashMap, HashSet};

/// Width if there is no terminal.
const WIDTH: usize = 120;
/// Width below which names and values are useless.
const NARROWEST: usize = 72;
/// Length limit of names and values shown in full.
const NAME: usize = 32;
const VALUES: usize = 42;
/// Length limit of a type.
const TYPE: usize = 48;
/// Width to which values are cut before the columns' roles move to lines of their own.
const SHORT_VALUES: usize = 20;

/// The role of a column in a model.
struct Role {
    words: String,
    style: Style,
    /// Number of features in a row.
    numbers: usize,
}

/// The table for display: for the terminal on standard output, else 120 columns wide and without
/// colours.
pub fn describe(table: &Table, options: &TableOptions) -> Result<String> {
    let looks = table.looks();
    let (roles, notes) = roles(table, options)?;
    let term = Term::stdout();
    let width = match term.is_term() {
        true => term
            .size_checked()
            .map_or(WIDTH, |(_, columns)| columns.into()),
        false => WIDTH,
    };
    let mut text = lines(table, &looks, &roles, width.max(NARROWEST));
    let numbers: usize = roles.iter().map(|role| role.numbers).sum();
    let features = roles.iter().filter(|role| role.numbers > 0).count();
    let columns = if features == 1 {
        "column is"
    } else {
        "columns are"
    };
    text += &format!("\n  {features} {columns} {numbers} numbers to the network\n");
    let excluded: HashSet<&str> = options.exclude.iter().map(String::as_str).collect();
    let is_looked_at = |name: &str| {
        let is_dropped = options.columns.get(name) == Some(&Treat::Drop);
        !is_dropped && !excluded.contains(name)
    };
    for note in table.notes(&is_looked_at) {
        text += &format!("  {note}\n");
    }
    for note in notes {
        text += &format!("  {note}\n");
    }
    if options.target.is_empty() {
        text += "  `data.target` names the column to predict, `data.columns` what others are: \
                 { zip = \"category\", note = \"drop\" }\n";
    }
    Ok(text)
}

/// The role of each column, and the notes on it.
fn roles(table: &Table, options: &TableOptions) -> Result<(Vec<Role>, Vec<String>)> {
    let mut schema = Schema::of(table, options).map_err(|error| error.under("data"))?;
    let mut rows = Summary::of(&schema, schema.dataset(table, false)?)?;
    let notes = schema.set_offsets(&mut rows);
    let left = schema.leave_out(&rows)?;
    let seen = schema.seen(&rows, options.missing.unwrap_or_default())?;
    let targets: HashMap<&String, _> = schema.targets.iter().map(|t| (&t.name, t)).collect();
    let features = schema.features.iter().map(|feature| &feature.name);
    let features: HashMap<&String, _> = features.zip(&seen).collect();
    let left: HashMap<&String, _> = left.iter().map(|left| (&left.name, &left.why)).collect();
    let ids: HashSet<&String> = schema.ids.iter().collect();
    let role = |name: &String| {
        let plain = |words: String, style: Style| Role {
            words,
            style,
            numbers: 0,
        };
        if let Some(target) = targets.get(name) {
            let words = match &target.classes[..] {
                [] => "the target, a number".to_owned(),
                [a, b] => format!("the target, 2 classes: {a}, {b}"),
                all => format!("the target, {} classes", all.len()),
            };
            return plain(words, Style::new().green().bold());
        }
        if let Some((words, numbers)) = features.get(name) {
            return Role {
                words: words.clone(),
                style: Style::new(),
                numbers: *numbers,
            };
        }
        if let Some(why) = left.get(name) {
            return plain(format!("dropped: {why}"), Style::new().red());
        }
        match (options.sample_weight.as_ref(), ids.contains(name)) {
            (Some(weight), _) if weight == name => plain("the row's weight".into(), Style::new()),
            (_, true) => plain("kept beside predictions".into(), Style::new().dim()),
            _ => plain("not looked at".into(), Style::new().dim()),
        }
    };
    Ok((table.columns.iter().map(|c| role(&c.name)).collect(), notes))
}

fn lines(table: &Table, looks: &[ColumnLook], roles: &[Role], width: usize) -> String {
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let name = longest(&mut looks.iter().map(|look| measure_text_width(&look.name)));
    let bars = longest(&mut looks.iter().map(|look| look.bars.chars().count()));
    let becomes = longest(&mut roles.iter().map(|role| measure_text_width(&role.words)));
    let wide = |look: &ColumnLook| measure_text_width(&values(look, table.rows, VALUES));
    let values_width = longest(&mut looks.iter().map(wide)).clamp(6, VALUES);
    let types: Vec<String> = looks.iter().map(kind).collect();
    let of_type = longest(&mut types.iter().map(|t| measure_text_width(t))).clamp(8, TYPE);
    let (name, becomes) = (name.clamp(6, NAME), becomes.max(7));
    // All but names, values and roles, with the spaces between.
    let rest = 2 + 2 + of_type + 2 + 7 + 2 + 8 + 2 + bars + 2;
    let beside = rest + name + 2 + becomes + SHORT_VALUES.min(values_width) <= width;
    let free = width.saturating_sub(rest + if beside { 2 + becomes } else { 0 });
    let name = name.min(free.saturating_sub(SHORT_VALUES.min(values_width)).max(6));
    let values_width = values_width.min(free.saturating_sub(name).max(6));

    let (head, dim, bar) = (Style::new().bold(), Style::new().dim(), Style::new().cyan());
    let cell = |text: &str, width: usize| fit(text, width);
    let right = |text: &str, width: usize| {
        pad_str(text, width, console::Alignment::Right, None).into_owned()
    };
    let mut text = format!(
        "{}: {} rows, {} columns\n\n",
        head.apply_to(&table.name),
        table.rows,
        looks.len()
    );
    let mut line = |parts: &[String]| {
        let line = parts.join("  ");
        text += "  ";
        text += line.trim_end();
        text.push('\n');
    };
    let title = |text: &str, width: usize| dim.apply_to(cell(text, width)).to_string();
    let mut titles = vec![
        title("column", name),
        title("type", of_type),
        dim.apply_to("missing").to_string(),
        dim.apply_to("distinct").to_string(),
        title("values", bars + 2 + values_width),
    ];
    if beside {
        titles.push(dim.apply_to("becomes").to_string());
    }
    line(&titles);
    for ((look, role), kind) in looks.iter().zip(roles).zip(&types) {
        let missing = right(&share(look.missing, table.rows), 7);
        let missing = match look.missing {
            0 => missing,
            _ => Style::new().yellow().apply_to(missing).to_string(),
        };
        let mut parts = vec![
            head.apply_to(cell(&look.name, name)).to_string(),
            cell(kind, of_type),
            missing,
            right(&look.distinct.to_string(), 8),
        ];
        if bars > 0 {
            parts.push(bar.apply_to(cell(&look.bars, bars)).to_string());
        }
        parts.push(cell(&values(look, table.rows, values_width), values_width));
        if beside {
            parts.push(role.style.apply_to(&role.words).to_string());
        }
        line(&parts);
    }
    if !beside {
        line(&[String::new()]);
        line(&[title("column", name), dim.apply_to("becomes").to_string()]);
        for (look, role) in looks.iter().zip(roles) {
            let words = role.style.apply_to(&role.words).to_string();
            line(&[head.apply_to(cell(&look.name, name)).to_string(), words]);
        }
    }
    text
}

/// Cut or padded to that width. Line ends and other control characters in a name become spaces.
fn fit(text: &str, width: usize) -> String {
    let text = text.replace(char::is_control, " ");
    let text = truncate_str(&text, width, "…");
    pad_str(&text, width, console::Alignment::Left, None).into_owned()
}

/// A column's type, and the format of its numbers if they are not plain.
fn kind(look: &ColumnLook) -> String {
    let kind = look.kind.name();
    match look.kind == Kind::Number && !look.reading.format.is_plain() {
        true => format!("{kind}, {}", look.reading.format),
        false => kind.to_owned(),
    }
}

fn share(cells: usize, rows: usize) -> String {
    match cells {
        0 => String::new(),
        n if n * 1000 < rows => "<0.1%".to_owned(),
        n => format!("{:.1}%", n as f64 * 100.0 / rows as f64),
    }
}

/// The values within this many columns.
fn values(look: &ColumnLook, rows: usize, width: usize) -> String {
    match &look.values {
        LookValues::Nothing => String::new(),
        LookValues::Always(value) => format!("always {value}"),
        LookValues::Range(least, most) => format!("{least} to {most}"),
        LookValues::Counts(all) => {
            let percent = |count: usize| match count * 100 / rows.max(1) {
                0 => "<1%".to_owned(),
                n => format!("{n}%"),
            };
            let mut text = String::new();
            for (place, (name, count)) in all.iter().enumerate() {
                let more = format!("{name} {}", percent(*count));
                let longer = match place {
                    0 => more,
                    _ => format!("{text}, {more}"),
                };
                let left = all.len() - place - 1;
                // The count of the rest must fit after it.
                let end = if left > 0 {
                    format!(", +{left}")
                } else {
                    String::new()
                };
                if place > 0 && measure_text_width(&longer) + end.len() > width {
                    return format!("{text}, +{}", left + 1);
                }
                text = longer;
            }
            text
        }
    }
}
