//! From the `[data]` table to the rows of a run.

use crate::base::memory::Memory;
use crate::data::config::DataConfig;
use crate::data::conflict::excluded;
use crate::data::excess::Excess;
use crate::data::purpose::Purpose;
use crate::data::run_data::RunData;
use crate::data::source::{Request, Source, TableFile, load_table};
use crate::data::table::Tabular;
use crate::error::Result;
use std::path::Path;

impl DataConfig {
    /// Opens the data, splits it and scales it. Relative paths are relative to `base`, the
    /// folder of the configuration; what is drawn at random is drawn by `seed`.
    ///
    /// Rows that would take more memory than [`DataConfig::memory`] says (without it, than
    /// half of the machine's) are read while a model is trained, unless `purpose` wants them
    /// in memory: arrays from their files, pictures from what they were decoded to, a table
    /// from a binary copy of it; these are made once and lie in the user's cache folder.
    pub fn open(&self, base: &Path, seed: u64, purpose: Purpose<'_>) -> Result<RunData> {
        let source = self.check().map_err(|error| error.under("data"))?;
        let request = self.request(base, seed, purpose);
        match excess(source, &request)? {
            None => source.kind().load(&request),
            Some(excess) if purpose.in_memory => Err(excess.error()),
            Some(excess) => source.kind().stream(&request, excess),
        }
    }

    /// The rows of a table, split as this says: as [`DataConfig::open`] does for
    /// `table`, of any source, in memory. Validation or test rows that are in a file of
    /// their own are relative to the current folder.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// use gradus::data::{DataConfig, HoldOut, SplitBy, TableOptions};
    /// # let folder = std::env::temp_dir().join(format!("gradus-doc-rows-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let houses = folder.join("houses.csv");
    /// # let rows = (0..60).map(|i| format!("{i},{},{},{}\n", i % 7, ["inland", "bay"][i % 2], i % 7 * 3));
    /// # std::fs::write(&houses, format!("house,rooms,place,price\n{}", rows.collect::<String>())).unwrap();
    /// # let new = folder.join("new.csv");
    /// # std::fs::write(&new, "house,rooms,place\nx,3,bay\ny,,inland\n").unwrap();
    /// let data = DataConfig::of(TableOptions::new().target("price").id("house"))
    ///     .validation(HoldOut::fraction(0.2, SplitBy::Shuffle))
    ///     .test(HoldOut::fraction(0.1, SplitBy::Stratify(Some("place".into()))));
    /// let rows = data.load_table(&houses, 42)?; // a path, a frame, record batches
    ///
    /// let recipe = Recipe::of_table(rows.train_rows()).hidden(&[30]);
    /// let mut model = recipe.model_of(&rows, &data.columns)?;
    /// model.fit(&rows.train, Fit::recipe(&recipe, 3).validation_data(rows.validation.unwrap()))?;
    /// model.evaluate(&rows.test.unwrap())?;
    /// model.save(folder.join("houses.keras"))?;
    ///
    /// let model = Model::load(folder.join("houses.keras"))?; // anywhere, at any time
    /// let scored = model.score(&new)?; // rows without a price
    /// assert_eq!(scored.columns[0].name, "house");
    /// scored.save_csv(folder.join("scored.csv"))?;
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn load_table(&self, source: impl Tabular, seed: u64) -> Result<RunData> {
        if let Some(other) = self.source.as_ref().filter(|_| self.table().is_none()) {
            return Err(excluded(other.keys()[0], "table"));
        }
        let named = DataConfig {
            source: Some(Source::from(TableFile::new(source.name()))),
            ..self.clone()
        };
        named.check()?;
        let request = named.request(Path::new(""), seed, Purpose::default());
        load_table(&request, &source)
    }
}

/// The memory that the rows may take and would, if that is more.
pub(super) fn excess(source: &Source, request: &Request<'_>) -> Result<Option<Excess>> {
    let half = || Memory::of_machine().map(|memory| Memory::from(memory.bytes() / 2));
    let Some(memory) = request.memory.or_else(half) else {
        return Ok(None);
    };
    let whole = source.kind().bytes(request)?.map(Memory::from);
    let whole = whole.filter(|whole| *whole > memory);
    Ok(whole.map(|whole| Excess { memory, whole }))
}
