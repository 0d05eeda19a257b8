//! Output to standard output and standard error.

use console::{Alignment, Style, measure_text_width, pad_str};
use gradus::error::{visible, visible_lines};
use gradus::{Error, Result};
use serde_json::Value;
use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// True of a process that leaves all but its errors to another one.
static MUTE: AtomicBool = AtomicBool::new(false);

/// Prints nothing from now on but errors.
pub fn mute() {
    MUTE.store(true, Ordering::Relaxed);
}

/// True if nothing is printed but errors.
pub fn is_mute() -> bool {
    MUTE.load(Ordering::Relaxed)
}

/// Prints a result, with whatever could act on the terminal escaped. A closed pipe (`| head`) is no
/// error.
pub fn result(text: &str) -> Result<()> {
    styled(&visible_lines(text))
}

/// Prints a result in colours, whose names and values are escaped by who made it.
pub fn styled(text: &str) -> Result<()> {
    if is_mute() {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::io("write to", "standard output", cause))
        }
        _ => Ok(()),
    }
}

/// Prints a JSON object on a line of its own, with whatever could act on the terminal escaped as JSON
/// does.
pub fn json(object: &Value) -> Result<()> {
    let text = object.to_string();
    let mut escaped = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        match visible(c.encode_utf8(&mut [0; 4])) {
            Cow::Borrowed(_) => escaped.push(c),
            Cow::Owned(_) => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    styled(&(escaped + "\n"))
}

/// Prints a message to standard error, with whatever could act on the terminal escaped, ignoring
/// failures. The word before a warning or an error is coloured.
pub fn message(text: &str) {
    let text = visible_lines(text);
    let word = ["warning:", "error:"]
        .iter()
        .find(|word| text.starts_with(**word));
    let (word, rest) = text.split_at(word.map_or(0, |word| word.len()));
    if is_mute() && word != "error:" {
        return;
    }
    let style = match word {
        "error:" => Style::new().red().bold(),
        _ => Style::new().yellow().bold(),
    };
    let word = match word {
        "" => String::new(),
        word => style.for_stderr().apply_to(word).to_string(),
    };
    let _ = writeln!(io::stderr().lock(), "{word}{rest}");
}

/// The style of the best of some results.
pub fn best() -> Style {
    Style::new().green().for_stdout()
}

/// Cells as text, in columns; they may be coloured.
pub fn table(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells
            .map(|cell| measure_text_width(cell))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths);
        let cells = cells.map(|(cell, &width)| pad_str(cell, width, Alignment::Left, None));
        let cells: Vec<_> = cells.collect();
        text += &format!("{}\n", cells.join("  ").trim_end());
    }
    text
}

/// Clears the line of a terminal, where a bar may be, and shows the cursor.
pub fn clear_line() {
    let terminal = console::Term::stderr();
    if terminal.is_term() {
        let _ = terminal.clear_line().and_then(|()| terminal.show_cursor());
    }
}

/// A value, short enough to read.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-3..1e5).contains(&size) || !value.is_finite() {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}

/// Values with their names: `loss 0.1234  accuracy 0.9876`.
pub fn measurements<'a>(logs: impl Iterator<Item = (&'a str, f64)>) -> String {
    let parts: Vec<String> = logs
        .map(|(name, value)| format!("{} {}", visible(name), number(value)))
        .collect();
    parts.join("  ")
}

/// A word quoted for a shell.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:,+@%=".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Makes a bug end the program with one line and exit code 1, on any thread.
pub fn make_panics_one_line() {
    std::panic::set_hook(Box::new(|panic| {
        let what = panic.payload();
        let what = what
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| what.downcast_ref::<&str>().copied())
            .unwrap_or("a panic");
        let place = panic.location().map(|l| format!(" ({l})"));
        let place = place.unwrap_or_default();
        let line = what.replace('\n', " ");
        message(&format!(
            "error: internal error, please report it: {line}{place}"
        ));
        std::process::exit(1);
    }));
}
