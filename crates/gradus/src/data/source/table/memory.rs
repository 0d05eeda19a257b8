//! From a `[data]` table that names a table file to the rows of a run.

use crate::data::Dataset;
use crate::data::config::{Choice, DataConfig, HeldOut};
use crate::data::hold_out;
use crate::data::load::Loaded;
use crate::data::schema::{KnownTexts, Schema, Summary, TableKeys, TableOptions};
use crate::data::table::{Kind, ReadTable, Table, Tabular, with_line};
use crate::error::{Error, Result, join};
use std::path::Path;

impl DataConfig {
    /// The rows of a table, split as this says: what [`DataConfig::load`] does for
    /// `table`, of any source. Validation or test rows that are in a file of
    /// their own are relative to the current folder.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// use gradus::data::{Choice, DataConfig, HeldOut, TableOptions};
    /// # let folder = std::env::temp_dir().join(format!("gradus-doc-rows-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let houses = folder.join("houses.csv");
    /// # let rows = (0..60).map(|i| format!("{i},{},{},{}\n", i % 7, ["inland", "bay"][i % 2], i % 7 * 3));
    /// # std::fs::write(&houses, format!("house,rooms,place,price\n{}", rows.collect::<String>())).unwrap();
    /// # let new = folder.join("new.csv");
    /// # std::fs::write(&new, "house,rooms,place\nx,3,bay\ny,,inland\n").unwrap();
    /// let data = DataConfig::of(TableOptions::new().target("price").id("house"))
    ///     .validation(HeldOut::fraction(0.2, Choice::Shuffle))
    ///     .test(HeldOut::fraction(0.1, Choice::Stratify(Some("place".into()))));
    /// let rows = data.load_table(&houses, 42)?; // a path, a frame, record batches
    ///
    /// let recipe = Recipe::of_table(rows.train.rows()).hidden(&[30]);
    /// let mut model = recipe.model_of(&rows, &data.columns)?;
    /// model.fit(&rows.train, Fit::recipe(&recipe, 3).validation_data(rows.validation.unwrap()))?;
    /// model.evaluate(&rows.test.unwrap())?;
    /// model.save(folder.join("houses.keras"))?;
    ///
    /// let model = Model::load(folder.join("houses.keras"))?; // anywhere, at any time
    /// let scored = model.score(&new)?; // rows without a price
    /// assert_eq!(scored.columns[0].name, "house");
    /// scored.write_csv(&mut std::io::stdout())?;
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_table(&self, source: impl Tabular, seed: u64) -> Result<Loaded> {
        let named = DataConfig {
            table: Some(source.name()),
            ..self.clone()
        };
        named.check()?;
        load(&named, &source, Path::new(""), seed, None)
    }
}

/// Reads the table, says what its columns are (but for a model that `known`s them
/// already), and splits its rows.
pub(super) fn load(
    config: &DataConfig,
    source: &dyn Tabular,
    base: &Path,
    seed: u64,
    known: Option<&Schema>,
) -> Result<Loaded> {
    let loaded = load_rows(config, source, base, seed, known);
    loaded.map_err(|error| with_line(source.name(), error))
}

fn load_rows(
    config: &DataConfig,
    source: &dyn Tabular,
    base: &Path,
    seed: u64,
    known: Option<&Schema>,
) -> Result<Loaded> {
    let (table, mut schema) = read(config, source, known)?;
    let mut notes = notes(&table, &schema, config);
    let rows = schema.dataset(&table, true)?;
    let rows = config.columns.weighted(rows, &table);
    let rows = rows.map_err(|error| error.under("data"))?;
    let keys = TableKeys {
        table: &table,
        data: &rows,
    };
    let chosen = hold_out::choose(config, &keys, seed)?;
    let part = |at: &str, how: &Option<HeldOut>, chosen: Option<Vec<usize>>| match (how, chosen) {
        (None, _) => Ok(None),
        (Some(_), Some(chosen)) => rows.select(&chosen).map(Some),
        (Some(HeldOut::Table { table }), None) => {
            // A number of another program's making is the category that it is here.
            let mut schema = schema.clone();
            schema.known = KnownTexts::of(&schema.features, &rows);
            own_table(&schema, config, &base.join(table)).map(Some)
        }
        (Some(other), None) => {
            let expected = "a `table`, as the training rows are";
            Err(Error::invalid(at, other, expected))
        }
    };
    let validation = part("data.validation", &config.validation, chosen.validation)?;
    let test = part("data.test", &config.test, chosen.test)?;
    let train = rows.select(&chosen.train)?;
    let mut summary = Summary::of(&schema, &train)?;
    let mut parts = [Some(train), validation, test];
    let left_out = match known {
        None => {
            notes.extend(schema.set_offsets(&mut summary));
            for part in &mut parts {
                let data = part.take().map(|data| schema.subtracted(data));
                *part = data.transpose()?;
            }
            schema.leave_out(&summary)?
        }
        Some(_) => Vec::new(),
    };
    let [train, validation, test] = parts;
    let train = train.ok_or_else(|| Error::Internal("rows that are gone".into()))?;
    let inputs: Vec<String> = schema.features.iter().map(|f| f.input.clone()).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let keep = |data: Dataset| data.keep_inputs(&inputs);
    Ok(Loaded {
        train: keep(train)?,
        validation: validation.map(keep).transpose()?,
        test: test.map(keep).transpose()?,
        schema: Some(schema),
        pictures: None,
        left_out,
        notes,
        summary: Some(summary),
        neighbours: config.neighbours(),
    })
}

/// What a user should know of how the columns that count were read.
pub(super) fn notes(table: &Table, schema: &Schema, config: &DataConfig) -> Vec<String> {
    let weight = &config.columns.sample_weight;
    table.notes(&|name| {
        schema.features.iter().any(|feature| feature.name == name)
            || schema.targets.iter().any(|target| target.name == name)
            || weight.as_deref() == Some(name)
    })
}

/// The rows of another table, all of them.
fn own_table(schema: &Schema, config: &DataConfig, path: &Path) -> Result<Dataset> {
    let options = &config.columns;
    let read = || {
        let table = schema.read_with(&path, true, weights_are_numbers(options))?;
        let weighted = options.weighted(schema.dataset(&table, true)?, &table);
        weighted.map_err(|error| match error {
            error @ Error::UnknownName { .. } => Error::file(path, error),
            other => other,
        })
    };
    read().map_err(|error| with_line(path, error))
}

/// How the column of weights is read, which the model does not look at, and what is said
/// of the text.
pub(super) fn weights_are_numbers(options: &TableOptions) -> ReadTable {
    let mut read = ReadTable {
        text: options.text.clone(),
        ..ReadTable::default()
    };
    if let Some(weight) = &options.sample_weight {
        read.kinds.insert(weight.clone(), Kind::Number);
    }
    read
}

pub(super) fn read(
    config: &DataConfig,
    source: &dyn Tabular,
    known: Option<&Schema>,
) -> Result<(Table, Schema)> {
    let options = &config.columns;
    // What a split looks at may be no feature.
    let by_time = [&config.validation, &config.test].into_iter().flatten();
    let by_time = by_time.filter_map(|how| match how.choice() {
        Some(Choice::Time(column)) => Some(column.as_str()),
        _ => None,
    });
    let by_time: Vec<&str> = by_time.collect();
    let Some(known) = known else {
        let table = Table::read(source, &options.read_table(&by_time))?;
        let schema = Schema::of(&table, options).map_err(|error| error.under("data"))?;
        return Ok((table, schema));
    };
    let mut known = known.clone();
    if known.targets.is_empty() {
        // A file that Keras has saved says nothing of them.
        let mut kinds = options.read_table(&by_time);
        for feature in &known.features {
            kinds.kinds.insert(feature.name.clone(), feature.kind);
            if !feature.format.is_plain() {
                kinds.formats.insert(feature.name.clone(), feature.format);
            }
        }
        let table = Table::read(source, &kinds)?;
        let found = Schema::of(&table, options).map_err(|error| error.under("data"))?;
        let unused = found.features.iter().map(|f| f.name.clone());
        let unused = unused.filter(|name| !known.features.iter().any(|f| f.name == *name));
        known.dropped = found.dropped.iter().cloned().chain(unused).collect();
        (known.targets, known.ids) = (found.targets, found.ids);
        return Ok((table, known));
    }
    let of_model: Vec<&String> = known.targets.iter().map(|target| &target.name).collect();
    if !options.target.iter().eq(of_model.iter().copied()) {
        let list = |names: &mut dyn Iterator<Item = &String>| {
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            names.join(", ")
        };
        let found = list(&mut options.target.iter());
        let expected = format!(
            "{}, which the model predicts",
            list(&mut of_model.into_iter())
        );
        return Err(Error::invalid(&join("data", "target"), found, expected));
    }
    if let Some(weight) = &options.sample_weight
        && !known.columns().any(|column| column == weight)
    {
        known.dropped.push(weight.clone());
    }
    let table = known.read_with(source, true, weights_are_numbers(options))?;
    Ok((table, known))
}
