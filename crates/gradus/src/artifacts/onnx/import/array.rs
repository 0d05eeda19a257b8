//! Constants of a graph, read from their messages; what these say of sizes is not trusted.

use super::super::messages::{Tensor, data_type};
use crate::data::numbers::half;

/// Axes of a tensor, above any honest network's.
pub(super) const MOST_AXES: usize = 64;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array {
    pub dims: Vec<usize>,
    pub numbers: Numbers,
}

/// The numbers of a constant, the last axis innermost.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Numbers {
    Float(Vec<f32>),
    Whole(Vec<i64>),
}

impl Array {
    /// Reads a tensor; the problem, if it cannot be read.
    pub fn read(tensor: &Tensor) -> Result<Self, String> {
        if tensor.data_location == 1 || !tensor.external_data.is_empty() {
            let why = "its numbers are in another file, which gradus reads of weights alone: export \
                       the model with all numbers inside (`external_data=False` in PyTorch)";
            return Err(why.to_owned());
        }
        let dims = tensor.dims.iter().map(|&dim| usize::try_from(dim).ok());
        let dims: Option<Vec<usize>> = dims.collect();
        let size = |dims: &[usize]| dims.iter().try_fold(1, |n: usize, &dim| n.checked_mul(dim));
        let Some((dims, size)) = dims.and_then(|dims| size(&dims).map(|size| (dims, size))) else {
            return Err(format!("its shape is {:?}", tensor.dims));
        };
        let numbers = numbers(tensor)?;
        match numbers.len() == size {
            true => Ok(Array { dims, numbers }),
            false => Err(format!(
                "it has {} numbers for the shape {dims:?}",
                numbers.len()
            )),
        }
    }

    /// A vector of these numbers.
    pub fn vector_of(numbers: &[f32]) -> Self {
        Array {
            dims: vec![numbers.len()],
            numbers: Numbers::Float(numbers.to_vec()),
        }
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The only number, if there is one.
    pub fn scalar(&self) -> Option<f64> {
        match &self.numbers {
            Numbers::Float(all) if all.len() == 1 => Some(all[0].into()),
            Numbers::Whole(all) if all.len() == 1 => Some(all[0] as f64),
            _ => None,
        }
    }

    /// The numbers as floats.
    pub fn floats(&self) -> Vec<f32> {
        match &self.numbers {
            Numbers::Float(all) => all.clone(),
            Numbers::Whole(all) => all.iter().map(|&n| n as f32).collect(),
        }
    }

    /// The numbers, if they are whole.
    pub fn whole(&self) -> Option<&[i64]> {
        match &self.numbers {
            Numbers::Whole(all) => Some(all),
            Numbers::Float(_) => None,
        }
    }

    /// The numbers as a vector of this length, if it is one, or can be broadcast to one along the
    /// last axis of a tensor with so many axes.
    pub fn vector(&self, width: usize, rank: usize) -> Option<Vec<f32>> {
        let front = self.dims.split_last().map_or(&[][..], |(_, front)| front);
        let is_vector = self.dims.len() <= rank && front.iter().all(|&dim| dim == 1);
        match self.floats() {
            all if is_vector && all.len() == width => Some(all),
            all if is_vector && all.len() == 1 => Some(vec![all[0]; width]),
            _ => None,
        }
    }

    /// The matrix with rows and columns exchanged, if it is one.
    pub fn transposed(&self) -> Option<Array> {
        (self.dims.len() == 2).then(|| self.permuted(&[1, 0]))
    }

    /// The same numbers with the axes in this order, which has each of them once.
    pub fn permuted(&self, order: &[usize]) -> Array {
        let mut steps = vec![1; self.dims.len()];
        for axis in (1..self.dims.len()).rev() {
            steps[axis - 1] = steps[axis] * self.dims[axis];
        }
        let dims: Vec<usize> = order.iter().map(|&axis| self.dims[axis]).collect();
        let steps: Vec<usize> = order.iter().map(|&axis| steps[axis]).collect();
        let place = |n: usize| {
            let (mut rest, mut place) = (n, 0);
            for (dim, step) in dims.iter().zip(&steps).rev() {
                place += rest % dim * step;
                rest /= dim;
            }
            place
        };
        let each = 0..self.len();
        let numbers = match &self.numbers {
            Numbers::Float(all) => Numbers::Float(each.map(|n| all[place(n)]).collect()),
            Numbers::Whole(all) => Numbers::Whole(each.map(|n| all[place(n)]).collect()),
        };
        Array { dims, numbers }
    }
}

impl Numbers {
    pub fn len(&self) -> usize {
        match self {
            Numbers::Float(all) => all.len(),
            Numbers::Whole(all) => all.len(),
        }
    }
}

/// The numbers of a tensor, from its bytes or its typed list.
fn numbers(tensor: &Tensor) -> Result<Numbers, String> {
    let raw = &tensor.raw_data;
    let packed = |size: usize| match raw.len() % size {
        0 => Ok(!raw.is_empty()),
        _ => Err(format!("it has {} bytes, in numbers of {size}", raw.len())),
    };
    let narrow = tensor.int32_data.iter();
    Ok(match tensor.data_type {
        data_type::FLOAT => Numbers::Float(match packed(4)? {
            true => each(raw, f32::from_le_bytes),
            false => tensor.float_data.clone(),
        }),
        data_type::DOUBLE => Numbers::Float(match packed(8)? {
            true => each(raw, |bytes| f64::from_le_bytes(bytes) as f32),
            false => tensor.double_data.iter().map(|&x| x as f32).collect(),
        }),
        data_type::FLOAT16 => Numbers::Float(match packed(2)? {
            true => each(raw, |bytes| half(u16::from_le_bytes(bytes))),
            false => narrow.map(|&bits| half(bits as u16)).collect(),
        }),
        data_type::BFLOAT16 => {
            let wide = |bits: u16| f32::from_bits(u32::from(bits) << 16);
            Numbers::Float(match packed(2)? {
                true => each(raw, |bytes| wide(u16::from_le_bytes(bytes))),
                false => narrow.map(|&bits| wide(bits as u16)).collect(),
            })
        }
        data_type::INT64 => Numbers::Whole(match packed(8)? {
            true => each(raw, i64::from_le_bytes),
            false => tensor.int64_data.clone(),
        }),
        data_type::INT32 => Numbers::Whole(match packed(4)? {
            true => each(raw, |bytes| i32::from_le_bytes(bytes).into()),
            false => narrow.map(|&n| n.into()).collect(),
        }),
        data_type::BOOL => Numbers::Whole(match packed(1)? {
            true => raw.iter().map(|&byte| byte.into()).collect(),
            false => narrow.map(|&n| n.into()).collect(),
        }),
        data_type::STRING => return Err("it holds texts, expected numbers".into()),
        other => {
            return Err(format!(
                "its numbers are of ONNX's type {other}, expected float, double, float16, bfloat16, int32, int64 or bool"
            ));
        }
    })
}

fn each<const N: usize, T>(raw: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = raw.as_chunks::<N>();
    chunks.iter().map(|&bytes| read(bytes)).collect()
}
