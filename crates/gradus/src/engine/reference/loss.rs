//! The loss of each row, and its gradient.

use super::{Compute, Run};
use crate::plan::ops::Loss;

impl Compute for Loss {
    fn compute(&self, run: &mut Run<'_>) {
        let view = self.view;
        let positions = run.rows * view.positions;
        let mut values = vec![0.0; positions];
        let mut gradients = vec![0.0; positions * view.width];
        let targets = &run.get(self.target)[..positions * self.target_width()];
        let x = run.get(self.x);
        self.rule
            .rows(view.width, targets, x, &mut values, &mut gradients);
        let weights = self.weight.map(|w| &run.get(w)[..run.rows]);
        let scale = self.rule.scale(positions, targets, weights);
        for (p, value) in values.iter_mut().enumerate() {
            let weight = weights.map_or(1.0, |w| w[p / view.positions]) * scale;
            *value *= weight;
            let share = self.share * weight / positions as f32;
            for gradient in &mut gradients[p * view.width..(p + 1) * view.width] {
                *gradient *= share;
            }
        }
        run.set(self.losses, values);
        if let Some(gradient) = self.gradient {
            run.set(gradient, gradients);
        }
    }
}
