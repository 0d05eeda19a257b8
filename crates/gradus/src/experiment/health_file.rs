//! `health.csv` of a run that is resumed.

use super::event::{Event, Progress};
use super::run_folder::HEALTH;
use crate::base::files;
use crate::data::checks::{Finding, Where};
use crate::error::{Error, Result};
use crate::train::health::Health;
use std::path::Path;

/// Size limit of the file.
const MOST: u64 = 1 << 30;

/// The first `samples` samples of the file. Without a file that has them, which is told, none: the
/// training does not depend on them.
pub fn read(folder: &Path, samples: usize, progress: &Progress<'_>) -> Result<Health> {
    if samples == 0 {
        return Ok(Health::default());
    }
    let path = folder.join(HEALTH);
    let read = files::read_text(&path, "the health of the layers", MOST)
        .and_then(|text| Health::from_csv(&text));
    let problem = match read {
        Ok(mut health) if health.samples.len() >= samples => {
            health.samples.truncate(samples);
            return Ok(health);
        }
        Ok(health) => {
            let found = format!("{} samples", health.samples.len());
            Error::invalid(
                "",
                found,
                format!("{samples}, as when the checkpoint was written"),
            )
        }
        Err(error) => error,
    };
    let found = format!("what was sampled before is lost: {problem}");
    let place = Where::of(path.display().to_string());
    let finding = Finding::warning("health", place, found, "it begins anew");
    progress.tell(&Event::Warning(&finding))?;
    Ok(Health::default())
}
