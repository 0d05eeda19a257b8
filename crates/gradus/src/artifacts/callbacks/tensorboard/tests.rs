//! Event files that are gone on with, or could not be written. What is in them is tested through the
//! callback: `tests/tensorboard.rs`.

use super::file::{EventFile, Position};
use super::messages::{Event, What};
use super::records;
use super::values::scalar;
use prost::Message;
use std::fs;
use std::path::Path;

/// The tags and steps in the only file of a folder.
fn read(folder: &Path) -> Vec<(String, i64)> {
    let mut files = fs::read_dir(folder).unwrap();
    let file = fs::read(files.next().unwrap().unwrap().path()).unwrap();
    assert!(files.next().is_none());
    let mut rest = &file[..];
    let mut found = Vec::new();
    while let Some(record) = records::next(&mut rest).unwrap() {
        let event = Event::decode(&record[..]).unwrap();
        if let Some(What::Summary(summary)) = event.what {
            found.extend(summary.value.into_iter().map(|v| (v.tag, event.step)));
        }
    }
    assert!(rest.is_empty());
    found
}

/// Adds a sample of health behind each of two steps, and the end of the epoch.
fn add_epoch(file: &mut EventFile, epoch: u64) {
    for step in [2 * epoch, 2 * epoch + 1] {
        file.add(step, vec![scalar("gradient_norm/a".into(), 1.0)]);
    }
    file.add(epoch, vec![scalar("epoch_loss".into(), 0.5)]);
    file.add(
        2 * epoch + 2,
        vec![scalar("evaluation_loss_vs_iterations".into(), 0.5)],
    );
}

#[test]
fn a_file_goes_on_as_if_it_had_never_been_interrupted() {
    let place = tempfile::tempdir().unwrap();
    let folder = |name: &str| place.path().join(name);
    let mut whole = EventFile::new(folder("whole"));
    (0..6).for_each(|epoch| add_epoch(&mut whole, epoch));
    whole.write().unwrap();
    let expected = read(&folder("whole"));
    assert_eq!(expected.len(), 6 * 4);
    // Behind an epoch, within one, before the first.
    for (epoch, step) in [(3, 6), (3, 7), (0, 0), (6, 12)] {
        let folder = folder(&format!("{epoch}-{step}"));
        let position = Position {
            epoch: epoch as usize,
            step,
        };
        let mut killed = EventFile::new(folder.clone());
        (0..5).for_each(|epoch| add_epoch(&mut killed, epoch));
        killed.write().unwrap();
        if epoch == 6 {
            add_epoch(&mut killed, 5);
            killed.write().unwrap();
        }
        let old = fs::read_dir(&folder)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let torn = [&fs::read(&old).unwrap()[..], b"torn"].concat();
        fs::write(&old, torn).unwrap();
        let left = folder.join(".events.out.tfevents.1.gradus.2.v2.3-4.tmp");
        fs::write(left, "of a process that was killed").unwrap();
        let mut resumed = EventFile::resumed(folder.clone(), position);
        resumed.write().unwrap();
        if step == 7 {
            // The rest of the epoch.
            resumed.add(7, vec![scalar("gradient_norm/a".into(), 1.0)]);
            resumed.add(3, vec![scalar("epoch_loss".into(), 0.5)]);
            resumed.add(8, vec![scalar("evaluation_loss_vs_iterations".into(), 0.5)]);
        }
        let next = if step == 7 { 4 } else { epoch };
        (next..6).for_each(|epoch| add_epoch(&mut resumed, epoch));
        resumed.write().unwrap();
        assert_eq!(read(&folder), expected, "{epoch} {step}");
        assert!(!old.exists());
    }
}

#[test]
fn events_are_kept_until_they_can_be_written() {
    let place = tempfile::tempdir().unwrap();
    let (folder, blocked) = (place.path().join("logs/train"), place.path().join("logs"));
    fs::write(&blocked, "a file where the folder should be").unwrap();
    let mut file = EventFile::new(folder.clone());
    add_epoch(&mut file, 0);
    let error = file.write().unwrap_err();
    assert!(error.to_string().contains("logs"), "{error}");
    fs::remove_file(&blocked).unwrap();
    add_epoch(&mut file, 1);
    file.write().unwrap();
    assert_eq!(read(&folder).len(), 8);
    // A write that breaks off leaves a part of a record.
    let path = fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let torn = [&fs::read(&path).unwrap()[..], &[7; 30]].concat();
    fs::write(&path, torn).unwrap();
    add_epoch(&mut file, 2);
    file.write().unwrap();
    assert_eq!(read(&folder).len(), 12);
}

#[test]
fn nothing_to_write_makes_no_file() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("validation");
    EventFile::new(folder.clone()).write().unwrap();
    EventFile::resumed(folder.clone(), Position::default())
        .write()
        .unwrap();
    assert!(!folder.exists());
}
