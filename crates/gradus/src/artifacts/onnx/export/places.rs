//! Rules of operations that put numbers in other places, or choose by their places.

use super::super::messages::data_type;
use super::Export;
use super::graph::{int, ints, lengths, text};
use crate::plan::View;
use crate::plan::ops::{BatchMatMul, Broadcast, Embed, MultiHot, Permute, Resize};
use crate::rules::augment::Image;

impl Export<'_> {
    /// `Resize` by whole factors, where it computes the same; else each plane multiplied from both
    /// sides: a pixel is a weighted sum of others by row and by column.
    pub fn resize(&mut self, op: &Resize) {
        let (from, to) = (op.rule.from, op.rule.to);
        let rows = op.rule.rows.matrix(from.height);
        let columns = op.rule.columns.matrix(from.width);
        let mut transposed = vec![0.0; columns.len()];
        for (n, share) in columns.iter().enumerate() {
            let (pixel, neighbour) = (n / from.width, n % from.width);
            transposed[neighbour * to.width + pixel] = *share;
        }
        let mut x = self.in_shape(op.x, &image_dims(from));
        if !from.channels_first {
            x = self.transpose(&x, &[0, 3, 1, 2]);
        }
        let factors = [(&rows, from.height), (&columns, from.width)];
        let modes = factors.map(|(matrix, from)| Enlarged::of(matrix, from));
        let builder = &mut self.builder;
        if let [Some(by_row), Some(by_column)] = modes
            && (by_row.linear == by_column.linear || by_row.factor == 1 || by_column.factor == 1)
            && op.rule.fill == 0.0
        {
            let factors = [1.0, 1.0, by_row.factor as f32, by_column.factor as f32];
            let factors = builder.numbers("factors", &[4], &factors);
            let (mode, places) = match by_row.linear || by_column.linear {
                true => ("linear", "half_pixel"),
                false => ("nearest", "asymmetric"),
            };
            let attributes = vec![
                text("mode", mode),
                text("coordinate_transformation_mode", places),
                text("nearest_mode", "floor"),
            ];
            let mut y = builder.node("Resize", &[&x, "", &factors], attributes);
            if !to.channels_first {
                y = self.transpose(&y, &[0, 2, 3, 1]);
            }
            self.made(op.y, y, image_dims(to).to_vec());
            return;
        }
        let by_row = builder.numbers("rows", &[to.height, from.height], &rows);
        let by_column = builder.numbers("columns", &[from.width, to.width], &transposed);
        let along = builder.op("MatMul", &[&x, &by_column]);
        let mut y = builder.op("MatMul", &[&by_row, &along]);
        if op.rule.fill != 0.0 {
            let share = |matrix: &[f32], size: usize| -> Vec<f32> {
                matrix.chunks(size).map(|row| row.iter().sum()).collect()
            };
            let (rows, columns) = (share(&rows, from.height), share(&columns, from.width));
            let beyond = |row: &f32| {
                let each = columns.iter().map(move |column| 1.0 - row * column);
                each.map(|share| op.rule.fill * share).collect::<Vec<f32>>()
            };
            let beyond: Vec<f32> = rows.iter().flat_map(beyond).collect();
            let beyond = builder.numbers("beyond", &[to.height, to.width], &beyond);
            y = builder.op("Add", &[&y, &beyond]);
        }
        if !to.channels_first {
            y = self.transpose(&y, &[0, 2, 3, 1]);
        }
        self.made(op.y, y, image_dims(to).to_vec());
    }

    pub fn permute(&mut self, op: &Permute) {
        let x = self.in_shape(op.x, &op.dims);
        let order: Vec<usize> = std::iter::once(0)
            .chain(op.order.iter().map(|axis| axis + 1))
            .collect();
        let y = self.transpose(&x, &order);
        let dims = op.order.iter().map(|&axis| op.dims[axis]).collect();
        self.made(op.y, y, dims);
    }

    pub fn transpose(&mut self, x: &str, order: &[usize]) -> String {
        self.builder
            .node("Transpose", &[x], vec![ints("perm", lengths(order))])
    }

    pub fn broadcast(&mut self, op: &Broadcast) {
        let x = self.in_shape(op.x, &[op.inputs]);
        let places: Vec<i64> = op.from.iter().map(|&place| place.into()).collect();
        let places = self.builder.whole("places", &places);
        let y = self
            .builder
            .node("Gather", &[&x, &places], vec![int("axis", 1)]);
        self.made(op.y, y, vec![op.from.len()]);
    }

    /// Each index compared with each column's number: `OneHot` would count -1 as the last one.
    pub fn multi_hot(&mut self, op: &MultiHot) {
        let View { positions, width } = op.view;
        let x = self.in_shape(op.x, &[positions, op.indices, 1]);
        let builder = &mut self.builder;
        let columns: Vec<f32> = (0..width).map(|column| column as f32).collect();
        let columns = builder.numbers("columns", &[width], &columns);
        let whole = builder.op("Floor", &[&x]);
        let is_there = builder.op("Equal", &[&whole, &columns]);
        let ones = builder.cast(&is_there, data_type::FLOAT);
        let axis = builder.whole("axis", &[-2]);
        let count = builder.node("ReduceSum", &[&ones, &axis], vec![int("keepdims", 0)]);
        let y = match op.count || op.indices == 1 {
            true => count,
            false => builder.clip(&count, 0.0, 1.0),
        };
        self.made(op.y, y, vec![positions, width]);
    }

    /// Rows by their numbers; NaN for numbers that are none, which `Gather` would refuse, or
    /// count from the end.
    pub fn embed(&mut self, op: &Embed) {
        let View { positions, width } = op.view;
        let x = self.in_shape(op.x, &[positions, 1]);
        let w = self.in_shape(op.w, &[op.rows, width]);
        let builder = &mut self.builder;
        let (zero, end) = (builder.scalar(0.0), builder.scalar(op.rows as f32));
        let not_below = builder.op("GreaterOrEqual", &[&x, &zero]);
        let inside = builder.op("Less", &[&x, &end]);
        let is_row = builder.op("And", &[&not_below, &inside]);
        let safe = builder.op("Where", &[&is_row, &x, &zero]);
        let row = builder.cast(&safe, data_type::INT64);
        let axis = builder.whole("axis", &[-1]);
        let row = builder.op("Squeeze", &[&row, &axis]);
        let found = builder.op("Gather", &[&w, &row]);
        let nan = builder.scalar(f32::NAN);
        let y = builder.op("Where", &[&is_row, &found, &nan]);
        self.made(op.y, y, vec![positions, width]);
    }

    pub fn batch_product(&mut self, op: &BatchMatMul) {
        let dims = op.dims;
        let a = self.in_shape(op.a, &[dims.rows, dims.depth]);
        let b = self.in_shape(op.b, &[dims.depth, dims.columns]);
        let y = self.builder.op("MatMul", &[&a, &b]);
        self.made(op.y, y, vec![dims.rows, dims.columns]);
    }
}

/// An axis made longer by a whole factor.
struct Enlarged {
    factor: usize,
    /// True if new pixels are weighted means of their neighbours, false if they repeat one.
    linear: bool,
}

impl Enlarged {
    /// The factor by which a matrix, with a row for each new pixel, enlarges an axis, if it does.
    fn of(matrix: &[f32], from: usize) -> Option<Self> {
        let to = matrix.len() / from.max(1);
        let factor = to.checked_div(from).filter(|factor| factor * from == to)?;
        let is = |share: fn(usize, usize, usize, usize) -> f32| {
            let mut all = matrix.iter().enumerate();
            all.all(|(n, x)| (x - share(n / from, n % from, factor, from)).abs() <= 1e-6)
        };
        let repeats = |pixel: usize, of: usize, factor: usize, _| f32::from(pixel / factor == of);
        let linear = |pixel: usize, of: usize, factor: usize, from: usize| {
            let place = (pixel as f32 + 0.5) / factor as f32 - 0.5;
            let place = place.clamp(0.0, from as f32 - 1.0);
            (1.0 - (place - of as f32).abs()).max(0.0)
        };
        let linear = match (is(repeats), is(linear)) {
            (true, _) => false,
            (_, true) => true,
            _ => return None,
        };
        Some(Enlarged { factor, linear })
    }
}

fn image_dims(image: Image) -> [usize; 3] {
    match image.channels_first {
        true => [image.channels, image.height, image.width],
        false => [image.height, image.width, image.channels],
    }
}
