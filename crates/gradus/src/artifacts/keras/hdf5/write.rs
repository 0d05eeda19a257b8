//! Writing of a tree as an HDF5 file.

use super::{Array, Attribute, Group, Values};
use crate::data::numbers::to_half;
use hdf5_pure::{
    AttrValue, DatasetBuilder, Datatype, DatatypeByteOrder, FileBuilder, FinishedGroup,
    FloatingPointLayout, GroupBuilder,
};

/// IEEE's half precision, as h5py writes NumPy's float16.
const HALF: Datatype = Datatype::FloatingPoint {
    size: 2,
    byte_order: DatatypeByteOrder::LittleEndian,
    layout: FloatingPointLayout {
        bit_offset: 0,
        bit_precision: 16,
        exponent_location: 10,
        exponent_size: 5,
        mantissa_location: 0,
        mantissa_size: 10,
        exponent_bias: 15,
    },
};

/// The file's bytes: arrays contiguous, little-endian, scalars without dimensions, strings of
/// variable length, as h5py writes them for Keras.
pub(crate) fn write(root: &Group) -> Result<Vec<u8>, String> {
    let mut file = FileBuilder::new();
    for (name, attribute) in &root.attributes {
        file.set_attr(name, value(attribute));
    }
    for (name, array) in &root.arrays {
        fill(name, array, file.create_dataset(name))?;
    }
    for (name, group) in &root.groups {
        let builder = file.create_group(name);
        file.add_group(finished(name, group, builder)?);
    }
    file.finish().map_err(|error| error.to_string())
}

fn finished(at: &str, group: &Group, mut builder: GroupBuilder) -> Result<FinishedGroup, String> {
    for (name, attribute) in &group.attributes {
        builder.set_attr(name, value(attribute));
    }
    for (name, array) in &group.arrays {
        fill(&format!("{at}/{name}"), array, builder.create_dataset(name))?;
    }
    for (name, child) in &group.groups {
        let inner = builder.create_group(name);
        builder.add_group(finished(&format!("{at}/{name}"), child, inner)?);
    }
    Ok(builder.finish())
}

fn fill(at: &str, array: &Array, builder: &mut DatasetBuilder) -> Result<(), String> {
    let size: usize = array.shape.iter().product();
    if size != array.values.len() {
        return Err(format!(
            "array {at} has {} values, its shape {:?} has {size}",
            array.values.len(),
            array.shape
        ));
    }
    let shape: Vec<u64> = array.shape.iter().map(|&dim| dim as u64).collect();
    match &array.values {
        Values::F16(values) => {
            let bytes = values.iter().flat_map(|&x| to_half(x).to_le_bytes());
            builder.with_raw_data(HALF, bytes.collect(), size as u64)
        }
        Values::F32(values) => builder.with_f32_data(values),
        Values::I8(values) => builder.with_i8_data(values),
        Values::I32(values) => builder.with_i32_data(values),
        Values::I64(values) => builder.with_i64_data(values),
    }
    .with_shape(&shape);
    Ok(())
}

fn value(attribute: &Attribute) -> AttrValue {
    match attribute {
        Attribute::Text(text) => AttrValue::VarLenString(text.clone()),
        Attribute::Texts(texts) => AttrValue::VarLenStringArray(texts.clone()),
        Attribute::Numbers(numbers) => AttrValue::F64Array(numbers.clone()),
    }
}
