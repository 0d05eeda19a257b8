//! Times the crate `gemm` on all products of a training step, and nothing else:
//! `gradus-bench-gemm BATCH SECONDS WIDTH WIDTH…`, from the inputs' width to the outputs'.
//!
//! Of each product (y = x · w, dw = xᵀ · dy, and but for the first layer dx = dy · wᵀ) the
//! faster of one thread and all is taken, found by trial. Matrices lie row after row, each of
//! the layers has its own. The last line is JSON: the median and what a tenth of the steps stay below.

use gemm::Parallelism;
use std::time::Instant;

/// A matrix of so many rows and columns.
struct Matrix(usize, usize, Vec<f32>);

impl Matrix {
    fn new(rows: usize, columns: usize) -> Self {
        let number = |i: usize| (i * 7919 % 1013) as f32 / 1013.0 - 0.5;
        Matrix(rows, columns, (0..rows * columns).map(number).collect())
    }
}

/// A factor as it is, or its rows as columns: rows, columns, steps to the next of each.
fn view(m: &Matrix, turned: bool) -> (usize, usize, isize, isize) {
    match turned {
        false => (m.0, m.1, m.1 as isize, 1),
        true => (m.1, m.0, 1, m.1 as isize),
    }
}

/// to = a · b, either of them turned.
fn product(to: &mut Matrix, a: (&Matrix, bool), b: (&Matrix, bool), how: Parallelism) {
    let ((m, k, a_rows, a_columns), (inner, n, b_rows, b_columns)) =
        (view(a.0, a.1), view(b.0, b.1));
    assert_eq!((m, n, k), (to.0, to.1, inner));
    // SAFETY: the three have the rows and columns, one behind the other.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            to.2.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.0.2.as_ptr(),
            a_columns,
            a_rows,
            b.0.2.as_ptr(),
            b_columns,
            b_rows,
            0.0,
            1.0,
            false,
            false,
            false,
            how,
        );
    }
}

/// A layer's matrices, and how each of its products is made fastest.
struct Layer {
    x: Matrix,
    w: Matrix,
    y: Matrix,
    dw: Matrix,
    dx: Matrix,
    how: [Parallelism; 3],
}

impl Layer {
    fn product(&mut self, which: usize, how: Parallelism) {
        match which {
            0 => product(&mut self.y, (&self.x, false), (&self.w, false), how),
            1 => product(&mut self.dw, (&self.x, true), (&self.y, false), how),
            _ => product(&mut self.dx, (&self.y, false), (&self.w, true), how),
        }
    }

    fn find_fastest(&mut self) {
        for which in 0..3 {
            let mut least = f64::INFINITY;
            for how in [Parallelism::None, Parallelism::Rayon(0)] {
                self.product(which, how);
                for _ in 0..20 {
                    let start = Instant::now();
                    self.product(which, how);
                    let took = start.elapsed().as_secs_f64();
                    if took < least {
                        (least, self.how[which]) = (took, how);
                    }
                }
            }
        }
    }
}

fn main() {
    let numbers: Vec<f64> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let [batch, seconds, widths @ ..] = &numbers[..] else {
        eprintln!("usage: gradus-bench-gemm BATCH SECONDS WIDTH WIDTH…");
        std::process::exit(2);
    };
    let batch = *batch as usize;
    let layer = |pair: &[f64]| {
        let (inputs, outputs) = (pair[0] as usize, pair[1] as usize);
        Layer {
            x: Matrix::new(batch, inputs),
            w: Matrix::new(inputs, outputs),
            y: Matrix::new(batch, outputs),
            dw: Matrix::new(inputs, outputs),
            dx: Matrix::new(batch, inputs),
            how: [Parallelism::None; 3],
        }
    };
    let mut layers: Vec<Layer> = widths.windows(2).map(layer).collect();
    layers.iter_mut().for_each(Layer::find_fastest);
    let (begin, mut steps) = (Instant::now(), Vec::new());
    while begin.elapsed().as_secs_f64() < *seconds || steps.len() < 10 {
        let start = Instant::now();
        for layer in &mut layers {
            layer.product(0, layer.how[0]);
        }
        for (n, layer) in layers.iter_mut().enumerate().rev() {
            layer.product(1, layer.how[1]);
            if n > 0 {
                layer.product(2, layer.how[2]);
            }
        }
        steps.push(start.elapsed().as_secs_f64() * 1e6);
    }
    steps.sort_by(f64::total_cmp);
    println!(
        "{{\"median_us\": {:.2}, \"tenth_fastest_us\": {:.2}, \"steps\": {}}}",
        steps[steps.len() / 2],
        steps[steps.len() / 10],
        steps.len()
    );
}
