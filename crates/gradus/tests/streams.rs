//! Tests of streamed rows: the same results as in memory, within the memory limit, and errors that
//! name file and row.

mod common;

use common::Folder;
use gradus::data::{Generator, NpyRows, Rows, Stream, write_npy};
use gradus::layers::Normalization;
use gradus::prelude::*;
use gradus::train::LearningRateFinder;
use gradus::train::callbacks::Progress;
use gradus::train::{Logs, Training};
use gradus::{Error, Result, Shape};
use std::cell::RefCell;
use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

const ROWS: usize = 1003;
const WIDTH: usize = 7;
/// Memory for two windows of some hundred rows.
const MEMORY: u64 = 20_000;

fn number(row: usize, column: usize) -> f32 {
    ((row * 31 + column * 17) % 101) as f32 * 0.1 - 3.0
}

fn label(row: usize) -> f32 {
    (row * row % 3) as f32
}

fn all() -> Dataset {
    Made::default().read(0..ROWS).unwrap()
}

/// Rows made on request, with a record of the requests.
#[derive(Default)]
struct Made {
    asked: Arc<Mutex<Vec<Range<usize>>>>,
    weighed: bool,
}

impl Rows for Made {
    fn rows(&self) -> usize {
        ROWS
    }

    fn read(&mut self, rows: Range<usize>) -> Result<Dataset> {
        self.asked.lock().unwrap().push(rows.clone());
        let x = rows
            .clone()
            .flat_map(|row| (0..WIDTH).map(move |column| number(row, column)));
        let x = Tensor::from_f32([WIDTH], x.collect())?.named("made");
        let y = Tensor::from_column(rows.clone().map(label).collect())?;
        let data = Dataset::new(x, y)?;
        match self.weighed {
            false => Ok(data),
            true => data.with_sample_weight(Tensor::from_column(
                rows.map(|row| row as f32 % 4.0).collect(),
            )?),
        }
    }
}

fn stream() -> Stream {
    Stream::new(Made::default()).unwrap().memory(MEMORY)
}

fn model() -> Model {
    Sequential::new()
        .seed(3)
        .add(Normalization::new())
        .add(Dense::new(16).activation(Activation::Elu))
        .add(Dropout::new(0.1))
        .add(BatchNormalization::new())
        .add(Dense::new(3).activation(Activation::Softmax))
        .compile(
            Adam::new().learning_rate(0.01),
            Loss::SparseCategoricalCrossentropy,
            &[Metric::Accuracy],
        )
        .unwrap()
}

fn weights(model: &Model) -> Vec<Vec<u32>> {
    let bits = |values: &Vec<f32>| values.iter().map(|x| x.to_bits()).collect();
    model.weights().map(|weight| bits(&weight.values)).collect()
}

fn logs(history: &History) -> Vec<Vec<(String, f64)>> {
    let of = |logs: &Logs| {
        logs.iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    };
    history.epochs.iter().map(|epoch| of(&epoch.logs)).collect()
}

fn in_order() -> Fit<'static> {
    Fit::new().epochs(3).batch_size(32).shuffle(false)
}

/// The rows in two files of a folder.
fn files(folder: &Folder) -> (PathBuf, PathBuf) {
    let (x, y) = (folder.path("x.npy"), folder.path("y.npy"));
    let data = all();
    write(&x, &[WIDTH], &data.inputs()[0].to_f32());
    write(&y, &[], &data.targets()[0].to_f32());
    (x, y)
}

fn write(path: &Path, shape: &[usize], values: &[f32]) {
    write_npy(
        &mut fs::File::create(path).unwrap(),
        &Shape::new(shape),
        values,
    )
    .unwrap();
}

#[test]
fn rows_that_are_read_give_the_bits_that_rows_in_memory_give() {
    let (mut here, mut read) = (model(), model());
    let fit = || in_order().class_weight(&[(1, 2.0)]);
    // The batch size of evaluation in memory.
    let roomy = stream().memory(100_000);
    let (held_out, more) = (all().slice(800..ROWS), roomy.slice(800..ROWS));
    let in_memory = fit().validation_data(held_out.unwrap());
    let in_memory = here.fit(all().slice(0..800).unwrap(), in_memory).unwrap();
    let streamed = fit().validation_data(more.unwrap());
    let streamed = read.fit(stream().slice(0..800).unwrap(), streamed).unwrap();
    assert_eq!(weights(&here), weights(&read));
    assert_eq!(logs(&in_memory), logs(&streamed));
    let (a, b) = (
        here.evaluate(all()).unwrap(),
        read.evaluate(stream()).unwrap(),
    );
    assert!(a.iter().eq(b.iter()), "{a:?} {b:?}");
}

#[test]
fn files_and_weights_of_rows_give_them_too() {
    let folder = Folder::new();
    let (x, y) = files(&folder);
    let w = folder.path("w.npy");
    let weight: Vec<f32> = (0..ROWS).map(|row| row as f32 % 4.0).collect();
    write(&w, &[], &weight);
    let rows = NpyRows::new(&x, &y)
        .unwrap()
        .with_sample_weight(&w)
        .unwrap();
    let weighed = Made {
        weighed: true,
        ..Made::default()
    };
    let (mut here, mut read, mut made) = (model(), model(), model());
    let data = all()
        .with_sample_weight(Tensor::from_column(weight).unwrap())
        .unwrap();
    here.fit(&data, in_order()).unwrap();
    read.fit(Stream::new(rows).unwrap().memory(MEMORY), in_order())
        .unwrap();
    made.fit(Stream::new(weighed).unwrap().memory(MEMORY), in_order())
        .unwrap();
    assert_eq!(weights(&here), weights(&read));
    assert_eq!(weights(&here), weights(&made));
}

#[test]
fn shuffled_rows_depend_on_the_seed_and_not_on_the_threads() {
    let train = |threads, seed, epochs: Range<usize>, mut model: Model| {
        gradus::set_threads(threads);
        model.seed = seed;
        let fit = Fit::new().initial_epoch(epochs.start).epochs(epochs.end);
        model.fit(stream(), fit.batch_size(10)).unwrap();
        model
    };
    let whole = train(1, 5, 0..4, model());
    assert_eq!(weights(&whole), weights(&train(3, 5, 0..4, model())));
    assert_ne!(weights(&whole), weights(&train(1, 6, 0..4, model())));
    // A resumed training equals an uninterrupted one.
    let half = train(2, 5, 0..2, model());
    assert_eq!(weights(&whole), weights(&train(2, 5, 2..4, half)));
    gradus::set_threads(0);
}

#[test]
fn a_training_reads_in_blocks_and_visits_every_row_once_an_epoch() {
    let made = Made::default();
    let asked = Arc::clone(&made.asked);
    let rows = Stream::new(made).unwrap().memory(MEMORY);
    let mut plain = Sequential::new()
        .add(Dense::new(3).activation(Activation::Softmax))
        .compile(SGD::new(), Loss::SparseCategoricalCrossentropy, &[])
        .unwrap();
    asked.lock().unwrap().clear();
    plain
        .fit(&rows, Fit::new().epochs(2).batch_size(8))
        .unwrap();
    let asked = asked.lock().unwrap();
    let longest = asked.iter().map(Range::len).max().unwrap();
    assert!(longest <= 8, "{longest} rows in a block");
    for epoch in [&asked[..asked.len() / 2], &asked[asked.len() / 2..]] {
        assert!(epoch.windows(2).any(|pair| pair[1].start < pair[0].start));
    }
    let mut visited: Vec<usize> = asked.iter().cloned().flatten().collect();
    visited.sort_unstable();
    let twice: Vec<usize> = (0..ROWS).flat_map(|row| [row, row]).collect();
    assert_eq!(visited, twice);
}

#[test]
fn a_memory_that_is_too_small_says_what_would_do() {
    let small = || stream().memory(1000);
    let error = model().fit(small(), Fit::new()).unwrap_err().to_string();
    assert_eq!(
        error,
        "memory: found 1 kB, expected at least 7.7 kB: batches of 32 rows of 40 B are read \
         ahead while one is used"
    );
    // Evaluation uses smaller batches.
    let loss = |memory| measured_within(memory).get("loss").unwrap();
    assert!((loss(900) - loss(100_000)).abs() < 1e-6);
    let enough = stream().memory(7700);
    model().fit(&enough, Fit::new()).unwrap();
}

/// The results within this memory limit.
fn measured_within(memory: u64) -> Logs {
    let mut model = plain();
    model.build_for(&all()).unwrap();
    model.evaluate(stream().memory(memory)).unwrap()
}

/// Truncates a file while a model is trained on it.
struct Cut(PathBuf);

impl Callback for Cut {
    fn on_train_batch_end(&mut self, p: &Progress<'_>, _: &mut Training<'_>) -> Result<()> {
        if p.epoch == 1 && p.batch == 0 {
            let file = fs::OpenOptions::new().write(true).open(&self.0).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length - (5 * WIDTH * 4) as u64).unwrap();
        }
        Ok(())
    }
}

#[test]
fn a_file_that_is_cut_short_meanwhile_is_named_with_its_row() {
    let folder = Folder::new();
    let (x, y) = files(&folder);
    let rows = Stream::new(NpyRows::new(&x, &y).unwrap())
        .unwrap()
        .memory(MEMORY);
    let mut trained = model();
    let fit = in_order().callback(Cut(x.clone()));
    let error = trained.fit(&rows, fit).unwrap_err().to_string();
    let expected = format!("{}, row 998: found the end of the file", x.display());
    assert!(error.starts_with(&expected), "{error}");
    assert!(
        error.ends_with("1003 rows, as its header says: it is cut short"),
        "{error}"
    );
    assert!(weights(&trained).len() > 2);
}

#[test]
fn a_number_that_cannot_be_trained_on_is_named_with_its_row_in_the_file() {
    let folder = Folder::new();
    let (x, y) = files(&folder);
    let mut numbers = all().inputs()[0].to_f32();
    numbers[777 * WIDTH + 2] = f32::NAN;
    write(&x, &[WIDTH], &numbers);
    let rows = Stream::new(NpyRows::new(&x, &y).unwrap())
        .unwrap()
        .memory(MEMORY);
    for fit in [in_order(), Fit::new()] {
        let mut plain = Sequential::new()
            .add(Dense::new(3).activation(Activation::Softmax))
            .compile(SGD::new(), Loss::SparseCategoricalCrossentropy, &[])
            .unwrap();
        let error = plain.fit(&rows, fit).unwrap_err().to_string();
        let expected = format!("{}, row 777, column 2: found NaN", x.display());
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn a_weight_below_nothing_is_named_with_its_row() {
    let folder = Folder::new();
    let (x, y) = files(&folder);
    let w = folder.path("w.npy");
    let mut weights = vec![1.0; ROWS];
    weights[900] = -1.0;
    write(&w, &[], &weights);
    let rows = NpyRows::new(&x, &y).unwrap().with_sample_weight(&w);
    let rows = Stream::new(rows.unwrap()).unwrap().memory(MEMORY);
    let error = plain().fit(&rows, Fit::new()).unwrap_err().to_string();
    let expected = format!("{}, row 900: found -1", w.display());
    assert!(error.starts_with(&expected), "{error}");
}

fn npy(path: &Path, header: &str, numbers: &[u8]) {
    let mut file = fs::File::create(path).unwrap();
    file.write_all(b"\x93NUMPY\x01\x00").unwrap();
    file.write_all(&(header.len() as u16).to_le_bytes())
        .unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.write_all(numbers).unwrap();
}

#[test]
fn columns_one_after_the_other_are_read_as_rows() {
    let folder = Folder::new();
    let (x, y) = files(&folder);
    let fortran = folder.path("fortran.npy");
    // As NumPy writes `to_numpy()` of a pandas frame.
    let columns = (0..WIDTH).flat_map(|column| (0..ROWS).map(move |row| number(row, column)));
    let bytes: Vec<u8> = columns.flat_map(f32::to_le_bytes).collect();
    let header = "{'descr': '<f4', 'fortran_order': True, 'shape': (1003, 7)}";
    npy(&fortran, header, &bytes);
    let read = |x: &Path, rows| {
        let read = NpyRows::new(x, &y).unwrap().read(rows).unwrap();
        (read.inputs()[0].to_f32(), read.targets()[0].to_f32())
    };
    for rows in [0..ROWS, 0..1, 500..637, ROWS - 1..ROWS, 9..9] {
        assert_eq!(read(&fortran, rows.clone()), read(&x, rows));
    }
    let whole = gradus::data::read_npy(&fortran).unwrap();
    assert_eq!(whole.to_f32(), all().inputs()[0].to_f32());
}

#[test]
fn hostile_headers_are_refused() {
    let folder = Folder::new();
    let (_, y) = files(&folder);
    let x = folder.path("hostile.npy");
    for (header, length, problem) in [
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1003, 7)}",
            28083,
            "cut short",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1003, 7)}",
            28085,
            "goes on after",
        ),
        (
            "{'descr': '<f4', 'fortran_order': True, 'shape': (1003, 7)}",
            28083,
            "cut short",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
            4,
            "rows in the first",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1003, 0)}",
            0,
            "hold no numbers",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1002, 7)}",
            28056,
            "expected 1002 as in",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 8)}",
            64,
            "more than there can be",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296)}",
            64,
            "more than there can be",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296, 4294967296)}",
            0,
            "more than there can be",
        ),
        (
            "{'descr': '|O', 'fortran_order': False, 'shape': (1003,)}",
            8024,
            "Python objects",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 7)}",
            0,
            "rows",
        ),
    ] {
        npy(&x, header, &vec![0; length]);
        let error = NpyRows::new(&x, &y).unwrap_err();
        assert!(error.is_users_mistake());
        assert!(error.to_string().contains(problem), "{header}: {error}");
    }
    let error = NpyRows::new(folder.path("x.npz"), &y).unwrap_err();
    assert!(error.to_string().contains("read as a whole"), "{error}");
}

/// Rows that fail after some time.
struct Wrong(fn(Range<usize>) -> Result<Dataset>);

impl Rows for Wrong {
    fn rows(&self) -> usize {
        ROWS
    }

    fn read(&mut self, rows: Range<usize>) -> Result<Dataset> {
        match rows.start < 500 {
            true => Made::default().read(rows),
            false => (self.0)(rows),
        }
    }
}

#[test]
fn rows_of_the_users_own_that_go_wrong_are_errors() {
    fn made(rows: Range<usize>) -> Dataset {
        Made::default().read(rows).unwrap()
    }
    type Read = fn(Range<usize>) -> Result<Dataset>;
    let wrong: [(Read, &str); 5] = [
        (
            |_| Err(Error::invalid("database", "nothing", "an answer")),
            "database: found nothing",
        ),
        (|rows| Ok(made(rows.start..rows.end - 1)), "asked for"),
        (
            |rows| {
                let (n, x) = (rows.len(), vec![0; rows.len() * WIDTH]);
                let y = Tensor::from_column(vec![0.0; n])?;
                Dataset::new(Tensor::from_u8([WIDTH], x)?, y)
            },
            "found bytes of shape",
        ),
        (|rows| Ok(made(rows).without_targets()), "0 targets"),
        (
            |rows| {
                let y = Tensor::from_column(vec![3.0; rows.len()])?;
                Dataset::new(made(rows).inputs()[0].clone(), y)
            },
            "row 5",
        ),
    ];
    for (read, problem) in wrong {
        let rows = Stream::new(Wrong(read)).unwrap().memory(MEMORY);
        let mut plain = Sequential::new()
            .add(Dense::new(3).activation(Activation::Softmax))
            .compile(SGD::new(), Loss::SparseCategoricalCrossentropy, &[])
            .unwrap();
        let error = plain.fit(&rows, in_order()).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
#[should_panic(expected = "the user's own")]
fn a_panic_of_the_users_own_is_theirs() {
    let rows = Wrong(|_| panic!("the user's own"));
    let rows = Stream::new(rows).unwrap().memory(MEMORY);
    let _ = model().fit(&rows, in_order());
}

fn batches(count: usize) -> impl Iterator<Item = Result<Dataset>> + Send + 'static {
    (0..count).map(|batch| {
        let start = batch * 32 % 960;
        Made::default().read(start..start + 32)
    })
}

/// Batches of unknown number.
fn unknown(count: usize) -> impl Iterator<Item = Result<Dataset>> + Send + 'static {
    batches(count).filter(|_| true)
}

fn plain() -> Model {
    Sequential::new()
        .seed(1)
        .add(Dense::new(3).activation(Activation::Softmax))
        .compile(
            Adam::new(),
            Loss::SparseCategoricalCrossentropy,
            &[Metric::Accuracy],
        )
        .unwrap()
}

#[test]
fn batches_of_a_generator_are_trained_on_as_they_come() {
    let data = all().slice(0..960).unwrap();
    let (mut here, mut given) = (plain(), plain());
    let in_memory = here.fit(&data, in_order()).unwrap();
    let fit = in_order().steps_per_epoch(30);
    let generated = given
        .fit(Generator::new(unknown(1000)).unwrap(), fit)
        .unwrap();
    assert_eq!(weights(&here), weights(&given));
    assert_eq!(logs(&in_memory), logs(&generated));
    let measured = given
        .evaluate(Generator::new(unknown(30)).unwrap())
        .unwrap();
    let loss = here.evaluate(&data).unwrap().get("loss").unwrap();
    assert!((measured.get("loss").unwrap() - loss).abs() < 1e-6);
}

#[test]
fn a_generator_says_how_long_an_epoch_is_or_is_asked() {
    let history = plain()
        .fit(Generator::new(batches(7)).unwrap(), Fit::new())
        .unwrap();
    assert_eq!(history.epochs.len(), 1);
    for (generator, fit, problem) in [
        (
            Generator::new(unknown(7)),
            Fit::new(),
            "steps_per_epoch: found nothing",
        ),
        (
            Generator::new(batches(7)),
            Fit::new().epochs(2),
            "steps_per_epoch: found nothing",
        ),
        (
            Generator::new(batches(7)),
            Fit::new().steps_per_epoch(0),
            "found 0",
        ),
        (
            Generator::new(batches(7)),
            Fit::new().validation_split(0.1),
            "validation_data",
        ),
        (Generator::new(batches(0)), Fit::new(), "no batch"),
    ] {
        let error = generator.and_then(|g| plain().fit(&g, fit)).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
    let error = plain()
        .fit(all(), Fit::new().steps_per_epoch(3))
        .unwrap_err();
    assert!(
        error.to_string().contains("belongs to a generator"),
        "{error}"
    );
    let error = model()
        .fit(Generator::new(batches(7)).unwrap(), Fit::new())
        .unwrap_err();
    assert!(error.to_string().contains("adapt"), "{error}");
}

#[test]
fn a_generator_that_ends_ends_the_training() {
    // Two epochs of 3 steps, and one step.
    let fit = Fit::new().epochs(5).steps_per_epoch(3);
    let seen = Rc::new(RefCell::new(Vec::new()));
    struct Steps(Rc<RefCell<Vec<usize>>>);
    impl Callback for Steps {
        fn on_train_batch_end(&mut self, p: &Progress<'_>, _: &mut Training<'_>) -> Result<()> {
            self.0.borrow_mut().push(p.epoch);
            Ok(())
        }
    }
    let fit = fit.callback(Steps(seen.clone()));
    let history = plain()
        .fit(Generator::new(unknown(7)).unwrap(), fit)
        .unwrap();
    assert_eq!(*seen.borrow(), [0, 0, 0, 1, 1, 1, 2]);
    assert_eq!(history.epochs.len(), 3);
    // And exactly two.
    let fit = Fit::new().epochs(5).steps_per_epoch(3);
    let history = plain()
        .fit(Generator::new(unknown(6)).unwrap(), fit)
        .unwrap();
    assert_eq!(history.epochs.len(), 2);
}

#[test]
fn batches_unlike_the_first_are_refused() {
    let wide = || {
        let rows = Made::default().read(0..40)?;
        Ok(rows)
    };
    let two = |second: Result<Dataset>| {
        let first = Made::default().read(0..32);
        Generator::new(vec![first, second]).unwrap()
    };
    for (second, problem) in [
        (wide(), "found a batch of 40 rows, expected 1 to 32"),
        (
            Ok(all().slice(0..9).unwrap().without_targets()),
            "0 targets",
        ),
        (Err(Error::invalid("socket", "silence", "rows")), "silence"),
    ] {
        let error = plain().fit(two(second), Fit::new()).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
    // A shorter one is a batch like any other.
    plain()
        .fit(two(Made::default().read(3..4)), Fit::new())
        .unwrap();
}

#[test]
fn scales_are_those_of_rows_in_memory() {
    let data = all();
    let scale = Scale::standard(&data.inputs()[0]);
    assert_eq!(
        stream().standard_scales().unwrap(),
        std::slice::from_ref(&scale)
    );
    let (mut here, mut read) = (plain(), plain());
    let [x, y] = [data.inputs()[0].clone(), data.targets()[0].clone()];
    let scaled = Dataset::new(x.scaled(scale.clone()).unwrap(), y).unwrap();
    here.fit(&scaled, in_order()).unwrap();
    read.fit(stream().scaled(vec![scale]).unwrap(), in_order())
        .unwrap();
    assert_eq!(weights(&here), weights(&read));
}

#[test]
fn the_learning_rate_finder_reads_too() {
    let finder = || LearningRateFinder::new().steps(50).shuffle(false);
    let here = plain().find_learning_rate(all(), finder()).unwrap();
    let read = plain().find_learning_rate(stream(), finder()).unwrap();
    assert_eq!(here, read);
}

#[test]
fn rows_are_cut_out_of_a_stream() {
    let part = stream().slice(100..600).unwrap();
    assert_eq!(part.rows(), 500);
    let (mut here, mut read) = (model(), model());
    here.fit(all().slice(100..600).unwrap(), in_order())
        .unwrap();
    read.fit(&part, in_order()).unwrap();
    assert_eq!(weights(&here), weights(&read));
    assert!(stream().slice(5..5).is_err());
    assert!(stream().slice(5..ROWS + 1).is_err());
    assert!(part.slice(0..501).is_err());
}

#[test]
fn predictions_of_a_stream_are_those_of_rows_in_memory() {
    // Also for a layer that draws anew for each batch of a prediction.
    for noisy in [false, true] {
        let mut model = Sequential::new().seed(3).add(Dense::new(40));
        if noisy {
            model = model.add(gradus::layers::MCDropout::new(0.5));
        }
        let model = model.add(Dense::new(3));
        let mut model = model.build().unwrap();
        model.build_for(&all()).unwrap();
        let predictor = model.predictor().unwrap();
        let expected = predictor.predict(all()).unwrap().to_f32();
        for memory in [2000, 100_000, 10_000_000] {
            let (mut found, mut rows) = (Vec::new(), 0);
            let stream = stream().memory(memory);
            let each = predictor.predict_each(&stream, &mut |block, outputs| {
                rows += block.rows();
                found.extend(outputs[0].to_f32());
                Ok(())
            });
            each.unwrap();
            assert_eq!((rows, &found), (ROWS, &expected), "{noisy} {memory}");
            let at_once = predictor.predict(&stream).unwrap().to_f32();
            assert_eq!(at_once, expected, "{noisy} {memory}");
        }
        let stopped = predictor.predict_each(stream(), &mut |_, _| {
            Err(Error::invalid("disk", "full", "room"))
        });
        assert!(stopped.unwrap_err().to_string().contains("disk"));
    }
    // An error on the way ends it.
    let wrong = Wrong(|_| Err(Error::invalid("database", "nothing", "an answer")));
    let mut model = plain();
    model.build_for(&all()).unwrap();
    let predictor = model.predictor().unwrap();
    let rows = Stream::new(wrong).unwrap().memory(1000);
    let error = predictor.predict_each(&rows, &mut |_, _| Ok(()));
    assert!(error.unwrap_err().to_string().contains("database"));
}
