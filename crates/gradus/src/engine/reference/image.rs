//! Augmentation and resizing, image by image.

use super::{Compute, Run};
use crate::plan::ops::{Augment, AugmentGradient, Resize, ResizeGradient};

impl Compute for Augment {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            let (key, size) = (run.key(self.stream), self.image.size());
            let images = run.get(self.x).chunks(size).zip(y.chunks_mut(size));
            for (row, (x, y)) in images.enumerate() {
                self.rule.image(&self.image, key, row, x, y);
            }
        });
    }
}

impl Compute for AugmentGradient {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, dx| {
            let (key, size) = (run.key(self.stream), self.image.size());
            for (row, dx) in dx.chunks_mut(size).enumerate() {
                let of = row * size..(row + 1) * size;
                let y = self.y.map_or(&[][..], |y| &run.get(y)[of.clone()]);
                let dy = &run.get(self.dy)[of];
                self.rule.gradient(&self.image, (key, row), y, dy, dx);
            }
        });
    }
}

impl Compute for Resize {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            let key = |stream| self.rule.draw(run.key(stream));
            let moved = self.stream.map_or([0; 2], key);
            let images = run.get(self.x).chunks(self.rule.from.size());
            for (x, y) in images.zip(y.chunks_mut(self.rule.to.size())) {
                self.rule.image(moved, x, y);
            }
        });
    }
}

impl Compute for ResizeGradient {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, dx| {
            let key = |stream| self.rule.draw(run.key(stream));
            let moved = self.stream.map_or([0; 2], key);
            let images = run.get(self.dy).chunks(self.rule.to.size());
            for (dy, dx) in images.zip(dx.chunks_mut(self.rule.from.size())) {
                self.rule.gradient(moved, dy, dx);
            }
        });
    }
}
