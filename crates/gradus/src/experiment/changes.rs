//! The changes of a run's configuration and data since it began, by name.

use super::checkpoint::State;
use super::config::from_toml;
use super::event::{Event, Progress};
use super::model_file::Start;
use super::resolve::Run;
use super::run_folder::{CONFIG, Resume};
use crate::base::registry::Value;
use crate::base::url::is_url;
use crate::data::{Data, Fingerprint, config_text};
use crate::error::{Error, Result, join};
use std::collections::BTreeMap;
use std::path::Path;

/// The number of changes that a message names.
const NAMED: usize = 3;

/// The fingerprints of a run's data, by their names in messages.
#[derive(Debug, Default)]
pub struct Fingerprints {
    /// The digests.
    pub digests: BTreeMap<String, String>,
    /// The files that they are of.
    sources: BTreeMap<String, String>,
}

impl Fingerprints {
    /// Those of the rows that a training sees, and of the models that it starts from.
    pub fn of(run: &Run) -> Result<Self> {
        let mut all = Fingerprints::default();
        all.add("training rows", run.data.train.fingerprints()?);
        if let Some(validation) = &run.data.validation {
            all.add("validation rows", validation.fingerprints()?);
        }
        if let Some((task, rows)) = &run.pretrain
            && task.has_own_rows()
        {
            let rows = Data::from(rows).fingerprints()?;
            all.add("pretraining rows", rows);
        }
        for Start { name, path, digest } in &run.starts {
            all.add(
                name,
                vec![Fingerprint {
                    name: String::new(),
                    source: path.display().to_string(),
                    digest: digest.clone(),
                }],
            );
        }
        Ok(all)
    }

    fn add(&mut self, part: &str, found: Vec<Fingerprint>) {
        for Fingerprint {
            name,
            source,
            digest,
        } in found
        {
            let name = match &*name {
                "" => part.to_owned(),
                name => format!("{part}, {name}"),
            };
            self.sources.insert(name.clone(), source);
            self.digests.insert(name, digest);
        }
    }

    /// The names of the data that differs from that of the digests `before`.
    fn changes(&self, before: &BTreeMap<String, String>) -> Vec<String> {
        let changed = |(name, digest): (&String, &String)| {
            let source = &self.sources[name];
            match before.get(name) {
                Some(before) if before == digest => None,
                Some(_) => Some(format!(
                    "{name} ({source}): the content has changed since the run began"
                )),
                None => Some(format!("{name} ({source}): the run has none")),
            }
        };
        let gone = |name: &&String| !self.digests.contains_key(*name);
        let gone = before.keys().filter(gone);
        let changed = self.digests.iter().filter_map(changed);
        changed
            .chain(gone.map(|name| format!("{name}: is missing, the run has it")))
            .collect()
    }
}

/// Refuses to resume a run whose configuration or data has changed in what matters, unless that
/// is allowed: then its state goes on at the beginning of an epoch.
pub fn refuse(
    run: &Run,
    data: &Fingerprints,
    resume: &Resume,
    state: Option<&mut State>,
    progress: &Progress<'_>,
) -> Result<()> {
    let changes = match &state {
        Some(state) => {
            // The data comes first: some of the configuration follows from it.
            let mut changes = data.changes(&state.data);
            changes.extend(of_config(&run.text, &state.config)?);
            changes
        }
        None => {
            let path = resume.folder.join(CONFIG);
            let before = config_text(&path)?;
            of_config(&run.text, &before)?
        }
    };
    if changes.is_empty() {
        return Ok(());
    }
    if !resume.allow_changed {
        return Err(refusal(&resume.folder, &changes));
    }
    if let Some(state) = state {
        // Its steps and sums may be of other batches, or of other metrics: the epoch begins anew.
        (state.step, state.seconds) = (0, 0.0);
        state.meters.clear();
    }
    // The weights are the checkpoint's, and so is what holds them.
    let stays = |change: String| match change.starts_with("`model.") {
        true => format!("{change}; the checkpoint's model stays as it is"),
        false => change,
    };
    let changes = &changes.into_iter().map(stays).collect::<Vec<_>>();
    progress.tell(&Event::ChangesAllowed { changes })
}

/// The keys in which two resolved configurations differ in what matters to a training.
fn of_config(now: &str, before: &str) -> Result<Vec<String>> {
    let read = |text: &str| {
        let config = from_toml(text).map_err(|problem| Error::file("config.toml", problem))?;
        let mut keys = BTreeMap::new();
        flatten("", &config, &mut keys);
        Ok(keys)
    };
    let (now, before) = (read(now)?, read(before)?);
    let mut names: Vec<&String> = now.keys().chain(before.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let changes = names.into_iter().filter(|name| matters(name));
    let changes = changes.filter_map(|name| match (now.get(name), before.get(name)) {
        (Some(now), Some(before))
            if now == before || is_path(name, now) && is_path(name, before) =>
        {
            None
        }
        (Some(now), Some(before)) => Some(format!("`{name}` is {now}, the run's is {before}")),
        (Some(now), None) => Some(format!("`{name}` is {now}, the run has none")),
        (None, before) => {
            let before = before.map(Value::to_string).unwrap_or_default();
            Some(format!("`{name}` is missing, the run's is {before}"))
        }
    });
    Ok(changes.collect())
}

/// The error of a resumed training whose configuration or data has changed.
fn refusal(folder: &Path, changes: &[String]) -> Error {
    let more = match changes.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let named: Vec<&str> = changes.iter().take(NAMED).map(String::as_str).collect();
    let problem = format!(
        "is of another run: {}{more}; `--resume --allow-changed` goes on nevertheless",
        named.join("; ")
    );
    Error::file(folder, problem)
}

/// The keys of a configuration, by their paths. Lists of tables are tables by number.
pub fn flatten(at: &str, value: &Value, keys: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&join(at, key), value, keys);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (n, item) in items.iter().enumerate() {
                flatten(&join(at, &format!("[{n}]")), item, keys);
            }
        }
        other => {
            keys.insert(at.to_owned(), other.clone());
        }
    }
}

/// True if a key matters to what a training makes of its state.
fn matters(key: &str) -> bool {
    let nothing = [
        "train.epochs",
        "callbacks.csv_logger.filename",
        "callbacks.model_checkpoint.filepath",
    ];
    !nothing.contains(&key) && !key.starts_with("checkpoint.")
}

/// True of the path of a file whose content has a fingerprint.
fn is_path(key: &str, value: &Value) -> bool {
    let of_file = ["data.", "pretrain.data.", "model.file"];
    let path = value
        .as_str()
        .is_some_and(|text| Path::new(text).is_absolute() || is_url(Path::new(text)));
    let is_reused = key.starts_with("model.layers[") && key.ends_with("].reuse");
    path && (is_reused || of_file.iter().any(|start| key.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_key_is_named_unless_it_does_not_matter() {
        let before = "seed = 1\n[data]\nx = \"/a/x.npy\"\n[model]\nlayers = [\n  { units = 3 },\n]\n\
                      [train]\nepochs = 3\nmetrics = [\"a\"]\n[checkpoint]\nkeep = 2\n";
        let changes = |from: &str, to: &str| {
            let now = before.replace(from, to);
            assert_ne!(now, before);
            of_config(&now, before).unwrap().join("|")
        };
        for (from, to) in [
            ("epochs = 3", "epochs = 9"),
            ("keep = 2", ""),
            ("/a/x", "/b/y"),
        ] {
            assert_eq!(changes(from, to), "");
        }
        assert_eq!(
            changes("units = 3", "units = 4"),
            "`model.layers[0].units` is 4, the run's is 3"
        );
        assert_eq!(
            changes("seed = 1\n", ""),
            "`seed` is missing, the run's is 1"
        );
        assert_eq!(
            changes("epochs = 3", "epochs = 3\nmixup = 0.2"),
            "`train.mixup` is 0.2, the run has none"
        );
        assert_eq!(
            changes("[\"a\"]", "[\"b\"]"),
            "`train.metrics` is [\"b\"], the run's is [\"a\"]"
        );
    }
}
