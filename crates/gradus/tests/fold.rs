//! Folding: the same predictions from fewer layers.

use gradus::optimize::{Folding, fold};
use gradus::prelude::*;

fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(next).collect()
}

/// Rows of that shape, and a model's weights drawn anew, variances above 0.
fn drawn(model: &mut Model, shape: &[usize]) -> Tensor {
    for (n, weight) in model
        .layers
        .iter_mut()
        .flat_map(|l| &mut l.weights)
        .enumerate()
    {
        let mut values = numbers(weight.values.len(), n as u32 + 1);
        if weight.name.contains("variance") {
            values.iter_mut().for_each(|x| *x = x.abs() + 0.1);
        }
        if weight.name == "count" {
            values.fill(0.0);
        }
        weight.set(&values).unwrap();
    }
    let size: usize = shape.iter().product();
    Tensor::from_f32(shape.to_vec(), numbers(size * 20, 99)).unwrap()
}

/// Folds, compares, and returns the layers that are left and those that are not.
fn folded(mut model: Model, shape: &[usize]) -> (Vec<String>, Vec<(String, Folding)>) {
    let rows = drawn(&mut model, shape);
    let (small, gone) = fold(&model).unwrap();
    let (before, after) = (model.predict(&rows).unwrap(), small.predict(&rows).unwrap());
    let largest = before.to_f32().iter().fold(0.0f32, |a, x| a.max(x.abs()));
    for (x, y) in before.to_f32().iter().zip(after.to_f32()) {
        assert!((x - y).abs() <= 1e-5 * largest, "{x} {y}");
    }
    // As any other model it goes through a file.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.keras");
    small.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    assert_eq!(loaded.predict(&rows).unwrap(), after);
    let names = small
        .layers
        .iter()
        .map(|layer| layer.name.clone())
        .collect();
    (
        names,
        gone.into_iter().map(|of| (of.layer, of.how)).collect(),
    )
}

fn into(layers: &[&str]) -> Folding {
    Folding::Into(layers.iter().map(|&layer| layer.to_owned()).collect())
}

#[test]
fn normalization_goes_into_the_convolution_before() {
    let model = Sequential::new()
        .input([6, 5, 2])
        .add(layers::Conv2D::new(5, 3).use_bias(false))
        .add(BatchNormalization::new())
        .add(layers::Activation::new("elu"))
        .add(
            layers::DepthwiseConv2D::new(2)
                .depth_multiplier(2)
                .use_bias(false),
        )
        .add(BatchNormalization::new().center(false))
        .add(layers::SeparableConv2D::new(4, 2).padding(layers::Padding::Same))
        .add(layers::SpatialDropout2D::new(0.2))
        .add(BatchNormalization::new())
        // Its own function is between.
        .add(layers::Conv2D::new(3, 1).activation("relu"))
        .add(BatchNormalization::new())
        .add(layers::Conv2D::new(3, [1, 2]))
        // Of each pixel its own.
        .add(BatchNormalization::new().axis(1));
    let (left, gone) = folded(model.build().unwrap(), &[6, 5, 2]);
    assert_eq!(
        left,
        [
            "conv2d",
            "activation",
            "depthwise_conv2d",
            "separable_conv2d",
            "conv2d_1",
            "batch_normalization_3",
            "conv2d_2",
            "batch_normalization_4"
        ]
    );
    let named = |name: &str, how| (name.to_owned(), how);
    assert_eq!(
        gone,
        [
            named("batch_normalization", into(&["conv2d"])),
            named("batch_normalization_1", into(&["depthwise_conv2d"])),
            named("spatial_dropout2d", Folding::Removed),
            named("batch_normalization_2", into(&["separable_conv2d"])),
        ]
    );
}

#[test]
fn normalization_goes_into_the_dense_layer_before_or_behind() {
    let model = Sequential::new()
        .input([3, 4])
        .add(layers::Rescaling::new(0.5).offset(-1.0))
        .add(layers::Normalization::new())
        .add(Flatten::new())
        .add(Dense::new(7).use_bias(false))
        .add(BatchNormalization::new())
        .add(layers::Activation::new("elu"))
        .add(Dropout::new(0.3))
        .add(Dense::new(6).activation("relu"))
        .add(BatchNormalization::new().scale(false))
        .add(layers::GaussianNoise::new(0.1))
        .add(Dense::new(2).activation("softmax"))
        .build()
        .unwrap();
    let (left, gone) = folded(model, &[3, 4]);
    assert_eq!(
        left,
        ["flatten", "dense", "activation", "dense_1", "dense_2"]
    );
    let mut gone = gone;
    gone.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("batch_normalization", into(&["dense"])),
        ("batch_normalization_1", into(&["dense_2"])),
        ("dropout", Folding::Removed),
        ("gaussian_noise", Folding::Removed),
        ("normalization", into(&["dense"])),
        ("rescaling", into(&["dense"])),
    ];
    assert_eq!(gone, expected.map(|(name, how)| (name.to_owned(), how)));
}

#[test]
fn it_goes_into_every_branch_or_stays() {
    let mut g = Functional::new();
    let x = g.input([5]);
    let h = g.layer(Dense::new(4).activation("tanh"), x).unwrap();
    let n = g.layer(BatchNormalization::new(), h).unwrap();
    let a = g.layer(Dense::new(3), n).unwrap();
    let b = g.layer(Dense::new(3).activation("sigmoid"), n).unwrap();
    let y = g.layer(layers::Add::new(), [a, b]).unwrap();
    let (left, gone) = folded(g.model(y).unwrap(), &[5]);
    assert_eq!(left, ["dense", "dense_1", "dense_2", "add"]);
    assert_eq!(
        gone,
        [("batch_normalization".into(), into(&["dense_1", "dense_2"]))]
    );

    // The sum needs what is normalized, too; the dense layer is used twice.
    let mut g = Functional::new();
    let x = g.input([4]);
    let n = g.layer(BatchNormalization::new(), x).unwrap();
    let a = g.layer(Dense::new(4), n).unwrap();
    let y = g.layer(layers::Add::new(), [a, n]).unwrap();
    let (left, gone) = folded(g.model(y).unwrap(), &[4]);
    assert_eq!((left.len(), gone.len()), (3, 0));

    let mut g = Functional::new();
    let (x, z) = (g.input([4]), g.input([4]));
    let shared = g.share(Dense::new(4));
    let a = g.call(shared, x).unwrap();
    let b = g.call(shared, z).unwrap();
    let n = g.layer(BatchNormalization::new(), a).unwrap();
    let y = g.layer(layers::Add::new(), [n, b]).unwrap();
    let (small, gone) = fold(&g.model(y).unwrap()).unwrap();
    assert_eq!((small.layers.len(), gone.len()), (3, 0));
}

#[test]
fn along_other_axes_it_goes_through_a_flatten_alone() {
    let by_row = || layers::Normalization::new().axis([1]);
    let flat = Sequential::new()
        .input([3, 4])
        .add(by_row())
        .add(Flatten::new())
        .add(Dense::new(2))
        .build()
        .unwrap();
    assert_eq!(
        folded(flat, &[3, 4]).1,
        [("normalization".into(), into(&["dense"]))]
    );
    let each = Sequential::new()
        .input([3, 4])
        .add(by_row())
        .add(Dense::new(2))
        .build()
        .unwrap();
    assert_eq!(folded(each, &[3, 4]).1, []);
}

#[test]
fn nested_models_become_part_of_it_and_a_loss_stays() {
    let inner = Sequential::new()
        .input([4])
        .add(Dense::new(4))
        .add(BatchNormalization::new())
        .build()
        .unwrap();
    let mut g = Functional::new();
    let x = g.input([4]);
    let nested = g.nest("inner", &inner).unwrap();
    let h = g.call(nested, x).unwrap();
    let y = g.layer(Dense::new(1), h).unwrap();
    let mut model = g.model(y).unwrap();
    model.compile("adam", "mse", &["mae".into()]).unwrap();
    let (small, gone) = fold(&model).unwrap();
    assert_eq!(gone.len(), 1);
    assert!(small.parts.is_empty() && small.layers.iter().all(|l| !l.name.contains('/')));
    assert_eq!(small.measurements(), model.measurements());
}

#[test]
fn a_model_that_does_nothing_keeps_a_layer() {
    let idle = Sequential::new()
        .input([2])
        .add(Dropout::new(0.5))
        .add(Flatten::new());
    let (small, gone) = fold(&idle.build().unwrap()).unwrap();
    assert_eq!((small.layers.len(), gone.len()), (1, 1));
    let unbuilt = Sequential::new().add(Dense::new(2)).build().unwrap();
    assert!(fold(&unbuilt).is_err());
}
