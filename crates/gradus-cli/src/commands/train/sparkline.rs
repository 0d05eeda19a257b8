//! Sparklines: a row of numbers as a row of bars.

/// The longest line, in letters.
const WIDTH: usize = 40;

/// The bars, from the lowest on.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar for each number, or for the mean of some if there are many; `×` for NaN and infinity.
pub fn sparkline(numbers: &[f64]) -> String {
    let width = WIDTH.min(numbers.len());
    let part = |n: usize| n * numbers.len() / width;
    let means = (0..width).map(|n| {
        let numbers = &numbers[part(n)..part(n + 1)];
        numbers.iter().sum::<f64>() / numbers.len() as f64
    });
    let means: Vec<f64> = means.collect();
    let finite = || means.iter().copied().filter(|mean| mean.is_finite());
    let (lowest, highest) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    let bar = |&mean: &f64| match mean.is_finite() {
        false => '×',
        true if highest > lowest => {
            let share = (mean - lowest) / (highest - lowest);
            BARS[(share * (BARS.len() - 1) as f64).round() as usize]
        }
        true => BARS[0],
    };
    means.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_follow_the_numbers() {
        assert_eq!(sparkline(&[7.0, 5.0, 3.0, 1.0, 0.0]), "█▆▄▂▁");
        assert_eq!(sparkline(&[1.0, f64::NAN, 2.0, f64::INFINITY]), "▁×█×");
        assert_eq!(sparkline(&[3.0, 3.0]), "▁▁");
        assert_eq!(sparkline(&[f64::NAN]), "×");
        assert_eq!(sparkline(&[]), "");
        let long: Vec<f64> = (0..1000).map(f64::from).collect();
        let line = sparkline(&long);
        assert_eq!(line.chars().count(), WIDTH);
        assert!(line.starts_with("▁▁") && line.ends_with("██"), "{line}");
    }
}
