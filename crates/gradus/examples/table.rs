//! A table, from its file to a model that scores new rows of it:
//! `table TABLE.csv TARGET [NEW.csv]`, or `.parquet` with `--features parquet`.

use gradus::data::{DataConfig, HoldOut, SplitBy, TableOptions};
use gradus::prelude::*;

fn main() -> gradus::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(table), Some(target)) = (arguments.next(), arguments.next()) else {
        eprintln!("table TABLE.csv TARGET [NEW.csv]");
        std::process::exit(2);
    };
    // Roles of the columns, and the split of the rows. A record batch or a frame may stand in place
    // of `&table`.
    let data = DataConfig::of(TableOptions::new().target(target))
        .test(HoldOut::fraction(0.1, SplitBy::Shuffle))
        .validation(HoldOut::fraction(0.1, SplitBy::Shuffle));
    let rows = data.load_table(&table, 42)?;
    println!("{} rows to train on", rows.train_rows());

    let recipe = Recipe::of_table(rows.train_rows());
    let mut model = recipe.model_of(&rows, &data.columns)?;
    let mut fit = Fit::recipe(&recipe, recipe.epochs);
    if let Some(validation) = rows.validation {
        fit = fit.validation_data(validation);
    }
    let history = model.fit(&rows.train, fit)?;
    println!(
        "{} epochs, val_loss {:?}",
        history.epochs.len(),
        history.last("val_loss")
    );
    if let Some(test) = &rows.test {
        println!("test {:?}", model.evaluate(test)?);
    }
    // The model stores the columns' schema, in its file, too.
    let scored = model.score(arguments.next().unwrap_or(table))?;
    for column in &scored.columns {
        println!("scored `{}`", column.name);
    }
    Ok(())
}
