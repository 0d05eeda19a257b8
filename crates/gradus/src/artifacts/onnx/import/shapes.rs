//! Operators that give rows another shape.

use super::super::messages::Node;
use super::array::MOST_AXES;
use super::folding::BATCH;
use super::network::{attribute, int};
use super::reader::{Reader, Value};
use super::trouble::Trouble;
use crate::model::Source;
use crate::model::layers::{
    Flatten, GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalMaxPooling1D,
    GlobalMaxPooling2D, Layer, Reshape, UpSampling1D,
};

impl Reader {
    /// The same rows in another shape.
    pub fn reshaped(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let dims = self.shape(x).dims().to_vec();
        let same = self.unturned(x);
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
            1 => self.layer(node, Flatten::new(), vec![same]),
            _ => {
                let target: Vec<i64> = row.iter().map(|&dim| dim as i64).collect();
                self.layer(node, Reshape::new(target), vec![same])
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

    /// Numbers of each row by their places, where these repeat all of them, part by part.
    pub fn gathered(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let places = self.needed(node, 1)?;
        let places = places.whole().ok_or("its places are no whole numbers")?;
        let axis = self.axis(int(node, "axis").unwrap_or(0), x)?;
        let numbers = self.shape(x).size();
        if axis != 1 || self.shape(x).rank() != 1 || !places.len().is_multiple_of(numbers) {
            let why = "it is read where it repeats all numbers of a row alone";
            return Err(why.into());
        }
        let place = |n: i64| {
            if n < 0 {
                n.saturating_add(numbers as i64)
            } else {
                n
            }
        };
        let places = places.iter().map(|&n| usize::try_from(place(n)).ok());
        let places: Option<Vec<usize>> = places.collect();
        let places = places.ok_or("its places are not those of a row")?;
        let times = places.len() / numbers;
        // Parts of so many numbers, each part `times` times behind itself.
        let part = (0..places.len()).find(|&n| places[n] != n);
        let part = part.unwrap_or(numbers);
        let wanted = |n: usize| n / (part * times) * part + n % part;
        if part == 0
            || !numbers.is_multiple_of(part)
            || (0..places.len()).any(|n| places[n] != wanted(n))
        {
            return Err("its places are no repetition of all numbers of a row".into());
        }
        if times == 1 {
            return Ok(x);
        }
        let steps = vec![(numbers / part) as i64, part as i64];
        let made = self.layer(node, Reshape::new(steps), vec![x])?;
        let made = self.layer(node, UpSampling1D::new(times), vec![made])?;
        self.layer(node, Flatten::new(), vec![made])
    }

    /// The mean or the largest number of each channel of sequences or images; none of other ones.
    pub fn over_channels(&mut self, node: &Node) -> Result<Option<Source>, Trouble> {
        let axes = match self.argument(node, 1)? {
            Some(axes) => axes.whole().map(<[i64]>::to_vec),
            None => attribute(node, "axes").map(|axes| axes.ints.clone()),
        };
        let keeps = int(node, "keepdims").unwrap_or(1) != 0;
        let (Some(axes), Some(Value::Symbol(_) | Value::Function { .. })) = (
            axes,
            node.input.first().and_then(|name| self.values.get(name)),
        ) else {
            return Ok(None);
        };
        let x = self.first(node)?;
        let rank = self.rank(x);
        let axes: Vec<usize> = axes
            .iter()
            .map(|&axis| self.axis(axis, x))
            .collect::<Result<_, _>>()?;
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        // Along the last axis with the lengths kept it may be part of a layer normalization.
        let is_else = rank == 3 && keeps && node.op_type == "ReduceMean";
        let is_image = sorted.iter().copied().eq(2..rank) && (3..=4).contains(&rank) && !is_else;
        if sorted.iter().copied().eq(1..rank - 1) {
            // Channels last, in the file.
            let layer: Layer = match (rank, &*node.op_type) {
                (3, "ReduceMean") => GlobalAveragePooling1D::new().keepdims(keeps).into(),
                (4, "ReduceMean") => GlobalAveragePooling2D::new().keepdims(keeps).into(),
                (3, _) => GlobalMaxPooling1D::new().keepdims(keeps).into(),
                (4, _) => GlobalMaxPooling2D::new().keepdims(keeps).into(),
                _ => return Ok(None),
            };
            return self.layer(node, layer, vec![x]).map(Some);
        }
        if !is_image {
            return Ok(None);
        }
        let made = self.image(node)?;
        match keeps {
            true => Ok(Some(made)),
            false => {
                let same = self.unturned(made);
                self.layer(node, Flatten::new(), vec![same]).map(Some)
            }
        }
    }

    /// An axis of a tensor, the batch being 0.
    pub fn axis(&self, axis: i64, x: Source) -> Result<usize, Trouble> {
        let rank = self.rank(x);
        let counted = if axis < 0 {
            axis.saturating_add(rank as i64)
        } else {
            axis
        };
        let counted = usize::try_from(counted).ok().filter(|&axis| axis < rank);
        counted.ok_or_else(|| format!("it has no axis {axis}").into())
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
