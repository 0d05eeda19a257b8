//! The same values in other places.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::plan::ops::{Broadcast, BroadcastGradient, Concatenate, Constant, Permute, Slice};

// SAFETY, of every block in this file: the verifier has compared the sizes; the rows are this
// task's, and no output shares an input's memory.

impl Execute for Permute {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, size) = (part.rows(context), self.view.width);
        let (x, y) = (rows.at(self.x, size), rows.at(self.y, size));
        for row in 0..rows.count() {
            // SAFETY: see above; a row of each has `size` elements.
            unsafe {
                permute(
                    x.add(row * size),
                    y.add(row * size),
                    &self.dims,
                    &self.order,
                )
            };
        }
    }
}

/// One row with its axes in another order.
///
/// # Safety
/// `x` and `y` lead to as many elements as `dims` says.
unsafe fn permute(x: *const f32, mut y: *mut f32, dims: &[usize], order: &[usize]) {
    let Some((&axis, inner)) = order.split_first() else {
        // SAFETY: the caller's promise.
        unsafe { *y = *x };
        return;
    };
    let stride: usize = dims[axis + 1..].iter().product();
    let size: usize = inner.iter().map(|&axis| dims[axis]).product();
    for i in 0..dims[axis] {
        // SAFETY: the i-th part of each, along this axis.
        unsafe {
            permute(x.add(i * stride), y, dims, inner);
            y = y.add(size);
        }
    }
}

impl Execute for Broadcast {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, from) = (part.rows(context), &self.from);
        // SAFETY: see above.
        let (x, y) = unsafe {
            (
                rows.read(self.x, self.inputs),
                rows.write(self.y, from.len()),
            )
        };
        for (x, y) in x.chunks(self.inputs).zip(y.chunks_mut(from.len())) {
            for (y, &place) in y.iter_mut().zip(from) {
                *y = x[place as usize];
            }
        }
    }
}

impl Execute for BroadcastGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, from) = (part.rows(context), &self.from);
        // SAFETY: see above.
        let (dy, dx) = unsafe {
            let dy = rows.read(self.dy, from.len());
            (dy, rows.write(self.dx, self.inputs))
        };
        for (dy, dx) in dy.chunks(from.len()).zip(dx.chunks_mut(self.inputs)) {
            dx.fill(0.0);
            for (dy, &place) in dy.iter().zip(from) {
                dx[place as usize] += dy;
            }
        }
    }
}

impl Execute for Concatenate {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let rows = part.rows(context);
        // SAFETY: see above.
        let y = unsafe { rows.write(self.y, self.view.width) };
        let mut start = 0;
        for &(part, width) in &self.parts {
            // SAFETY: see above.
            let x = unsafe { rows.read(part, width) };
            for (x, y) in x.chunks(width).zip(y.chunks_mut(self.view.width)) {
                y[start..start + width].copy_from_slice(x);
            }
            start += width;
        }
    }
}

impl Execute for Slice {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        // SAFETY: see above.
        let (x, y) = unsafe { (rows.read(self.x, self.width), rows.write(self.y, width)) };
        for (x, y) in x.chunks(self.width).zip(y.chunks_mut(width)) {
            y.copy_from_slice(&x[self.start..self.start + width]);
        }
    }
}

impl Execute for Constant {
    fn run(&self, context: &Context<'_>, _part: Part<'_>) {
        // SAFETY: see above; the buffer has as many elements.
        unsafe {
            let y = context.at(self.y);
            std::ptr::copy_nonoverlapping(self.values.as_ptr(), y, self.values.len());
        }
    }
}
