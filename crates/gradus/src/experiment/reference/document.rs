//! `docs/config.md`: every key of a configuration, from its schema.

use super::anchor::anchor;
use super::families::{self, FAMILIES};
use super::{keys, meaning_of, schema, words};
use crate::base::registry::Value;
use crate::data::keys_by_kind;
use crate::error::Result;

/// The text before the keys: editors, and how to read the tables.
const BEFORE: &str = include_str!("text/before.md");

/// A whole configuration for each kind of data.
pub const EXAMPLES: [(&str, &str); 4] = [
    ("A built-in set", include_str!("text/built-in.toml")),
    ("A table", include_str!("text/table.toml")),
    ("Arrays", include_str!("text/arrays.toml")),
    ("Pictures", include_str!("text/pictures.toml")),
];

/// The headings of the kinds of data, by the key that names each.
const KINDS: [(&str, &str); 4] = [
    ("dataset", "A built-in set"),
    ("x", "Arrays"),
    ("table", "A table"),
    ("images", "Pictures"),
];

/// A section: its heading, and what is below.
pub struct Section {
    pub title: String,
    pub text: String,
}

impl Section {
    fn new(title: &str, text: String) -> Self {
        let title = title.to_owned();
        Section { title, text }
    }
}

/// The reference of every key of a configuration, in Markdown: `docs/config.md`.
pub fn reference() -> Result<String> {
    let root = schema();
    let sections = sections(&root)?;
    let mut text = format!("{BEFORE}\n## Contents\n\n");
    for section in &sections {
        text += &format!("- [{}](#{})\n", section.title, anchor(&section.title));
    }
    for section in sections {
        text += &format!("\n## {}\n\n{}\n", section.title, section.text.trim());
    }
    Ok(text)
}

fn sections(root: &Value) -> Result<Vec<Section>> {
    let definitions = &root["$defs"];
    let mut sections = vec![
        Section::new("Examples", examples()),
        Section::new("Top level", keys::table(root, definitions, |_| true)?),
        Section::new("`[data]`", data(definitions)?),
    ];
    let table = |name: &str| -> Result<Section> {
        let schema = &definitions[name];
        let keys = keys::table(schema, definitions, |_| true)?;
        let title = format!("`[{}]`", name.to_lowercase());
        Ok(Section::new(
            &title,
            format!("{}\n\n{keys}", meaning_of(schema)),
        ))
    };
    let families = |of: &str| -> Result<Vec<Section>> {
        let of = FAMILIES.iter().filter(|family| family.table == of);
        let sections = of.map(|family| {
            let text = families::section(family, definitions)?;
            Ok(Section::new(family.title, text))
        });
        sections.collect()
    };
    for name in ["Model", "Train"] {
        sections.push(table(name)?);
        sections.extend(families(name)?);
    }
    let mut callbacks = table("Callbacks")?;
    for name in [
        "EarlyStopping",
        "ReduceLROnPlateau",
        "GradualUnfreezing",
        "Stage",
        "Pruning",
        "ModelCheckpoint",
        "CSVLogger",
        "TerminateOnNaN",
    ] {
        let schema = &definitions[name];
        let keys = keys::table(schema, definitions, |_| true)?;
        let meaning = meaning_of(schema);
        callbacks.text += &format!("\n### {name}\n\n{meaning}\n\n{keys}");
    }
    sections.push(callbacks);
    for name in ["Checkpoint", "Distributed", "Pretrain"] {
        sections.push(table(name)?);
    }
    sections.push(Section::new("Recipes", recipes(definitions)));
    Ok(sections)
}

fn examples() -> String {
    let examples = EXAMPLES.iter().map(|(title, toml)| {
        let toml = toml.trim();
        format!("### {title}: an example\n\n```toml\n{toml}\n```\n")
    });
    examples.collect::<Vec<_>>().join("\n")
}

/// The keys of each kind of data, those of all kinds, and those of rows that are held out.
fn data(definitions: &Value) -> Result<String> {
    let schema = &definitions["Data"];
    let mut text = "The rows: of one of four kinds, and what is done with them.\n\n".to_owned();
    for (first, title) in KINDS {
        let kinds = keys_by_kind().into_iter();
        let own: Vec<&str> = kinds
            .filter(|keys| keys[0] == first)
            .flatten()
            .copied()
            .collect();
        let table = keys::table(schema, definitions, |key| own.contains(&key))?;
        text += &format!("### {title}\n\n{table}");
    }
    let kinds = keys_by_kind().concat();
    let table = keys::table(schema, definitions, |key| !kinds.contains(&key))?;
    text += &format!("### Every kind of data\n\n{table}");
    let held_out = &definitions["HoldOut"];
    let table = keys::table(held_out, definitions, |_| true)?;
    text += &format!("### Rows held out\n\n{}\n\n{table}", meaning_of(held_out));
    Ok(text)
}

fn recipes(definitions: &Value) -> String {
    let recipes = &definitions["Model"]["properties"]["recipe"];
    let recipes = words(recipes).into_iter();
    let recipes = recipes.map(|(name, meaning)| format!("- `{name}`: {meaning}.\n"));
    let list: String = recipes.collect();
    format!(
        "A recipe is a network, its optimizer and its schedule, fitted to the data: \
         `model.recipe = \"default\"`. What `[train]` and `[callbacks]` name replaces the recipe's own, \
         key by key.\n\n{list}"
    )
}
