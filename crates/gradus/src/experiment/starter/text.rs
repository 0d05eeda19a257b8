//! The text of a starter configuration.

use crate::base::registry::Value;
use crate::error::visible;
use crate::experiment::config::inline;

/// The part of a configuration that is about its rows.
#[derive(Debug, Default)]
pub struct Rows {
    /// Remarks on what was seen, a line each.
    pub seen: Vec<String>,
    /// The lines of `[data]`.
    pub data: Vec<String>,
    /// A list of layers that would do, a line each, for those who want no recipe.
    pub layers: Vec<String>,
    /// True of pictures, which convolutions look at.
    pub pictures: bool,
}

impl Rows {
    /// Adds a key of `[data]`.
    pub fn key(&mut self, key: &str, value: impl Into<Value>) {
        self.data.push(format!("{key} = {}", toml(value)));
    }

    /// Adds a remark to `[data]`.
    pub fn remark(&mut self, text: &str) {
        self.data.push(comment(text));
    }

    /// Adds what is held out of so many rows; nothing if they are few. `test` is false for rows that
    /// have a test of their own.
    pub fn hold_out(&mut self, rows: usize, way: &str, test: bool) {
        /// Rows below which a share of them says nothing.
        const FEW: usize = 30;
        let few = rows < FEW;
        if few {
            self.remark(&format!(
                "{rows} rows are too few to hold some out. With more, these watch the training and measure \
                 its result:"
            ));
        } else {
            self.remark("Rows held out, to watch the training and to measure its result.");
        }
        let off = if few { "# " } else { "" };
        self.data.push(format!(
            "{off}validation = {{ fraction = 0.1, {way} = true }}"
        ));
        if test {
            self.data
                .push(format!("{off}test = {{ fraction = 0.2, {way} = true }}"));
        }
    }
}

/// The whole configuration.
pub fn configuration(data: &str, rows: &Rows) -> String {
    let mut lines = vec![
        format!(
            "# A configuration to begin with, for {}, by `gradus init`. It can be used as it is:",
            visible(data)
        ),
        "#   gradus check FILE.toml    looks over data and network".into(),
        "#   gradus train FILE.toml    trains, and leaves a folder under runs/".into(),
        "# Paths in it are relative to its folder.".into(),
        "# docs/config.md has every key; `gradus schema` gives them to an editor.".into(),
        String::new(),
        "seed = 42".into(),
        String::new(),
        "[data]".into(),
    ];
    lines.extend(rows.seen.iter().map(|seen| comment(seen)));
    lines.extend(rows.data.iter().cloned());
    lines.extend([
        String::new(),
        "[model]".into(),
        "# A network that is fitted to the data, with its optimizer and schedule.".into(),
    ]);
    let recipe: &[&str] = match rows.pictures {
        true => &[
            "recipe = \"cnn\"",
            "# flip = true                # mirrors pictures at random: not for letters, digits or signs",
            "# hidden = [32, 64, 128]     # the filters of its stages",
        ],
        false => &[
            "recipe = \"default\"",
            "# hidden = [100, 50]          # the units of its hidden layers",
        ],
    };
    lines.extend(recipe.iter().map(|&line| line.to_owned()));
    if !rows.layers.is_empty() {
        lines.push(
            "# In place of the recipe, the layers one by one; `[train]` then needs a loss.".into(),
        );
        lines.push("# layers = [".into());
        lines.extend(rows.layers.iter().map(|layer| format!("#   {layer},")));
        lines.push("# ]".into());
    }
    lines.extend([
        String::new(),
        "[train]".into(),
        "# A key here replaces the recipe's own.".into(),
        "# epochs = 60".into(),
        "# batch_size = 32".into(),
        "# learning_rate = \"auto\"     # found by a short trial before the training".into(),
        String::new(),
        "[callbacks]".into(),
        "# The recipe stops when the validation loss no longer falls; this trains through:".into(),
        "# early_stopping = false".into(),
    ]);
    lines.join("\n") + "\n"
}

/// The sizes of a row: `28 × 28`.
pub fn sizes(row: &[usize]) -> String {
    let sizes: Vec<String> = row.iter().map(usize::to_string).collect();
    sizes.join(" × ")
}

/// A comment of one line, whatever is in the text.
pub fn comment(text: &str) -> String {
    format!("# {}", visible(text)).trim_end().to_owned()
}

/// A value in TOML.
pub fn toml(value: impl Into<Value>) -> String {
    // Texts, numbers and lists have no way to fail.
    inline(&value.into()).unwrap_or_default()
}
