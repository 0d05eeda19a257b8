//! Constants of constants, which exporters leave in their graphs: transposed kernels, shapes,
//! numbers made of others.

use super::super::messages::Node;
use super::array::{Array, MOST_AXES, Numbers};
use super::functions;
use super::network::{attribute, int};
use super::trouble::Trouble;

/// Stands for the number of rows, which no file knows, in a constant that is a shape.
pub(super) const BATCH: i64 = i64::MIN;

/// The value of a node whose inputs are constants, if it is a known one.
pub(super) fn folded(node: &Node, inputs: &[Array]) -> Result<Option<Array>, Trouble> {
    let [first, rest @ ..] = inputs else {
        return constant(node);
    };
    let axes = || -> Option<Vec<i64>> {
        let given = rest.first().and_then(Array::whole).map(<[i64]>::to_vec);
        given.or_else(|| attribute(node, "axes").map(|axes| axes.ints.clone()))
    };
    Ok(match &*node.op_type {
        "Identity" => Some(first.clone()),
        "Cast" => Some(cast(node, first)?),
        "Transpose" => {
            let rank = first.dims.len();
            let order: Vec<usize> = match attribute(node, "perm") {
                Some(order) => {
                    let axis = |&axis: &i64| usize::try_from(axis).ok();
                    order.ints.iter().filter_map(axis).collect()
                }
                None => (0..rank).rev().collect(),
            };
            let mut sorted = order.clone();
            sorted.sort_unstable();
            if !sorted.into_iter().eq(0..rank) {
                return Err("its order is none of the axes of its constant".into());
            }
            Some(first.permuted(&order))
        }
        "Reshape" => {
            let shape = rest
                .first()
                .and_then(Array::whole)
                .ok_or("its shape is not read")?;
            Some(reshaped(first, shape).ok_or("its shape does not fit its constant")?)
        }
        "Unsqueeze" => {
            let axes = axes().filter(|axes| axes.len() <= MOST_AXES);
            let axes = axes.ok_or("its axes are not read")?;
            let rank = (first.dims.len() + axes.len()) as i64;
            let mut places: Vec<i64> = axes
                .iter()
                .map(|&axis| if axis < 0 { axis + rank } else { axis })
                .collect();
            places.sort_unstable();
            let mut dims = first.dims.clone();
            for place in places {
                let place = usize::try_from(place)
                    .ok()
                    .filter(|&place| place <= dims.len());
                dims.insert(place.ok_or("its axes do not fit its constant")?, 1);
            }
            Some(Array {
                dims,
                ..first.clone()
            })
        }
        "Squeeze" => {
            let dims = first.dims.iter().copied().filter(|&dim| dim != 1).collect();
            axes()
                .is_none_or(|axes| axes.len() == first.dims.len())
                .then(|| Array {
                    dims,
                    ..first.clone()
                })
        }
        "Shape" if node.attribute.is_empty() => Some(Array {
            dims: vec![first.dims.len()],
            numbers: Numbers::Whole(first.dims.iter().map(|&dim| dim as i64).collect()),
        }),
        "Concat" => joined(inputs),
        "Gather" => gathered(first, rest),
        "Slice" => sliced(first, rest),
        "ConstantOfShape" => filled(node, first),
        _ => computed(node, inputs),
    })
}

/// The value of a node without inputs.
fn constant(node: &Node) -> Result<Option<Array>, Trouble> {
    if node.op_type != "Constant" {
        return Ok(None);
    }
    let floats = |dims: Vec<usize>, all: Vec<f32>| Array {
        dims,
        numbers: Numbers::Float(all),
    };
    let whole = |dims: Vec<usize>, all: Vec<i64>| Array {
        dims,
        numbers: Numbers::Whole(all),
    };
    let Some(given) = node.attribute.first() else {
        return Err("it has no value".into());
    };
    Ok(Some(match (&*given.name, &given.t, given.f, given.i) {
        ("value", Some(tensor), ..) => Array::read(tensor)?,
        ("value_float", _, Some(x), _) => floats(Vec::new(), vec![x]),
        ("value_int", .., Some(n)) => whole(Vec::new(), vec![n]),
        ("value_floats", ..) => floats(vec![given.floats.len()], given.floats.clone()),
        ("value_ints", ..) => whole(vec![given.ints.len()], given.ints.clone()),
        _ => return Err("its value is not read".into()),
    }))
}

/// Numbers as floats or whole numbers.
fn cast(node: &Node, x: &Array) -> Result<Array, Trouble> {
    use super::super::messages::data_type::{BFLOAT16, DOUBLE, FLOAT, FLOAT16, INT32, INT64};
    let to = int(node, "to").unwrap_or_default() as i32;
    let numbers = match &x.numbers {
        _ if [FLOAT, DOUBLE, FLOAT16, BFLOAT16].contains(&to) => Numbers::Float(x.floats()),
        Numbers::Whole(all) if [INT32, INT64].contains(&to) => Numbers::Whole(all.clone()),
        _ => return Err("its type is not read".into()),
    };
    Ok(Array {
        dims: x.dims.clone(),
        numbers,
    })
}

/// The same numbers in another shape: -1 is what is left, 0 what was there.
fn reshaped(x: &Array, shape: &[i64]) -> Option<Array> {
    let mut dims = Vec::new();
    for (n, &dim) in shape.iter().enumerate() {
        dims.push(match dim {
            0 => *x.dims.get(n)?,
            -1 => 1,
            dim => usize::try_from(dim).ok()?,
        });
    }
    let known = dims
        .iter()
        .try_fold(1, |size: usize, &dim| size.checked_mul(dim))?;
    if let Some(open) = shape.iter().position(|&dim| dim == -1) {
        dims[open] = x.len().checked_div(known)?;
    }
    let size = dims
        .iter()
        .try_fold(1, |size: usize, &dim| size.checked_mul(dim))?;
    (size == x.len()).then(|| Array { dims, ..x.clone() })
}

/// Vectors one behind the other.
fn joined(all: &[Array]) -> Option<Array> {
    if all.iter().any(|array| array.dims.len() != 1) {
        return None;
    }
    let whole: Option<Vec<&[i64]>> = all.iter().map(Array::whole).collect();
    let numbers = match whole {
        Some(whole) => Numbers::Whole(whole.concat()),
        None => Numbers::Float(all.iter().flat_map(Array::floats).collect()),
    };
    Some(Array {
        dims: vec![numbers.len()],
        numbers,
    })
}

/// Numbers of a vector of whole ones.
fn gathered(x: &Array, places: &[Array]) -> Option<Array> {
    let (all, [places]) = (x.whole()?, places) else {
        return None;
    };
    let length = all.len() as i64;
    let one = |&place: &i64| {
        let place = if place < 0 { place + length } else { place };
        all.get(usize::try_from(place).ok()?).copied()
    };
    let numbers: Vec<i64> = places.whole()?.iter().map(one).collect::<Option<_>>()?;
    (x.dims.len() == 1).then(|| Array {
        dims: places.dims.clone(),
        numbers: Numbers::Whole(numbers),
    })
}

/// An operator of single numbers, of constants of one shape, and of single ones.
fn computed(node: &Node, inputs: &[Array]) -> Option<Array> {
    let largest = inputs
        .iter()
        .max_by_key(|array| (array.len(), array.dims.len()))?;
    let fits = |array: &Array| array.dims == largest.dims || array.len() == 1;
    if !inputs.iter().all(fits) {
        return None;
    }
    let whole = inputs.iter().map(Array::whole);
    if let Some(whole) = whole.collect::<Option<Vec<&[i64]>>>() {
        return whole_numbers(node, &whole, &largest.dims);
    }
    if inputs.iter().any(|array| array.whole().is_some()) {
        return None;
    }
    let floats: Vec<Vec<f32>> = inputs.iter().map(Array::floats).collect();
    let number = |n: usize| {
        let at = |all: &Vec<f32>| f64::from(all[if all.len() == 1 { 0 } else { n }]);
        let args: Vec<f64> = floats.iter().map(at).collect();
        functions::value(node, &args).map(|x| x as f32)
    };
    let numbers = (0..largest.len())
        .map(number)
        .collect::<Option<Vec<f32>>>()?;
    Some(Array {
        dims: largest.dims.clone(),
        numbers: Numbers::Float(numbers),
    })
}

/// An operator of two lists of whole numbers, or of a list and one number: lengths of axes. The number
/// of rows is no part of it.
fn whole_numbers(node: &Node, inputs: &[&[i64]], dims: &[usize]) -> Option<Array> {
    let &[a, b] = inputs else {
        return None;
    };
    let size: usize = dims.iter().product();
    let number = |n: usize| {
        let at = |all: &[i64]| all.get(if all.len() == 1 { 0 } else { n }).copied();
        let (a, b) = (at(a)?, at(b)?);
        if a == BATCH || b == BATCH {
            return None;
        }
        match &*node.op_type {
            "Add" => a.checked_add(b),
            "Sub" => a.checked_sub(b),
            "Mul" => a.checked_mul(b),
            "Div" => a.checked_div(b),
            "Mod" => a.checked_rem_euclid(b).filter(|_| b > 0),
            _ => None,
        }
    };
    Some(Array {
        dims: dims.to_vec(),
        numbers: Numbers::Whole((0..size).map(number).collect::<Option<_>>()?),
    })
}

/// Some of whole numbers along their first axis.
fn sliced(x: &Array, rest: &[Array]) -> Option<Array> {
    let one = |n: usize, default: Option<i64>| match rest.get(n) {
        Some(array) => match array.whole()? {
            &[only] => Some(only),
            _ => None,
        },
        None => default,
    };
    let (first, behind) = x.dims.split_first()?;
    let (length, width) = (*first as i64, behind.iter().product::<usize>());
    let (start, end) = (one(0, None)?, one(1, None)?);
    let (axis, step) = (one(2, Some(0))?, one(3, Some(1))?);
    if axis != 0 && axis != -(x.dims.len() as i64) || ![1, -1].contains(&step) {
        return None;
    }
    let counted = |n: i64| if n < 0 { n.saturating_add(length) } else { n };
    let places: Vec<i64> = match step {
        1 => (counted(start).clamp(0, length)..counted(end).clamp(0, length)).collect(),
        _ => {
            let (start, end) = (counted(start).min(length - 1), counted(end).max(-1));
            (end.saturating_add(1).max(0)..start.saturating_add(1))
                .rev()
                .collect()
        }
    };
    let all = x.whole()?;
    let rows = places
        .iter()
        .map(|&row| all.get(row as usize * width..(row as usize + 1) * width));
    let numbers = rows.collect::<Option<Vec<&[i64]>>>()?.concat();
    let dims = std::iter::once(places.len()).chain(behind.iter().copied());
    Some(Array {
        dims: dims.collect(),
        numbers: Numbers::Whole(numbers),
    })
}

/// One whole number as often as a short list needs it.
fn filled(node: &Node, shape: &Array) -> Option<Array> {
    let &[count] = shape.whole()? else {
        return None;
    };
    let count = usize::try_from(count)
        .ok()
        .filter(|&count| count <= 2 * MOST_AXES)?;
    let value = attribute(node, "value").and_then(|value| value.t.as_ref());
    let value = Array::read(value?).ok()?;
    let &[value] = value.whole()? else {
        return None;
    };
    Some(Array {
        dims: vec![count],
        numbers: Numbers::Whole(vec![value; count]),
    })
}

/// The lengths of a tensor's axes with rows of this shape, from axis `start` to before `end`; the
/// batch's is [`BATCH`].
pub(super) fn shape_of(row: &[usize], start: Option<i64>, end: Option<i64>) -> Array {
    let rank = row.len() as i64 + 1;
    let place = |axis: i64| (if axis < 0 { axis + rank } else { axis }).clamp(0, rank) as usize;
    let (start, end) = (place(start.unwrap_or(0)), place(end.unwrap_or(rank)));
    let lengths = std::iter::once(BATCH).chain(row.iter().map(|&dim| dim as i64));
    let lengths: Vec<i64> = lengths.take(end).skip(start).collect();
    Array {
        dims: vec![lengths.len()],
        numbers: Numbers::Whole(lengths),
    }
}
