//! Observation of values, gradients and variables.

use super::{Compute, Run};
use crate::base::histogram::{BINS, bin};
use crate::plan::ops::{Count, Keep, Norm, NormOf, Observe};

impl Compute for Observe {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        let values = &run.get(self.x)[..run.rows * self.view.per_row()];
        let mut y = vec![0.0; Self::ROWS * width];
        for c in 0..width {
            let column = || values.iter().skip(c).step_by(width).copied();
            let Some(first) = column().next() else {
                continue;
            };
            let all_finite = column().all(f32::is_finite);
            let largest = column().map(f32::abs).fold(0.0, f32::max);
            let differences = column().map(|x| f64::from(x - first) / f64::from(largest));
            let differences = differences.map(|d| if largest > 0.0 { d } else { 0.0 });
            let flat = |x: &f32| self.steep.distance < (x - self.steep.middle).abs();
            let rows = [
                first,
                if all_finite { largest } else { f32::NAN },
                differences.clone().sum::<f64>() as f32,
                differences.map(|d| d * d).sum::<f64>() as f32,
                column().filter(flat).count() as f32,
            ];
            for (row, value) in rows.into_iter().enumerate() {
                y[row * width + c] = value;
            }
        }
        run.set(self.y, y);
    }
}

impl Compute for Keep {
    fn compute(&self, run: &mut Run<'_>) {
        run.set(self.y, run.get(self.x).to_vec());
    }
}

impl Compute for Norm {
    fn compute(&self, run: &mut Run<'_>) {
        let mut sum = 0.0;
        for &NormOf { x, less, .. } in &self.parts {
            for (i, &x) in run.get(x).iter().enumerate() {
                let less = less.map_or(0.0, |less| run.get(less)[i]);
                sum += f64::from(x - less).powi(2);
            }
        }
        run.set(self.y, vec![sum.sqrt() as f32]);
    }
}

impl Compute for Count {
    fn compute(&self, run: &mut Run<'_>) {
        if run.step.counting {
            let mut counts = vec![0.0; BINS];
            for &x in run.get(self.x) {
                counts[bin(x)] += 1.0;
            }
            run.set(self.y, counts);
        }
    }
}
