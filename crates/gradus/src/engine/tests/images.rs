//! Models of images and sequences, in sizes that leave lanes and tiles partly filled.

use crate::data::Dataset;
use crate::model::layers::{
    AveragePooling1D, AveragePooling2D, BatchNormalization, Conv1D, Conv1DTranspose, Conv2D,
    Conv2DTranspose, Cropping2D, DataFormat, Dense, DepthwiseConv1D, DepthwiseConv2D, Flatten,
    GlobalAveragePooling2D, GlobalMaxPooling1D, GroupNormalization, MaxPooling1D, MaxPooling2D,
    Padding, SeparableConv1D, SeparableConv2D, SpatialDropout1D, SpatialDropout2D, UpSampling1D,
    UpSampling2D, ZeroPadding1D,
};
use crate::model::{Model, Sequential};
use crate::rules::activations::Activation;
use crate::rules::losses::Loss;
use crate::rules::optimizers::{Adam, Optimizer, SGD};
use crate::rules::regularizers::L2;

pub fn models() -> Vec<(&'static str, Dataset, Model)> {
    let same = Padding::Same;
    let images = Sequential::new()
        .seed(21)
        .add(
            Conv2D::new(19, 3)
                .padding(same)
                .strides([2, 1])
                .activation(Activation::Elu),
        )
        .add(BatchNormalization::new())
        .add(MaxPooling2D::new(3).strides(1).padding(same))
        .add(
            DepthwiseConv2D::new([2, 3])
                .depth_multiplier(2)
                .padding(same),
        )
        .add(AveragePooling2D::new(2).padding(same))
        .add(SpatialDropout2D::new(0.2))
        .add(Conv2DTranspose::new(6, 3).strides(2))
        .add(GroupNormalization::new(3))
        .add(
            Conv2D::new(4, 2)
                .groups(2)
                .dilation_rate(2)
                .kernel_regularizer(L2 { l2: 1e-2 }),
        )
        .add(Cropping2D::new([[1, 0], [0, 1]]))
        .add(GlobalAveragePooling2D::new());
    let first = Sequential::new()
        .seed(22)
        .add(Conv2D::new(5, [3, 2]).data_format(DataFormat::ChannelsFirst))
        .add(SeparableConv2D::new(17, 2).activation(Activation::Tanh))
        .add(UpSampling2D::new([2, 1]))
        .add(MaxPooling2D::new([1, 3]).data_format(DataFormat::ChannelsFirst))
        .add(Flatten::new());
    let sequences = Sequential::new()
        .seed(23)
        .add(
            Conv1D::new(18, 3)
                .padding(Padding::Causal)
                .dilation_rate(2)
                .activation(Activation::Tanh),
        )
        .add(SpatialDropout1D::new(0.2))
        .add(MaxPooling1D::new(2).padding(same))
        .add(ZeroPadding1D::new([2, 1]))
        .add(DepthwiseConv1D::new(3))
        .add(UpSampling1D::new(2))
        .add(AveragePooling1D::new(3).strides(2))
        .add(SeparableConv1D::new(7, 2))
        .add(Conv1DTranspose::new(9, 2).strides(2).padding(same))
        .add(GlobalMaxPooling1D::new());
    let data = |shape: &[usize]| super::data_of(40, shape, 5);
    let compile = |layers: Sequential, optimizer: Optimizer| {
        let head = Dense::new(5).activation(Activation::Softmax);
        layers
            .add(head)
            .compile(optimizer, Loss::SparseCategoricalCrossentropy, &[])
            .unwrap()
    };
    let sgd = || SGD::new().momentum(0.9);
    let adam = Adam::new().clipnorm(0.1);
    vec![
        ("images", data(&[9, 7, 3]), compile(images, adam.into())),
        (
            "channels first",
            data(&[5, 6, 7]),
            compile(first, sgd().into()),
        ),
        (
            "sequences",
            data(&[11, 3]),
            compile(sequences, sgd().into()),
        ),
    ]
}
