//! Tests of pretraining through its public API: the layers keep what they learned without labels,
//! and nothing else has changed.

use gradus::prelude::*;
use gradus::train::{Autoencoder, MaskedFeatures, Rbm, Siamese};

/// Rows of eight values from two factors, and noise: a code of two is enough.
fn rows(count: usize) -> Tensor {
    let mut state = 9_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut values = Vec::new();
    for _ in 0..count {
        let (a, b) = (next(), next());
        for i in 0..8 {
            let angle = i as f32;
            values.push(a * angle.cos() + b * angle.sin() + 0.01 * next());
        }
    }
    Tensor::from_f32([8], values).unwrap()
}

fn network() -> Model {
    Sequential::new()
        .seed(4)
        .add_named("first", Dense::new(6).activation(Activation::Tanh), true)
        .add_named("code", Dense::new(2).activation(Activation::Tanh), false)
        .add_named("head", Dense::new(3).activation(Activation::Softmax), true)
        .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[])
        .unwrap()
}

fn weights(model: &Model, layer: &str) -> Vec<f32> {
    model.layer(layer).unwrap().weights[0].values.clone()
}

fn built() -> Model {
    let mut model = network();
    model.build(&[[8].into()]).unwrap();
    model
}

#[test]
fn an_autoencoder_learns_in_the_encoder_and_leaves_the_head() {
    let data = Dataset::unlabelled(rows(512));
    for task in [
        Autoencoder::new(),
        Autoencoder::new().noise(0.05),
        Autoencoder::new().dropout(0.1),
        Autoencoder::new().sparsity(1e-3),
        Autoencoder::new().greedy(true),
        Autoencoder::new().tied(true),
        Autoencoder::new().tied(true).greedy(true).dropout(0.1),
    ] {
        let mut model = network();
        let histories = task.clone().epochs(15).pretrain(&mut model, &data).unwrap();
        assert_eq!(histories.len(), if task.greedy { 2 } else { 1 });
        for history in &histories {
            let losses = history.get("loss");
            assert_eq!(losses.len(), 15);
            // A variance of about 1/3: 15 epochs explain most of it.
            assert!(losses[14] < 0.6 * losses[0], "{task:?}: {losses:?}");
        }
        let fresh = built();
        assert_ne!(weights(&model, "first"), weights(&fresh, "first"));
        assert_ne!(weights(&model, "code"), weights(&fresh, "code"));
        assert_eq!(weights(&model, "head"), weights(&fresh, "head"));
        // Frozen layers stay frozen, names are kept, and the model stays compiled.
        assert!(!model.layer("code").unwrap().trainable);
        assert_eq!((model.layers.len(), model.inputs.len()), (3, 1));
        let y = Tensor::from_column((0..512).map(|i| (i % 3) as f32).collect()).unwrap();
        let labelled = Dataset::new(rows(512), y).unwrap();
        model.fit(&labelled, Fit::new()).unwrap();
    }
}

/// The code of two values must carry the two factors: a linear layer on it reconstructs the row
/// better than one on the untrained code.
#[test]
fn the_code_says_what_the_input_was() {
    let data = Dataset::unlabelled(rows(512));
    let error = |model: &Model| {
        let chain =
            Sequential::new()
                .input([8])
                .add_named("first", model.layers[0].rule.clone(), true);
        let mut code = chain
            .add_named("code", model.layers[1].rule.clone(), true)
            .build()
            .unwrap();
        for i in 0..2 {
            code.layers[i].weights = model.layers[i].weights.clone();
        }
        let codes = code.predict(&data).unwrap();
        let linear = Sequential::new().input([2]).add(Dense::new(8));
        let optimizer = Nadam::new().learning_rate(0.05);
        let mut linear = linear
            .compile(optimizer, Loss::MeanSquaredError, &[])
            .unwrap();
        let pairs = Dataset::new(codes, rows(512)).unwrap();
        linear
            .fit(&pairs, Fit::new().epochs(20))
            .unwrap()
            .last("loss")
            .unwrap()
    };
    let mut model = built();
    let before = error(&model);
    let task = Autoencoder::new()
        .epochs(30)
        .optimizer(Nadam::new().learning_rate(0.01));
    task.pretrain(&mut model, &data).unwrap();
    let after = error(&model);
    assert!(after < 0.3 * before, "{before} {after}");
}

#[test]
fn hidden_features_are_told_from_the_others() {
    let data = Dataset::unlabelled(rows(512));
    let mut model = network();
    let task = MaskedFeatures::new().rate(0.25).epochs(30);
    let task = task.optimizer(Nadam::new().learning_rate(0.01));
    let histories = task.pretrain(&mut model, &data).unwrap();
    let losses = histories[0].get("loss");
    assert_eq!(losses.len(), 30);
    // Always predicting 0 costs the variance, 1/3: only masked values count in the loss.
    assert!(losses[0] > 0.2, "{losses:?}");
    assert!(losses[29] < 0.4 * losses[0], "{losses:?}");
    let fresh = built();
    assert_ne!(weights(&model, "first"), weights(&fresh, "first"));
    assert_eq!(weights(&model, "head"), weights(&fresh, "head"));
    // The same seed gives the same result.
    let mut again = network();
    task.pretrain(&mut again, &data).unwrap();
    assert_eq!(again, model);
}

/// Four classes by the signs of the two factors: a Siamese network maps those of one class near
/// each other, and with noise alone at least each row's versions.
#[test]
fn like_rows_come_near_and_others_go_far() {
    let x = rows(512);
    let label = |row: &[f32]| f32::from(row[0] > 0.0) + 2.0 * f32::from(row[2] > 0.0);
    let labels: Vec<f32> = x.to_f32().chunks(8).map(label).collect();
    let data = Dataset::new(x, Tensor::from_column(labels.clone()).unwrap()).unwrap();
    // The mean distance of different rows over that of similar ones.
    let contrast = |model: &Model| {
        let chain =
            Sequential::new()
                .input([8])
                .add_named("first", model.layers[0].rule.clone(), true);
        let mut code = chain
            .add_named("code", model.layers[1].rule.clone(), true)
            .build()
            .unwrap();
        for i in 0..2 {
            code.layers[i].weights = model.layers[i].weights.clone();
        }
        let codes = code
            .predict(data.clone().without_targets())
            .unwrap()
            .to_f32();
        let (mut sums, mut counts) = ([0.0_f64; 2], [0.0; 2]);
        for a in 0..100 {
            for b in 0..a {
                let (p, q) = (&codes[2 * a..2 * a + 2], &codes[2 * b..2 * b + 2]);
                let distance = (p[0] - q[0]).hypot(p[1] - q[1]);
                let like = usize::from(labels[a] == labels[b]);
                sums[like] += f64::from(distance);
                counts[like] += 1.0;
            }
        }
        (sums[0] / counts[0]) / (sums[1] / counts[1])
    };
    let before = contrast(&built());
    for task in [Siamese::new(), Siamese::new().triplets(true)] {
        let mut model = network();
        let task = task.epochs(20).optimizer(Nadam::new().learning_rate(0.01));
        let histories = task.pretrain(&mut model, &data).unwrap();
        let losses = histories[0].get("loss");
        assert!(losses[19] < 0.6 * losses[0], "{losses:?}");
        let after = contrast(&model);
        assert!(after > 1.5 * before, "{task:?}: {before} {after}");
        assert_eq!(weights(&model, "head"), weights(&built(), "head"));
        let mut again = network();
        task.pretrain(&mut again, &data).unwrap();
        assert_eq!(again, model);
    }
    // Without labels it needs noise.
    let unlabelled = data.clone().without_targets();
    let told = Siamese::new()
        .pretrain(&mut network(), &unlabelled)
        .unwrap_err();
    assert!(
        told.to_string()
            .contains("one class number a row, or `noise`"),
        "{told}"
    );
    let mut model = network();
    let task = Siamese::new().noise(0.1).epochs(10);
    let losses = task.pretrain(&mut model, &unlabelled).unwrap()[0].get("loss");
    assert!(losses[9] < 0.8 * losses[0], "{losses:?}");
    assert_ne!(weights(&model, "code"), weights(&built(), "code"));
}

/// Two augmented versions of an image are similar; the encoder then helps with few labels.
#[test]
fn versions_of_an_image_come_near_and_the_encoder_is_reused() {
    use layers::{FillMode, RandomRotation, RandomTranslation, Reshape};
    let digits = gradus::data::digits(Split::Train).unwrap();
    let unlabelled = digits.clone().without_targets();
    let augment = || -> [Layer; 2] {
        [
            RandomTranslation::new(0.1, 0.1)
                .fill_mode(FillMode::Constant)
                .into(),
            RandomRotation::new(0.03).into(),
        ]
    };
    let network = || {
        Sequential::new()
            .seed(4)
            .add(Flatten::new())
            .add_named("code", Dense::new(40).activation(Activation::Elu), true)
            .add_named("head", Dense::new(10).activation(Activation::Softmax), true)
            .compile(
                Nadam::new(),
                Loss::SparseCategoricalCrossentropy,
                &[Metric::Accuracy],
            )
            .unwrap()
    };
    for triplets in [false, true] {
        let mut model = network();
        let task = Siamese::new()
            .augment(augment())
            .triplets(triplets)
            .epochs(6);
        let losses = task.pretrain(&mut model, &unlabelled).unwrap()[0].get("loss");
        assert!(losses[5] < 0.8 * losses[0], "{losses:?}");
        let mut again = network();
        task.pretrain(&mut again, &unlabelled).unwrap();
        assert_eq!(again, model);
        let few = digits.slice(0..100).unwrap();
        let history = model.fit(&few, Fit::new().epochs(40)).unwrap();
        assert!(history.last("accuracy").unwrap() > 0.9, "{history:?}");
    }
    // A row of one axis is no image, which is an error.
    let flat = Dataset::unlabelled(digits.inputs()[0].clone().reshaped([64]).unwrap());
    let told = Siamese::new()
        .augment(augment())
        .pretrain(&mut network(), &flat);
    let told = told.unwrap_err().to_string();
    assert!(told.contains("(height, width, channels)"), "{told}");
    // The user's own layers around it make it an image.
    let [moved, turned] = augment();
    let around = [
        Reshape::new([8, 8, 1]).into(),
        moved,
        turned,
        Reshape::new([64]).into(),
    ];
    let task = Siamese::new().augment(around).epochs(1);
    task.pretrain(&mut network(), &flat).unwrap();
}

#[test]
fn only_the_layers_that_were_named_are_pretrained() {
    let data = Dataset::unlabelled(rows(64));
    let mut model = network();
    Autoencoder::new()
        .until("first")
        .epochs(1)
        .pretrain(&mut model, &data)
        .unwrap();
    let fresh = built();
    assert_ne!(weights(&model, "first"), weights(&fresh, "first"));
    assert_eq!(weights(&model, "code"), weights(&fresh, "code"));
}

#[test]
fn what_cannot_be_pretrained_is_told() {
    let data = Dataset::unlabelled(rows(8));
    let problem = |task: Autoencoder, model: &mut Model| {
        task.epochs(1)
            .pretrain(model, &data)
            .unwrap_err()
            .to_string()
    };
    let told = problem(Autoencoder::new().until("frist"), &mut network());
    assert!(
        told.contains("unknown layer `frist`; did you mean `first`?"),
        "{told}"
    );
    let told = problem(Autoencoder::new().dropout(1.5), &mut network());
    assert!(told.contains("1.5"), "{told}");
    let mut one = Sequential::new().add(Dense::new(2)).build().unwrap();
    let told = problem(Autoencoder::new(), &mut one);
    assert!(told.contains("at least one Dense layer"), "{told}");
    let told = MaskedFeatures::new()
        .rate(1.0)
        .pretrain(&mut network(), &data);
    assert!(
        told.unwrap_err()
            .to_string()
            .contains("pretrain.rate: found 1")
    );
    let mut graph = Functional::new();
    let x = graph.input([8]);
    let (one, other) = (Dense::new(2), Dense::new(2));
    let (one, other) = (graph.layer(one, x).unwrap(), graph.layer(other, x).unwrap());
    let y = graph.layer(layers::Add::new(), [one, other]).unwrap();
    let told = problem(Autoencoder::new(), &mut graph.model([y]).unwrap());
    assert!(told.contains("expected a chain of layers"), "{told}");
}

/// Rows of one of two patterns, each bit turned with a chance of one in ten.
fn patterns(count: usize) -> Dataset {
    let mut state = 3_u64;
    let mut bits = Vec::new();
    for row in 0..count {
        for place in 0..12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let turned = (state >> 40).is_multiple_of(10);
            let on = (place < 6) == (row % 2 == 0);
            bits.push(f32::from(u8::from(on != turned)));
        }
    }
    Dataset::unlabelled(Tensor::from_f32([12], bits).unwrap())
}

fn sigmoids() -> Sequential {
    let sigmoid = |units| Dense::new(units).activation(Activation::Sigmoid);
    Sequential::new()
        .seed(4)
        .input([12])
        .add_named("first", sigmoid(8), true)
        .add(Dropout::new(0.2))
        .add_named("code", sigmoid(2), true)
        .add_named("head", Dense::new(2).activation(Activation::Softmax), true)
}

#[test]
fn a_stack_of_rbms_learns_which_units_are_on_together() {
    let (data, task) = (patterns(400), Rbm::new().epochs(30));
    for task in [task.clone(), task.clone().k(3), task.batch_size(7)] {
        let mut model = sigmoids().build().unwrap();
        let before = model.clone();
        let histories = task.pretrain(&mut model, &data).unwrap();
        assert_eq!(histories.len(), 2);
        // Less is left of the bits' variance, 0.25, than that of the turned ones, 0.09.
        let losses = histories[0].get("loss");
        assert!(losses.len() == 30 && losses[0] > 0.12, "{losses:?}");
        assert!(losses[29] < 0.09, "{losses:?}");
        // The code tells the patterns apart.
        let codes = model.up_to(&["code"]).unwrap().predict(&data).unwrap();
        let codes = codes.to_f32();
        let mean = |odd: usize| {
            let of_pattern = codes.chunks(2).skip(odd).step_by(2);
            of_pattern.map(|code| code[0]).sum::<f32>() / 200.0
        };
        assert!((mean(0) - mean(1)).abs() > 0.3, "{} {}", mean(0), mean(1));
        assert_ne!(weights(&model, "first"), weights(&before, "first"));
        assert_eq!(weights(&model, "head"), weights(&before, "head"));
        let mut again = sigmoids().build().unwrap();
        task.pretrain(&mut again, &data).unwrap();
        assert_eq!(weights(&model, "code"), weights(&again, "code"));
    }
    let mut model = sigmoids().build().unwrap();
    let task = Rbm::new().until("first").epochs(1);
    assert_eq!(task.pretrain(&mut model, &data).unwrap().len(), 1);
}

#[test]
fn an_rbm_refuses_what_has_no_probabilities() {
    let data = patterns(40);
    let refused = |task: &Rbm, mut model: Model, data: &Dataset| {
        task.pretrain(&mut model, data).unwrap_err().to_string()
    };
    let dense = |activation| Dense::new(4).activation(activation);
    let head = Dense::new(2).activation(Activation::Softmax);
    let elu = Sequential::new()
        .add(dense(Activation::Elu))
        .add(head.clone());
    let message = refused(&Rbm::new(), elu.build().unwrap(), &data);
    let expected = "layer dense: activation: found Elu, expected sigmoid";
    assert!(message.starts_with(expected), "{message}");
    let bare = dense(Activation::Sigmoid).use_bias(false);
    let bare = Sequential::new().add(bare).add(head);
    let message = refused(&Rbm::new(), bare.build().unwrap(), &data);
    assert!(message.starts_with("layer dense: use_bias"), "{message}");
    let beyond = Tensor::from_f32([12], vec![1.5; 24]).unwrap();
    let model = || sigmoids().build().unwrap();
    let message = refused(&Rbm::new(), model(), &Dataset::unlabelled(beyond));
    let expected = "layer first: its inputs: found 1.5, expected numbers from 0 to 1";
    assert!(message.starts_with(expected), "{message}");
    for (task, key) in [
        (Rbm::new().learning_rate(0.0), "pretrain.learning_rate"),
        (Rbm::new().learning_rate(f64::NAN), "pretrain.learning_rate"),
        (Rbm::new().momentum(1.0), "pretrain.momentum"),
        (Rbm::new().weight_decay(-0.1), "pretrain.weight_decay"),
        (Rbm::new().k(0), "pretrain.k"),
    ] {
        let message = refused(&task, model(), &data);
        assert!(message.starts_with(key), "{message}");
    }
    let wild = Rbm::new().learning_rate(1e30).epochs(3);
    let message = refused(&wild, model(), &data);
    assert!(message.contains("layer first"), "{message}");
}
