//! Facts about a run, in words.

use super::Known;
use crate::base::threads::threads;
use crate::data::{Data, RunData};
use crate::model::Model;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The digests that are listed.
const DIGESTS: usize = 8;

/// The name of a run: that of its folder.
pub fn name(folder: &Path) -> String {
    let absolute = std::path::absolute(folder);
    let absolute = absolute.as_deref().unwrap_or(folder);
    let name = absolute.file_name().unwrap_or(absolute.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Names and words, in the order of the page.
pub fn facts(known: &Known<'_>) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |name: &str, words: String| facts.push((name.to_owned(), words));
    if let Some(model) = known.model {
        add("Model", of_model(model));
    }
    if let Some(data) = known.data {
        add("Rows", of_rows(data));
        let parts = [
            ("training", Some(&data.train)),
            ("validation", data.validation.as_ref()),
            ("test", data.test.as_ref()),
        ];
        for (name, part) in parts {
            if let Some(Ok(found)) = part.map(Data::fingerprints) {
                let words = found.iter().take(DIGESTS);
                let words = words.map(|one| format!("{} {}", one.name, one.digest));
                let mut words: Vec<String> = words.collect();
                match found.len().saturating_sub(DIGESTS) {
                    0 => {}
                    more => words.push(format!("and {more} more")),
                }
                add(&format!("Fingerprint, {name}"), words.join("; "));
            }
        }
    }
    let seconds: Vec<f64> = known.history.epochs.iter().map(|e| e.seconds).collect();
    if !seconds.is_empty() {
        add("Time", of_time(&seconds));
    }
    if let (Some(data), Some(batch)) = (known.data, batch_size(known.config)) {
        let steps = data.train_rows().div_ceil(batch).max(1) as f64;
        let mut sorted = seconds.clone();
        sorted.sort_by(f64::total_cmp);
        if let Some(median) = sorted.get(sorted.len() / 2) {
            let step = duration(median / steps);
            add(
                "Time per step",
                format!("{step}: the median epoch's, validation included, over its {steps} steps"),
            );
        }
    }
    let machine = match known.trained_here {
        true => "Trained on",
        // The run folder does not say where it was trained.
        false => "Page made on",
    };
    add(machine, of_machine());
    add("Folder", known.folder.display().to_string());
    facts
}

fn of_model(model: &Model) -> String {
    let trained = model.count_weights(true);
    let all = trained + model.count_weights(false);
    let layers = model.layers.len();
    format!("{layers} layers, {all} parameters, {trained} of them trained")
}

fn of_rows(data: &RunData) -> String {
    let parts = [
        ("training", Some(&data.train)),
        ("validation", data.validation.as_ref()),
        ("test", data.test.as_ref()),
    ];
    let words = parts.iter().filter_map(|(name, part)| {
        let rows = part.as_ref()?.rows()?;
        Some(format!("{rows} {name}"))
    });
    words.collect::<Vec<_>>().join(", ")
}

fn of_time(seconds: &[f64]) -> String {
    let all: f64 = seconds.iter().sum();
    let epochs = match seconds.len() {
        1 => "1 epoch".to_owned(),
        epochs => format!("{epochs} epochs"),
    };
    let each = duration(all / seconds.len() as f64);
    format!("{} for {epochs}, {each} an epoch", duration(all))
}

/// A duration in words.
fn duration(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration.as_secs() >= 3600 => {
            let minutes = duration.as_secs() / 60;
            format!("{} h {} min", minutes / 60, minutes % 60)
        }
        Ok(duration) if duration.as_secs() >= 60 => {
            let seconds = duration.as_secs();
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
        Ok(duration) if duration.as_millis() >= 1000 => format!("{seconds:.1} s"),
        Ok(duration) if duration.as_micros() >= 1000 => format!("{:.1} ms", seconds * 1e3),
        Ok(_) => format!("{:.1} µs", seconds * 1e6),
        Err(_) => "an unknown time".into(),
    }
}

fn of_machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let processor = line.map(|line| line.trim_start_matches([' ', '\t', ':']));
    let (system, kind) = (std::env::consts::OS, std::env::consts::ARCH);
    let processor = processor.unwrap_or(kind);
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "{processor}, {} threads, {system} on {kind}, gradus {version}",
        threads()
    )
}

/// The batch size of a configuration.
fn batch_size(config: &str) -> Option<usize> {
    let config = crate::experiment::config::from_toml(config).ok()?;
    let size = config["train"].get("batch_size")?.as_u64()?;
    usize::try_from(size).ok().filter(|&size| size > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(7384.0), "2 h 3 min");
        assert_eq!(duration(61.0), "1 min 1 s");
        assert_eq!(duration(1.25), "1.2 s");
        assert_eq!(duration(0.0213), "21.3 ms");
        assert_eq!(duration(2.5e-5), "25.0 µs");
        assert_eq!(duration(f64::NAN), "an unknown time");
    }
}
