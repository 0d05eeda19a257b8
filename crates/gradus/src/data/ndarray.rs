//! `ndarray`'s arrays to tensors and back (the feature `ndarray`).

use crate::base::shape::Shape;
use crate::data::Tensor;
use crate::error::{Error, Result};
use ::ndarray::{Array, Array2, ArrayBase, ArrayD, Data, Dimension, IxDyn};

/// An element type that a tensor takes, each rounded to the nearest `f32`, as
/// [`read_npy`](super::read_npy) does: bytes and booleans stay bytes in memory.
pub trait Element: Copy + sealed::Element {}

mod sealed {
    use crate::data::Tensor;
    use crate::error::Result;

    pub trait Element: Sized {
        fn tensor(shape: &[usize], values: Vec<Self>) -> Result<Tensor>;
    }
}

macro_rules! elements {
    ($($kind:ty: |$values:ident| $make:ident($becomes:expr);)*) => {$(
        impl Element for $kind {}

        impl sealed::Element for $kind {
            fn tensor(shape: &[usize], $values: Vec<Self>) -> Result<Tensor> {
                Tensor::$make(Shape::new(shape), $becomes)
            }
        }
    )*};
}

elements! {
    f32: |all| from_f32(all);
    f64: |all| from_f32(all.into_iter().map(|x| x as f32).collect());
    u8: |all| from_u8(all);
    bool: |all| from_u8(all.into_iter().map(u8::from).collect());
    i8: |all| from_f32(all.into_iter().map(|n| n as f32).collect());
    i16: |all| from_f32(all.into_iter().map(|n| n as f32).collect());
    u16: |all| from_f32(all.into_iter().map(|n| n as f32).collect());
    i32: |all| from_f32(all.into_iter().map(|n| n as f32).collect());
    u32: |all| from_f32(all.into_iter().map(|n| n as f32).collect());
    i64: |all| from_f32(all.into_iter().map(|n| n as f32).collect());
    u64: |all| from_f32(all.into_iter().map(|n| n as f32).collect());
    usize: |all| from_f32(all.into_iter().map(|n| n as f32).collect());
}

/// Takes an array of any layout, whose first axis is the rows. An owned array of `f32` or `u8` in
/// standard layout is not copied. An error if it has no axis, or an axis of length 0 after the
/// rows.
///
/// ```
/// use gradus::{Dataset, Tensor};
/// use ndarray::{Array2, array};
/// let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]; // f64, three rows once turned
/// let data = Dataset::new(Tensor::try_from(x.t())?, Tensor::try_from(array![0_u8, 1, 0])?)?;
/// assert_eq!((data.rows(), data.inputs()[0].shape().dims()), (3, &[2][..]));
/// assert_eq!(Array2::<f32>::try_from(&data.inputs()[0])?, array![[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
/// # Ok::<(), gradus::Error>(())
/// ```
impl<A: Element, S: Data<Elem = A>, D: Dimension> TryFrom<ArrayBase<S, D>> for Tensor {
    type Error = Error;

    fn try_from(array: ArrayBase<S, D>) -> Result<Tensor> {
        let array: Array<A, D> = array.into_owned();
        let shape = array.shape().to_vec();
        let Some((_, of_row)) = shape.split_first() else {
            return Err(Error::invalid(
                "array",
                "a single number",
                "an axis of rows",
            ));
        };
        // A view's elements need not start at its allocation.
        let values = match array.is_standard_layout() {
            true => {
                let length = array.len();
                let (mut values, offset) = array.into_raw_vec_and_offset();
                values.truncate(offset.unwrap_or(0).saturating_add(length));
                match offset {
                    None | Some(0) => values,
                    Some(offset) => values.split_off(offset.min(values.len())),
                }
            }
            false => array.iter().copied().collect(),
        };
        A::tensor(of_row, values)
    }
}

/// The values of [`Tensor::to_f32`], the rows on the first axis. An error for texts.
impl TryFrom<&Tensor> for ArrayD<f32> {
    type Error = Error;

    fn try_from(tensor: &Tensor) -> Result<Self> {
        tensor.numbers()?;
        let shape = [&[tensor.rows()], tensor.shape().dims()].concat();
        let array = ArrayD::from_shape_vec(IxDyn(&shape), tensor.to_f32());
        array.map_err(|error| Error::Internal(error.to_string()))
    }
}

/// The same as a matrix, for tensors with one axis after the rows, such as predictions.
impl TryFrom<&Tensor> for Array2<f32> {
    type Error = Error;

    fn try_from(tensor: &Tensor) -> Result<Self> {
        tensor.numbers()?;
        let array = Array2::from_shape_vec((tensor.rows(), tensor.size()), tensor.to_f32());
        array.map_err(|error| Error::Internal(error.to_string()))
    }
}
