//! The user's options for a table's columns.

use crate::base::registry::{Value, table};
use crate::data::table::{DateFormat, Kind, TextOptions};
use crate::error::{Error, Result, join};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Roles and types of a table's columns: targets, excluded columns, types. Every column that is not
/// named is a feature.
///
/// ```
/// use gradus::data::{Kind, TableOptions};
/// let options = TableOptions::new()
///     .target("price")
///     .exclude("note")
///     .column("zip", Kind::Category)
///     .id("house");
/// assert_eq!(options.target, ["price"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(default)]
pub struct TableOptions {
    /// The column to predict, or several. Texts are classes, and so are two distinct values of any
    /// type; other numbers are numbers. `columns` overrides it. Default none, which only a pretraining takes.
    #[schemars(schema_with = "one_or_more_schema", extend("examples" = ["price"]))]
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "one_or_more")]
    pub target: Vec<String>,
    /// Excluded columns. Default none.
    #[schemars(schema_with = "one_or_more_schema", extend("examples" = [["note", "url"]]))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Overrides of the inferred role or type, by column. Default as `gradus data show` says.
    #[schemars(extend("examples" = [{ "zip": "category", "house": "id" }]))]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Treat>,
    /// Format of dates, if the cells of a column are ambiguous: `"iso"`, `"day-first"`,
    /// `"month-first"` or a pattern such as `"%d/%m/%Y %H:%M"`, for all columns that match it, or by
    /// column. Default what all of a column's cells allow.
    #[schemars(extend("examples" = ["day-first"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_format: Option<DateFormats>,
    /// Substitute of a missing number.
    #[schemars(extend("default" = Missing::default()), extend("examples" = ["mean"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// Scale of a numeric target inside the model.
    #[schemars(extend("default" = TargetScale::default()), extend("examples" = ["none"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_scale: Option<TargetScale>,
    /// Format of a CSV file's text.
    #[serde(flatten)]
    pub text: TextOptions,
    /// The column of sample weights.
    #[serde(skip)]
    pub sample_weight: Option<String>,
    /// Targets that stay numbers though they have only two distinct values, because their
    /// configured loss is one for numbers.
    #[serde(skip)]
    pub number_targets: Vec<String>,
}

/// Formats of dates.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(untagged)]
pub enum DateFormats {
    /// One format for every column that matches it.
    All(#[schemars(with = "String")] DateFormat),
    /// Formats by column, each of which then is a column of dates.
    Columns(#[schemars(with = "BTreeMap<String, String>")] BTreeMap<String, DateFormat>),
}

/// The role or type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treat {
    /// A column of this type.
    As(Kind),
    /// Excluded.
    Drop,
    /// An id that identifies each row: no feature, but kept beside the predictions.
    Id,
}

/// The substitute of a missing number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// The mean of the training rows, and an indicator column of 0 and 1 for each column with
    /// missing values.
    #[default]
    Indicator,
    /// The mean of the training rows.
    Mean,
}

/// The scale of a numeric target inside the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetScale {
    /// The network's output is multiplied by the deviation of the training rows and their mean is
    /// added; the loss is weighted to be of order 1.
    #[default]
    Standard,
    /// All stays as it is.
    None,
}

impl Treat {
    /// Every name in a configuration.
    const NAMES: [(&'static str, Treat); 7] = [
        ("number", Treat::As(Kind::Number)),
        ("boolean", Treat::As(Kind::Boolean)),
        ("date", Treat::As(Kind::Date)),
        ("datetime", Treat::As(Kind::DateTime)),
        ("category", Treat::As(Kind::Category)),
        ("drop", Treat::Drop),
        ("id", Treat::Id),
    ];

    fn name(self) -> &'static str {
        let mut names = Treat::NAMES.into_iter();
        names.find(|(_, treat)| *treat == self).map_or("", |n| n.0)
    }
}

impl JsonSchema for Treat {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Treat".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = Treat::NAMES.map(|(name, _)| name);
        json_schema!({ "type": "string", "enum": names })
    }
}

fn one_or_more_schema(_: &mut SchemaGenerator) -> Schema {
    let several = json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 });
    json_schema!({ "anyOf": [{ "type": "string" }, several] })
}

impl Serialize for Treat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

fn one_or_more<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match names {
        [one] => serializer.serialize_str(one),
        all => serializer.collect_seq(all),
    }
}

impl TableOptions {
    /// Every column is a feature.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a target.
    pub fn target(mut self, column: impl Into<String>) -> Self {
        self.target.push(column.into());
        self
    }

    /// Excludes a column.
    pub fn exclude(mut self, column: impl Into<String>) -> Self {
        self.exclude.push(column.into());
        self
    }

    /// Sets a column's role or type.
    pub fn column(mut self, column: impl Into<String>, kind: Kind) -> Self {
        self.columns.insert(column.into(), Treat::As(kind));
        self
    }

    /// Adds an id column.
    pub fn id(mut self, column: impl Into<String>) -> Self {
        self.columns.insert(column.into(), Treat::Id);
        self
    }

    /// Sets the formats of dates.
    pub fn date_format(mut self, formats: DateFormats) -> Self {
        self.date_format = Some(formats);
        self
    }

    /// Sets the substitute of a missing number.
    pub fn missing(mut self, missing: Missing) -> Self {
        self.missing = Some(missing);
        self
    }

    /// Sets the scale of a numeric target.
    pub fn target_scale(mut self, scale: TargetScale) -> Self {
        self.target_scale = Some(scale);
        self
    }

    /// Sets the format of a CSV file's text.
    pub fn text(mut self, text: TextOptions) -> Self {
        self.text = text;
        self
    }

    /// Keeps a target with two distinct values a number.
    pub fn number_target(mut self, column: impl Into<String>) -> Self {
        self.number_targets.push(column.into());
        self
    }

    /// Sets the column of sample weights.
    pub fn sample_weight(mut self, column: impl Into<String>) -> Self {
        self.sample_weight = Some(column.into());
        self
    }

    /// Reads `target`, `exclude`, `columns`, `date_format`, `missing` and `target_scale` of a
    /// configuration; `at` is their path of keys.
    pub(in crate::data) fn from_values(
        at: &str,
        [target, exclude, columns, dates, missing, scale]: [Option<Value>; 6],
    ) -> Result<Self> {
        let names = |key: &str, value: Option<Value>| match value {
            None => Ok(Vec::new()),
            Some(value) => names(&join(at, key), &value),
        };
        let mut treats = BTreeMap::new();
        if let Some(value) = columns {
            let at = join(at, "columns");
            for (name, value) in table(&at, &value)? {
                let treat = choice(&join(&at, &name), "use of a column", &value, &Treat::NAMES)?;
                treats.insert(name, treat);
            }
        }
        let date_format = dates.map(|value| date_formats(&join(at, "date_format"), &value));
        let date_format = date_format.transpose()?;
        if let Some(DateFormats::Columns(formats)) = &date_format {
            for name in formats.keys() {
                let treat = treats.get(name);
                if let Some(treat) = treat
                    && !matches!(treat, Treat::As(Kind::Date | Kind::DateTime))
                {
                    let at = join(&join(at, "date_format"), name);
                    let found = format!("`{name}`, which `columns` makes `{}`", treat.name());
                    return Err(Error::invalid(&at, found, "a column of dates"));
                }
            }
        }
        Ok(TableOptions {
            target: names("target", target)?,
            exclude: names("exclude", exclude)?,
            columns: treats,
            date_format,
            missing: missing
                .map(|value| {
                    let names = [("indicator", Missing::Indicator), ("mean", Missing::Mean)];
                    choice(&join(at, "missing"), "way", &value, &names)
                })
                .transpose()?,
            target_scale: scale
                .map(|value| {
                    let names = [
                        ("standard", TargetScale::Standard),
                        ("none", TargetScale::None),
                    ];
                    choice(&join(at, "target_scale"), "scale", &value, &names)
                })
                .transpose()?,
            text: TextOptions::default(),
            sample_weight: None,
            number_targets: Vec::new(),
        })
    }
}

fn choice<T: Copy>(
    at: &str,
    family: &'static str,
    value: &Value,
    names: &[(&str, T)],
) -> Result<T> {
    let known = || names.iter().map(|(name, _)| *name);
    let Some(text) = value.as_str() else {
        let expected = known().collect::<Vec<_>>().join(", ");
        return Err(Error::invalid(at, value, format!("one of {expected}")));
    };
    let found = names.iter().find(|(name, _)| *name == text);
    found
        .map(|(_, choice)| *choice)
        .ok_or_else(|| Error::unknown(at, family, text, known()))
}

/// A format of dates, or a table of them by column.
fn date_formats(at: &str, value: &Value) -> Result<DateFormats> {
    let format = |at: &str, value: &Value| match value.as_str() {
        Some(text) => DateFormat::from_text(at, text),
        None => Err(Error::invalid(at, value, "a format such as `%d/%m/%Y`")),
    };
    if value.is_object() {
        let mut formats = BTreeMap::new();
        for (name, value) in table(at, value)? {
            let of_column = format(&join(at, &name), &value)?;
            formats.insert(name, of_column);
        }
        return Ok(DateFormats::Columns(formats));
    }
    match format(at, value)? {
        DateFormat::Pattern(pattern) if pattern.is_number() => {
            let found = format!("`{pattern:?}` for all columns");
            let expected = "the column by name, such as `{ day = \"%Y%m%d\" }`: any number of as \
                            many digits may be written so";
            Err(Error::invalid(at, found, expected))
        }
        all => Ok(DateFormats::All(all)),
    }
}

/// A column's name, or a list of names.
fn names(at: &str, value: &Value) -> Result<Vec<String>> {
    let wrong = |value: &Value| Error::invalid(at, value, "a column's name, or a list of such");
    let name = |value: &Value| match value.as_str() {
        Some(name) => Ok(name.to_owned()),
        None => Err(wrong(value)),
    };
    match value {
        Value::Array(all) if !all.is_empty() => all.iter().map(name).collect(),
        one => Ok(vec![name(one)?]),
    }
}
