//! Statistics over the samples of Monte Carlo predictions.

/// The interpretation of an output's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Distribution {
    /// A row is one distribution over classes.
    Softmax,
    /// Each value is a probability by itself.
    Sigmoid,
}

/// The statistics over samples: of the current rows, and of the previous ones.
pub(super) struct Gathered {
    kind: Option<Distribution>,
    pub size: usize,
    width: usize,
    /// Mean and sum of squared deviations of each value so far (Welford 1962).
    means: Vec<f64>,
    squares: Vec<f64>,
    /// Sum of the samples' entropies of each distribution.
    entropies: Vec<f64>,
    so_far: usize,
    pub mean: Vec<f32>,
    pub std: Vec<f32>,
    pub entropy: Vec<f32>,
    pub information: Vec<f32>,
    /// Number of samples kept per row, if any: `now` has those of the current rows, `samples` those
    /// of the previous ones, grouped by row.
    keeps: Option<usize>,
    now: Vec<f32>,
    pub samples: Vec<f32>,
}

impl Gathered {
    pub fn new(kind: Option<Distribution>, size: usize, width: usize) -> Self {
        let width = match kind {
            Some(Distribution::Softmax) => width,
            _ => 1,
        };
        Gathered {
            kind,
            size,
            width,
            means: Vec::new(),
            squares: Vec::new(),
            entropies: Vec::new(),
            so_far: 0,
            mean: Vec::new(),
            std: Vec::new(),
            entropy: Vec::new(),
            information: Vec::new(),
            keeps: None,
            now: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Keeps that many samples per row, which must be all.
    pub fn keeping(mut self, samples: Option<usize>) -> Self {
        self.keeps = samples;
        self
    }

    /// Begins with the next rows.
    pub fn start(&mut self, rows: usize) {
        let numbers = rows * self.size;
        for (all, n) in [
            (&mut self.means, numbers),
            (&mut self.squares, numbers),
            (&mut self.entropies, numbers / self.width),
        ] {
            all.clear();
            all.resize(n, 0.0);
        }
        self.now.clear();
        self.now.resize(numbers * self.keeps.unwrap_or(0), 0.0);
        self.so_far = 0;
    }

    /// Adds `count` samples of each row, grouped by row.
    pub fn add(&mut self, outputs: &[f32], count: usize) {
        for (row, samples) in outputs.chunks(count * self.size).enumerate() {
            let at = row * self.size;
            if let Some(all) = self.keeps {
                let to = at * all + self.so_far * self.size;
                self.now[to..to + samples.len()].copy_from_slice(samples);
            }
            for (s, sample) in samples.chunks(self.size).enumerate() {
                let n = (self.so_far + s + 1) as f64;
                for (i, &x) in sample.iter().enumerate() {
                    let x = f64::from(x);
                    let mean = &mut self.means[at + i];
                    let away = x - *mean;
                    *mean += away / n;
                    self.squares[at + i] += away * (x - *mean);
                }
                if self.kind.is_some() {
                    for (i, part) in sample.chunks(self.width).enumerate() {
                        let part = part.iter().map(|&p| f64::from(p));
                        self.entropies[at / self.width + i] += entropy(self.kind, part);
                    }
                }
            }
        }
        self.so_far += count;
    }

    /// Stores the results of the current rows.
    pub fn finish(&mut self, samples: usize) {
        let n = samples as f64;
        self.samples.extend_from_slice(&self.now);
        self.mean.extend(self.means.iter().map(|&m| m as f32));
        let deviations = self.squares.iter().map(|s| (s / n).sqrt() as f32);
        self.std.extend(deviations);
        if self.kind.is_none() {
            return;
        }
        for (part, sum) in self.means.chunks(self.width).zip(&self.entropies) {
            let whole = entropy(self.kind, part.iter().copied());
            self.entropy.push(whole as f32);
            // Negative only by rounding.
            self.information.push((whole - sum / n).max(0.0) as f32);
        }
    }
}

/// The entropy of a distribution, in nats.
fn entropy(kind: Option<Distribution>, p: impl Iterator<Item = f64>) -> f64 {
    let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    match kind {
        Some(Distribution::Sigmoid) => p.map(|p| term(p) + term(1.0 - p)).sum(),
        _ => p.map(term).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statistics of samples of one row of two classes.
    fn gathered(samples: &[[f32; 2]]) -> Gathered {
        let mut gathered = Gathered::new(Some(Distribution::Softmax), 2, 2);
        gathered.start(1);
        // In two parts, as when the samples exceed a batch.
        let (first, rest) = samples.split_at(1);
        gathered.add(first.as_flattened(), 1);
        gathered.add(rest.as_flattened(), rest.len());
        gathered.finish(samples.len());
        gathered
    }

    #[test]
    fn deviation_entropy_and_information_are_those_of_the_formulas() {
        let close = |a: f32, b: f64| assert!((f64::from(a) - b).abs() < 1e-6, "{a}, not {b}");
        let h = |p: f64| -p * p.ln() - (1.0 - p) * (1.0 - p).ln();
        // Certain samples that contradict each other: all uncertainty is mutual information.
        let found = gathered(&[[1.0, 0.0], [0.0, 1.0]]);
        close(found.std[0], 0.5);
        close(found.entropy[0], 2f64.ln());
        close(found.information[0], 2f64.ln());
        // Samples that agree on being uncertain: none is.
        let found = gathered(&[[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]);
        close(found.std[0], 0.0);
        close(found.entropy[0], 2f64.ln());
        close(found.information[0], 0.0);
        // I = H(mean) - mean H.
        let found = gathered(&[[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]);
        close(found.mean[0], 0.6);
        close(found.std[0], (0.18_f64 / 3.0).sqrt());
        close(found.entropy[0], h(0.6));
        close(
            found.information[0],
            h(0.6) - (h(0.9) + h(0.6) + h(0.3)) / 3.0,
        );
    }
}
