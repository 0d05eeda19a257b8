//! ndarray's arrays (the feature `ndarray`).

use gradus::data::Values;
use gradus::{Result, Tensor};
use ndarray::{Array1, Array2, Array3, ArrayD, arr0, array, s};

#[test]
fn every_layout_gives_its_rows() {
    let all = Array3::from_shape_fn((4, 3, 2), |(i, j, k)| (100 * i + 10 * j + k) as f32);
    let of = |tensor: Result<Tensor>| tensor.unwrap().to_f32();
    let plain = of(Tensor::try_from(all.clone()));
    assert_eq!(
        (plain.len(), plain[..3].to_vec()),
        (24, vec![0.0, 1.0, 10.0])
    );
    assert_eq!(of(Tensor::try_from(all.view())), plain);
    assert_eq!(of(Tensor::try_from(all.clone().into_dyn())), plain);
    assert_eq!(of(Tensor::try_from(all.mapv(f64::from))), plain);
    assert_eq!(of(Tensor::try_from(all.mapv(|x| x as i32))), plain);
    // Column-major order, every other row, reversed rows, a slice of an owned array.
    let turned = all
        .clone()
        .reversed_axes()
        .as_standard_layout()
        .into_owned();
    assert_eq!(of(Tensor::try_from(turned.reversed_axes())), plain);
    assert_eq!(of(Tensor::try_from(all.slice(s![..;2, .., ..])))[6], 200.0);
    assert_eq!(of(Tensor::try_from(all.slice(s![..;-1, .., ..])))[0], 300.0);
    let part = all.clone().slice_move(s![1..3, .., ..]);
    assert_eq!(of(Tensor::try_from(part)), plain[6..18]);
    let back = all.clone().slice_move(s![..;-1, .., ..]);
    assert_eq!(of(Tensor::try_from(back))[..2], [300.0, 301.0]);
}

#[test]
fn bytes_stay_bytes_and_shapes_come_back() {
    let tensor = Tensor::try_from(array![[1_u8, 2], [3, 4]]).unwrap();
    assert!(matches!(tensor.values(), Values::U8(_)));
    let back = ArrayD::<f32>::try_from(&tensor).unwrap();
    assert_eq!(back, array![[1.0, 2.0], [3.0, 4.0]].into_dyn());
    let labels = Tensor::try_from(array![true, false]).unwrap();
    assert_eq!(labels.shape().rank(), 0);
    assert_eq!(
        Array2::<f32>::try_from(&labels).unwrap(),
        array![[1.0], [0.0]]
    );
    assert_eq!(ArrayD::<f32>::try_from(&labels).unwrap().shape(), [2]);
    let cube = Tensor::try_from(Array3::<f32>::zeros((5, 2, 3))).unwrap();
    assert_eq!(Array2::<f32>::try_from(&cube).unwrap().dim(), (5, 6));
}

#[test]
fn what_has_no_rows_is_refused() {
    assert!(Tensor::try_from(arr0(1.0_f32)).is_err());
    assert!(Tensor::try_from(Array2::<f32>::zeros((3, 0))).is_err());
    assert_eq!(Tensor::try_from(Array1::<f32>::zeros(0)).unwrap().rows(), 0);
    let texts = Tensor::from_texts(&["a"]).unwrap();
    assert!(Array2::<f32>::try_from(&texts).is_err());
}
