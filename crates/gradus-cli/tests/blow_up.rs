//! Tests of a loss that becomes NaN or infinite, and of models with such weights.

mod common;

use common::{Place, SMALL};

const BLOW: [&str; 2] = [
    "--set",
    "train.optimizer={type=\"SGD\", learning_rate=1e30}",
];

/// The small configuration.
fn place() -> Place {
    let place = Place::new();
    place.write("c.toml", SMALL);
    place
}

fn train<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "c.toml", "--out", out], more].concat()
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_the_last_finite_state_stays() {
    let place = place();
    let said = place.run(&train("run", &BLOW));
    assert_eq!(said.code, Some(1), "{}", said.err);
    let has = |text: &str| assert!(said.err.contains(text), "{text}: {}", said.err);
    has("error: epoch 1/4, step ");
    has("the loss is ");
    has("it began in layer `batch_normalization`, which gave inf");
    has("a learning rate below 1e30");
    has("clipnorm");
    has("as it was before the first epoch");
    assert_eq!(said.out, "");
    // The weights are the initializer's: the same as of a run without steps.
    let found = place.ok(&["check", "run/model.keras"]);
    assert!(!found.contains("not finite"), "{found}");
}

/// Four epochs of one column, the third of which has a rate that is far too high.
fn fourth_is_too_much(place: &Place, more: &str) {
    let x: String = (0..64)
        .map(|i| format!("{}\n", f64::from(i) / 32.0 - 1.0))
        .collect();
    place.write("t.csv", format!("a,y\n{}", x.replace('\n', ",1.5\n")));
    place.write(
        "c.toml",
        format!(
            r#"
[data]
table = "t.csv"
target = "y"
columns = {{ y = "number" }}
validation = {{ first = 8 }}
[model]
layers = [{{ type = "Dense", units = 8, activation = "relu" }}, {{ type = "Dense", units = 1 }}]
[train]
loss = "mse"
metrics = ["mae"]
epochs = 6
batch_size = 8
optimizer = {{ type = "SGD", learning_rate = {{ type = "PiecewiseConstantDecay", boundaries = [21], values = [0.001, 1e25] }} }}
{more}
"#
        ),
    );
}

#[test]
fn what_is_kept_is_the_end_of_the_epoch_before() {
    let place = Place::new();
    fourth_is_too_much(&place, "");
    let said = place.run(&train("run", &[]));
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("epoch 4/6, step "), "{}", said.err);
    assert!(said.err.contains("as it was after epoch 3"), "{}", said.err);
    assert_eq!(place.text("run/history.csv").lines().count(), 4);
    // The same as a run that ends there.
    place.ok(&train("three", &["--set", "train.epochs=3"]));
    let measure = |run| place.ok(&["evaluate", run, "--data", "validation", "--json"]);
    assert_eq!(measure("run"), measure("three"));
    // The checkpoint is the same, too: a resumed run breaks at the same step.
    let again = place.run(&train("run", &["--resume"]));
    assert!(
        again.err.contains("resuming after epoch 3"),
        "{}",
        again.err
    );
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("epoch 4/6, step "), "{}", again.err);

    fourth_is_too_much(
        &place,
        "[callbacks]\nearly_stopping = { restore_best_weights = true, patience = 9, \
         monitor = \"val_mae\" }",
    );
    let said = place.run(&train("best", &[]));
    assert!(
        said.err.contains("with the best weights, of epoch "),
        "{}",
        said.err
    );
}

#[test]
fn a_run_may_train_on_and_repeats_so() {
    let place = place();
    let on = ["--set", "train.on_nan=continue", "--quiet"];
    place.ok(&train("run", &[&BLOW[..], &on].concat()));
    assert!(
        place
            .text("run/config.toml")
            .contains("on_nan = \"continue\"")
    );
    let loss = |run: &str| place.text(&format!("{run}/history.csv")).contains("NaN");
    assert!(loss("run"));
    place.ok(&["train", "run/config.toml", "--quiet", "--out", "again"]);
    assert!(loss("again"));

    let more = ["--resume", "--set", "train.epochs=5"];
    let said = place.run(&train("run", &[&BLOW[..], &on[..2], &more].concat()));
    assert!(
        said.err.contains("keras: layer hidden: its kernel"),
        "{}",
        said.err
    );
    // Uses of such a model print a warning.
    let warning = "warning: run/model.keras: layer hidden: its kernel has NaN or infinite";
    let said = place.run(&["evaluate", "run", "--data", "digits:test"]);
    assert!(said.err.contains(warning), "{}", said.err);
    let to = ["--data", "digits:test", "--out", "p.npy"];
    let said = place.run(&[&["predict", "run/model.keras"], &to[..]].concat());
    assert!(said.err.contains(warning), "{}", said.err);
    // It is refused for training, unless that is requested.
    let file = ["--set", "model={file=\"run/model.keras\"}"];
    let message = place.mistake(&train("b", &file));
    assert!(
        message.contains("layer hidden: its kernel has NaN"),
        "{message}"
    );

    let message = place.mistake(&train("b", &["--set", "train.on_nan=stay"]));
    assert!(
        message.contains("found `stay`, expected \"stop\" or"),
        "{message}"
    );
}
