//! Operators that give rows another shape.

use super::super::messages::Node;
use super::array::MOST_AXES;
use super::folding::BATCH;
use super::network::{attribute, int};
use super::reader::Reader;
use super::trouble::Trouble;
use crate::model::Source;
use crate::model::layers::{Flatten, Reshape};

impl Reader {
    /// The same rows in another shape.
    pub fn reshaped(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let dims = self.shape(x).dims().to_vec();
        let row = match &*node.op_type {
            "Flatten" => match int(node, "axis").unwrap_or(1) {
                1 => vec![dims.iter().product()],
                axis => return Err(format!("its axis is {axis}, expected 1").into()),
            },
            "Reshape" => {
                let shape = self.needed(node, 1)?;
                let shape = shape.whole().ok_or("its shape has no whole numbers")?;
                if int(node, "allowzero").unwrap_or(0) != 0 && shape.contains(&0) {
                    return Err("its shape has a 0, which is to make a tensor of nothing".into());
                }
                self.row(x, &dims, shape)?
            }
            _ => {
                let axes = match self.argument(node, 1)? {
                    Some(axes) => axes.whole().map(<[i64]>::to_vec),
                    None => attribute(node, "axes").map(|axes| axes.ints.clone()),
                };
                squeezed(
                    &dims,
                    &axes.ok_or("its axes are not read")?,
                    node.op_type == "Unsqueeze",
                )?
            }
        };
        if row == dims {
            return Ok(x);
        }
        if row.iter().product::<usize>() != dims.iter().product::<usize>() {
            return Err(format!("rows of shape {dims:?} do not become ones of {row:?}").into());
        }
        match row.len() {
            1 => self.layer(node, Flatten::new(), vec![x]),
            _ => {
                let target: Vec<i64> = row.iter().map(|&dim| dim as i64).collect();
                self.layer(node, Reshape::new(target), vec![x])
            }
        }
    }

    /// The shape of a row in a new shape of the whole tensor, which has to keep the rows.
    pub fn row(&self, x: Source, dims: &[usize], shape: &[i64]) -> Result<Vec<usize>, Trouble> {
        let rows = match x {
            Source::Input(n) => self.network.inputs[n].rows,
            Source::Node(_) => self.network.inputs.iter().find_map(|input| input.rows),
        };
        let Some((&first, rest)) = shape.split_first() else {
            return Err("its shape has no axes".into());
        };
        if ![0, -1, BATCH].contains(&first) && Some(first) != rows {
            let found = format!("its shape {shape:?} does not keep the rows");
            return Err(format!("{found}, expected 0 or -1 as the first length").into());
        }
        let mut row = Vec::new();
        for (n, &dim) in rest.iter().enumerate() {
            row.push(match dim {
                0 => *dims
                    .get(n)
                    .ok_or("its shape has a 0 where there is no axis")?,
                -1 => 1,
                dim => usize::try_from(dim).map_err(|_| format!("its shape is {shape:?}"))?,
            });
        }
        let known = row
            .iter()
            .try_fold(1, |size: usize, &dim| size.checked_mul(dim));
        let known = known
            .filter(|&size| size > 0)
            .ok_or_else(|| format!("its shape is {shape:?}"))?;
        if let Some(open) = rest.iter().position(|&dim| dim == -1) {
            if first == -1 {
                return Err(format!("its shape {shape:?} leaves two lengths open").into());
            }
            row[open] = dims.iter().product::<usize>() / known;
        }
        Ok(row)
    }

    /// A transposition that changes nothing.
    pub fn transposed(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let order = attribute(node, "perm")
            .map(|order| order.ints.clone())
            .unwrap_or_default();
        match order.iter().copied().eq(0..self.rank(x) as i64) {
            true => Ok(x),
            false => Err("rows are not transposed here: gradus has no layer for it".into()),
        }
    }
}

/// The shape of a row without some axes of length 1, or with some more.
fn squeezed(dims: &[usize], axes: &[i64], more: bool) -> Result<Vec<usize>, Trouble> {
    if axes.len() > MOST_AXES {
        return Err(format!("it has {} axes", axes.len()).into());
    }
    let rank = dims.len() + 1 + if more { axes.len() } else { 0 };
    let place = |&axis: &i64| {
        let axis = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(axis)
            .ok()
            .filter(|axis| (1..rank).contains(axis))
    };
    let places: Option<Vec<usize>> = axes.iter().map(place).collect();
    let mut places = places.ok_or("its axes are not those of a row")?;
    places.sort_unstable();
    places.dedup();
    let mut row = dims.to_vec();
    if more {
        places.iter().for_each(|place| row.insert(place - 1, 1));
        return Ok(row);
    }
    for place in places.iter().rev() {
        if row.remove(place - 1) != 1 {
            return Err("its axes are not of length 1".into());
        }
    }
    Ok(row)
}
