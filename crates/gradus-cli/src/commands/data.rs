//! `gradus data list | fetch NAME | show SPEC`.

use crate::args::Data;
use crate::{fetch, output};
use gradus::data::{self, Kind, ReadTable, Source, Table};
use gradus::{Error, Result, Split};

/// Runs the command.
pub fn run(args: Data) -> Result<()> {
    match args {
        Data::List => output::result(&data::list()),
        Data::Fetch { name, mirror } => output::result(&fetch::fetch(&name, &mirror)?),
        Data::Show { spec, column } => output::result(&show(&spec, &column)?),
    }
}

fn show(spec: &str, columns: &[String]) -> Result<String> {
    if let Source::Table(path) = data::source(spec)? {
        let kinds = columns.iter().map(|column| kind(column));
        let kinds = kinds.collect::<Result<_>>()?;
        let options = ReadTable {
            kinds,
            ..ReadTable::default()
        };
        return Ok(data::describe_table(&Table::read(path, &options)?));
    }
    if !columns.is_empty() {
        let expected = "a table (`table.csv`), the only data whose columns have types";
        return Err(Error::invalid("--column", format!("`{spec}`"), expected));
    }
    Ok(data::describe(&data::load(spec, Split::Train)?))
}

/// A column and its type, of `NAME=TYPE`.
fn kind(column: &str) -> Result<(String, Kind)> {
    let Some((name, wanted)) = column.rsplit_once('=') else {
        return Err(Error::invalid(
            "--column",
            format!("`{column}`"),
            "NAME=TYPE",
        ));
    };
    let found = Kind::NAMES.into_iter().find(|(known, _)| *known == wanted);
    let (_, kind) = found.ok_or_else(|| {
        Error::unknown(
            "--column",
            "type",
            wanted,
            Kind::NAMES.map(|(name, _)| name),
        )
    })?;
    Ok((name.to_owned(), kind))
}
