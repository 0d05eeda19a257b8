//! Keras' strings in place of values, in a program.

use gradus::layers::{Embedding, LayerNormalization, PReLU};
use gradus::prelude::*;
use gradus::rules::constraints::{Constraint, NonNeg};
use gradus::rules::regularizers::Regularizer;

fn rows() -> Dataset {
    let x = (0..40).map(|i| (i * 7 % 11) as f32 / 11.0).collect();
    let y = (0..20).map(|i| (i % 2) as f32).collect();
    Dataset::new(
        Tensor::from_f32([2], x).unwrap(),
        Tensor::from_column(y).unwrap(),
    )
    .unwrap()
}

#[test]
fn a_string_is_the_value_that_it_names() {
    assert_eq!(Activation::from("elu"), Activation::Elu);
    assert_eq!(Initializer::from("he_normal"), Initializer::HeNormal);
    assert_eq!(Regularizer::from("l2"), L2::default().into());
    assert_eq!(Constraint::from("non_neg"), NonNeg {}.into());
    assert_eq!(Loss::from("mse"), Loss::MeanSquaredError);
    assert_eq!(Optimizer::from("adam"), Adam::new().into());
    assert_eq!(Metric::from("accuracy"), Metric::Accuracy);
}

#[test]
fn a_network_of_strings_trains_to_the_same_bits() {
    let weights = |mut model: Model| {
        model.fit(rows(), Fit::new().epochs(2)).unwrap();
        model.get_weights()
    };
    let hidden = |activation: Activation, initializer: Initializer| {
        Sequential::new()
            .seed(1)
            .add(
                Dense::new(9)
                    .activation(activation)
                    .kernel_initializer(initializer),
            )
            .add(Dense::new(1).activation("sigmoid"))
    };
    let words = hidden("elu".into(), "he_normal".into());
    let words = words.compile("nadam", "binary_crossentropy", &["accuracy".into()]);
    let values = hidden(Activation::Elu, Initializer::HeNormal);
    let values = values.compile(Nadam::new(), Loss::BinaryCrossentropy, &[Metric::Accuracy]);
    assert_eq!(weights(words.unwrap()), weights(values.unwrap()));
}

#[test]
fn a_metric_keeps_the_name_that_it_was_given() {
    let model = Sequential::new().add(Dense::new(1));
    let model = model.compile("sgd", "mse", &["mae".into(), Metric::MeanAbsoluteError]);
    assert_eq!(
        model.unwrap().measurements(),
        ["loss", "mae", "mean_absolute_error"]
    );
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest() {
    let layers: [(Layer, &str, &str); 8] = [
        (Dense::new(3).activation("eluu").into(), "activation", "elu"),
        (
            Dense::new(3).kernel_initializer("he_norml").into(),
            "kernel_initializer",
            "he_normal",
        ),
        (
            Dense::new(3).bias_regularizer("l3").into(),
            "bias_regularizer",
            "l1",
        ),
        (
            Dense::new(3).kernel_constraint("maxnorm").into(),
            "kernel_constraint",
            "max_norm",
        ),
        (layers::Activation::new("relo").into(), "activation", "relu"),
        (
            BatchNormalization::new().beta_initializer("zeross").into(),
            "beta_initializer",
            "zeros",
        ),
        (
            LayerNormalization::new()
                .gamma_constraint("non_negg")
                .into(),
            "gamma_constraint",
            "non_neg",
        ),
        (
            PReLU::new().alpha_regularizer("l22").into(),
            "alpha_regularizer",
            "l2",
        ),
    ];
    for (layer, key, nearest) in layers {
        let name = format!("{layer:?}");
        let model = Sequential::new().add(layer).add(Dense::new(1));
        let error = model.compile("sgd", "mse", &[]).unwrap_err().to_string();
        assert!(error.contains(key), "{name}: {error}");
        assert!(error.contains(&format!("`{nearest}`")), "{name}: {error}");
    }
    let embedding = Embedding::new(5, 3).embeddings_initializer("unform");
    let model = Sequential::new().add(embedding);
    let error = model.compile("sgd", "mse", &[]).unwrap_err().to_string();
    assert!(error.contains("`uniform`"), "{error}");

    let model = || Sequential::new().add(Dense::new(1));
    let refused = |error: gradus::Error, nearest: &str| {
        let error = error.to_string();
        assert!(error.contains(&format!("`{nearest}`")), "{error}");
    };
    refused(model().compile("adm", "mse", &[]).unwrap_err(), "adam");
    refused(model().compile("adam", "mze", &[]).unwrap_err(), "mse");
    let metrics = ["acuracy".into()];
    let error = model().compile("adam", "mse", &metrics).unwrap_err();
    refused(error, "accuracy");
}

#[test]
fn an_unknown_name_is_kept_where_it_is_written() {
    let layer = Layer::from(Dense::new(3).activation("eluu"));
    assert_eq!(layer.to_config()["activation"]["type"], "eluu");
}
