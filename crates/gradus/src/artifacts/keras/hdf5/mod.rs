//! HDF5, as far as Keras' files use it: a tree of groups and arrays.
//!
//! The only folder that knows the crate `hdf5-pure`, whose interface changes
//! from version to version.

mod read;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;

use crate::base::shown::list;
use std::collections::BTreeMap;

/// A group of an HDF5 file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Group {
    /// Attributes of the group, by name.
    pub attributes: BTreeMap<String, Attribute>,
    /// The groups in it, by name.
    pub groups: BTreeMap<String, Group>,
    /// The arrays in it, by name.
    pub arrays: BTreeMap<String, Array>,
}

/// An attribute of a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Attribute {
    /// One string.
    Text(String),
    /// A list of strings.
    Texts(Vec<String>),
    /// Numbers, of any type; Keras stores an empty list of names as such.
    Numbers(Vec<f64>),
}

/// Values and their shape, in row-major order. `[]` is the shape of a single value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    /// The dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Values, of the shape's size.
    pub values: Values,
}

/// Values of one type. Other widths of a file become the nearest wider one, float64 becomes
/// float32.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    /// Written as half-precision numbers, which they must be; never read.
    F16(Vec<f32>),
    F32(Vec<f32>),
    /// Only written: read, these are `I32`.
    I8(Vec<i8>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

impl Group {
    /// The group at a path of names, `layers/dense/vars`.
    pub fn at(&self, path: &str) -> Option<&Group> {
        path.split('/')
            .try_fold(self, |group, name| group.groups.get(name))
    }

    /// The group of that name, created if needed.
    pub fn child(&mut self, name: &str) -> &mut Group {
        self.groups.entry(name.to_owned()).or_default()
    }

    /// The arrays named `0`, `1`, … in the order of these numbers.
    ///
    /// The names must be consecutive: a gap means a damaged file.
    pub fn numbered(&self) -> Result<Vec<&Array>, String> {
        let mut arrays = Vec::with_capacity(self.arrays.len());
        for index in 0..self.arrays.len() {
            match self.arrays.get(&index.to_string()) {
                Some(array) => arrays.push(array),
                None => {
                    return Err(format!(
                        "found arrays {}, expected them numbered from 0 without a gap",
                        list(self.arrays.keys())
                    ));
                }
            }
        }
        Ok(arrays)
    }
}

impl Array {
    /// An array of 32-bit floats.
    pub fn floats(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        let (shape, values) = (shape.into(), Values::F32(values));
        Array { shape, values }
    }

    /// One whole number.
    pub fn whole(value: i32) -> Self {
        Array {
            shape: Vec::new(),
            values: Values::I32(vec![value]),
        }
    }

    /// The values, if they are floats.
    pub fn as_floats(&self) -> Option<&[f32]> {
        match &self.values {
            Values::F16(values) | Values::F32(values) => Some(values),
            _ => None,
        }
    }

    /// The only value, if it is a single integer.
    pub fn as_whole(&self) -> Option<i64> {
        match &self.values {
            Values::I32(values) if values.len() == 1 => Some(values[0].into()),
            Values::I64(values) if values.len() == 1 => Some(values[0]),
            _ => None,
        }
    }
}

impl Values {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Values::F16(values) | Values::F32(values) => values.len(),
            Values::I8(values) => values.len(),
            Values::I32(values) => values.len(),
            Values::I64(values) => values.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Group {
        let mut root = Group::default();
        let vars = root.child("layers").child("dense").child("vars");
        let name = Attribute::Text("a \u{e9} name".into());
        vars.attributes.insert("name".into(), name);
        for index in 0..12 {
            let values = vec![index as f32, -0.0, f32::MIN_POSITIVE, 1.5];
            let array = Array::floats([2, 2], values);
            vars.arrays.insert(index.to_string(), array);
        }
        let optimizer = root.child("optimizer").child("vars");
        optimizer.arrays.insert("0".into(), Array::whole(7));
        let rate = Array::floats([], vec![0.1]);
        optimizer.arrays.insert("1".into(), rate);
        let count = Array {
            shape: vec![3],
            values: Values::I64(vec![1, -1, i64::MAX]),
        };
        optimizer.arrays.insert("2".into(), count);
        root.child("vars");
        root
    }

    #[test]
    fn a_tree_comes_back_as_it_was() {
        let tree = tree();
        let bytes = write(&tree).unwrap();
        assert_eq!(read(bytes).unwrap(), tree);
    }

    #[test]
    fn an_empty_array_comes_back() {
        let mut tree = Group::default();
        tree.arrays
            .insert("none".into(), Array::floats([0, 3], vec![]));
        assert_eq!(read(write(&tree).unwrap()).unwrap(), tree);
    }

    #[test]
    fn numbered_arrays_are_in_the_order_of_their_numbers() {
        let tree = tree();
        let arrays = tree.at("layers/dense/vars").unwrap().numbered().unwrap();
        let firsts: Vec<f32> = arrays.iter().map(|a| a.as_floats().unwrap()[0]).collect();
        assert_eq!(firsts, (0..12).map(|i| i as f32).collect::<Vec<_>>());
        let mut gap = Group::default();
        gap.arrays.insert("1".into(), Array::whole(1));
        assert!(gap.numbered().unwrap_err().contains("from 0"));
    }

    #[test]
    fn a_shape_that_does_not_fit_its_values_is_not_written() {
        let mut tree = Group::default();
        tree.arrays
            .insert("a".into(), Array::floats([2, 2], vec![1.0; 3]));
        assert!(write(&tree).unwrap_err().contains("a"));
    }
}
