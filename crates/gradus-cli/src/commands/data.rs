//! `gradus data list | fetch NAME | show SPEC`.

use super::show_table;
use crate::args::Data;
use crate::{fetch, output};
use gradus::data::{self, Kind, Table, Treat};
use gradus::{Error, Result, Split};

/// Runs the command.
pub fn run(args: Data) -> Result<()> {
    match args {
        Data::List => output::result(&data::list()),
        Data::Fetch { name, mirror } => output::result(&fetch::fetch(&name, &mirror)?),
        Data::Show { spec, column } => show(&spec, &column),
    }
}

fn show(spec: &str, columns: &[String]) -> Result<()> {
    if let Some((path, mut options)) = data::table_of(spec)? {
        for column in columns {
            let (name, kind) = kind(column)?;
            options.columns.insert(name, Treat::As(kind));
        }
        let table = Table::read(path, &options.read_table(&[]))?;
        return output::styled(&show_table::describe(&table, &options)?);
    }
    if !columns.is_empty() {
        let expected = "a table (`table.csv`), the only data whose columns have types";
        return Err(Error::invalid("--column", format!("`{spec}`"), expected));
    }
    output::result(&data::describe(&data::load(spec, Split::Train)?))
}

/// A column and its type, from `NAME=TYPE`.
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
