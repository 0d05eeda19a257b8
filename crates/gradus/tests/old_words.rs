//! Words of Keras 1 and 2, PyTorch and scikit-learn: the error says what to write, the same for a
//! configuration, an override and a program; and what it says is taken.

use gradus::experiment::{Experiment, Value};
use gradus::prelude::*;
use gradus::rules::optimizers::Optimizer;

/// The message of a configuration with these lines beside those that it needs.
fn said(lines: &str) -> Result<(), String> {
    let mut text = String::new();
    for (key, line) in [
        ("data.dataset", "data.dataset = \"digits\""),
        (
            "model.layers",
            "model.layers = [{ type = \"Flatten\" }, { type = \"Dense\", units = 10, activation = \"softmax\" }]",
        ),
        (
            "train.loss",
            "train.loss = \"sparse_categorical_crossentropy\"",
        ),
        ("train.optimizer", "train.optimizer = \"sgd\""),
    ] {
        if !lines.contains(key) {
            text += &format!("{line}\n");
        }
    }
    // Keys at the top come first.
    let text = format!("{lines}\n{text}");
    let experiment = Experiment::from_toml(&text).map_err(|e| format!("{text}: {e}"))?;
    experiment
        .check(|_| Ok(()))
        .map(drop)
        .map_err(|e| e.to_string())
}

#[rustfmt::skip]
const OLD: &[(&str, &str, &str)] = &[
    ("train.optimizer = { type = \"SGD\", decay = 1e-4 }", "learning_rate = { type = \"InverseTimeDecay\", initial_learning_rate = 0.01, decay_steps = 1, decay_rate = 0.0001 }",
        "train.optimizer = { type = \"SGD\", learning_rate = { type = \"InverseTimeDecay\", initial_learning_rate = 0.01, decay_steps = 1, decay_rate = 0.0001 } }"),
    ("train.optimizer = { type = \"Adam\", learning_rate = 0.02, decay = 0.5 }", "initial_learning_rate = 0.02, decay_steps = 1, decay_rate = 0.5", ""),
    ("train.optimizer = { type = \"SGD\", lr = 0.02 }", "write `learning_rate = 0.02`", "train.optimizer = { type = \"SGD\", learning_rate = 0.02 }"),
    ("train.optimizer = { type = \"Adam\", momentum = 0.8 }", "`beta_1 = 0.8`", "train.optimizer = { type = \"Adam\", beta_1 = 0.8 }"),
    ("train.optimizer = { type = \"Adam\", eps = 1e-6 }", "`epsilon = 1e-6`", "train.optimizer = { type = \"Adam\", epsilon = 1e-6 }"),
    ("train.optimizer = { type = \"SGD\", epsilon = 1e-6 }", "leave it out", ""),
    ("train.optimizer = { type = \"RMSprop\", alpha = 0.9 }", "`rho = 0.9`", "train.optimizer = { type = \"RMSprop\", rho = 0.9 }"),
    ("model.layers = [{ type = \"Flatten\" }, { type = \"LeakyReLU\", alpha = 0.2 }]", "`negative_slope = 0.2`", ""),
    ("model.layers = [{ type = \"Flatten\", input_shape = [8, 8] }]", "shapes come from the data; or begin with `{ type = \"Input\", shape = [8, 8] }`", ""),
    ("model.layers = [{ type = \"Flatten\", batch_input_shape = [32, 8, 8] }]", "without the batch", ""),
    ("model.layers = [{ type = \"Dense\", units = 3, input_dim = 8 }]", "`{ type = \"Input\", shape = [8] }`", ""),
    ("model.layers = [{ type = \"Dropout\", p = 0.5 }]", "`rate = 0.5`", ""),
    ("model.layers = [{ type = \"Dense\", units = 3, kernel_initializer = \"kaiming_normal\" }]", "did you mean `he_normal`?", ""),
    ("model.layers = [{ type = \"Dense\", units = 3, activation = \"logistic\" }]", "did you mean `sigmoid`?", ""),
    ("model.layers = [{ type = \"Dense\", units = 3, kernel_regularizer = { type = \"L2\", l = 0.1 } }]", "`l2 = 0.1`", ""),
    ("model.layers = [{ type = \"Linear\", units = 3 }]", "did you mean `Dense`?", ""),
    ("train.loss = \"CrossEntropyLoss\"", "did you mean `sparse_categorical_crossentropy`?", ""),
    ("train.validation_split = 0.1", "`data.validation = { fraction = 0.1 }`", "data.validation = { fraction = 0.1 }"),
    ("train.lr = 0.1", "`train.learning_rate = 0.1`", "train.learning_rate = 0.1"),
    ("train.nb_epoch = 3", "`epochs = 3`", "train.epochs = 3"),
    ("train.batch = 16", "`batch_size = 16`", "train.batch_size = 16"),
    ("train.patience = 3", "`callbacks.early_stopping = { patience = 3 }`", "data.validation = { first = 50 }\ncallbacks.early_stopping = { patience = 3 }"),
    ("callbacks.monitor = \"val_loss\"", "`callbacks.early_stopping = { monitor = \"val_loss\" }`", ""),
    ("callbacks.checkpoint = { keep = 3 }", "beside `[callbacks]`", "checkpoint = { keep = 3 }"),
    ("callbacks.reduce_lr_on_plateau = { epsilon = 0.1 }", "`min_delta = 0.1`", ""),
    ("data.epochs = 3", "`train.epochs = 3`", "train.epochs = 3"),
    ("data.batch = 3", "`train.batch_size = 3`", "train.batch_size = 3"),
    ("epochs = 3", "`train.epochs = 3`", "train.epochs = 3"),
    ("random_state = 3", "`seed = 3`", "seed = 3"),
    ("train.schedule = { type = \"OneCycle\", max_lr = 0.1 }", "`max_rate = 0.1`", "train.schedule = { type = \"OneCycle\", max_rate = 0.1 }"),
];

#[test]
fn an_old_word_has_its_successor_in_the_message() {
    for (lines, words, right) in OLD {
        let message = said(lines).expect_err(lines);
        assert!(message.contains(words), "{lines}: {message}");
        if !right.is_empty() {
            assert_eq!(said(right), Ok(()), "{right}");
        }
    }
    assert_eq!(
        said(
            "model.layers = [{ type = \"Flatten\" }, { type = \"ELU\", alpha = 0.5 }, { type = \"Dense\", units = 10 }]"
        ),
        Ok(())
    );
}

#[test]
fn overrides_and_programs_say_the_same() {
    let experiment = Experiment::built_in().unwrap();
    let experiment = experiment.set("train.validation_split=0.1").unwrap();
    let message = experiment.check(|_| Ok(())).unwrap_err().to_string();
    assert!(
        message.contains("--set") && message.contains("{ fraction = 0.1 }"),
        "{message}"
    );

    let config: Value = serde_json::from_str(r#"{ "type": "LeakyReLU", "alpha": 0.3 }"#).unwrap();
    let message = Layer::from_config("", &config).unwrap_err().to_string();
    assert_eq!(message, "unknown key `alpha`; write `negative_slope = 0.3`");
    let config: Value = serde_json::from_str(r#"{ "type": "Nadam", "lr": 0.3 }"#).unwrap();
    let message = Optimizer::from_config("o", &config)
        .unwrap_err()
        .to_string();
    assert_eq!(message, "o: unknown key `lr`; write `learning_rate = 0.3`");
}
