//! Classes of rows, by their targets.

use crate::data::{Tensor, class_of};

/// The class of each row: of labels from 0 on, of 0 and 1 or -1 and 1, or of one-hot targets.
pub fn labels(target: &Tensor, classes: usize) -> Option<Vec<usize>> {
    let values = target.to_f32();
    if target.size() == classes && classes > 1 {
        let rows = values.chunks(classes);
        return Some(rows.map(|row| class_of(row) as usize).collect());
    }
    let signs = classes == 2 && values.iter().all(|&x| x == 1.0 || x == -1.0);
    let label = |&x: &f32| {
        if signs {
            return Some(usize::from(x > 0.0));
        }
        let is_label = x.fract() == 0.0 && x >= 0.0 && x < classes as f32;
        is_label.then_some(x as usize)
    };
    (target.size() == 1).then(|| values.iter().map(label).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_found_in_each_form_of_targets() {
        let column = |values: &[f32]| Tensor::from_column(values.to_vec()).unwrap();
        assert_eq!(labels(&column(&[0.0, 2.0]), 3), Some(vec![0, 2]));
        assert_eq!(labels(&column(&[-1.0, 1.0]), 2), Some(vec![0, 1]));
        assert_eq!(labels(&column(&[0.0, 3.0]), 3), None);
        assert_eq!(labels(&column(&[0.0, 0.5]), 2), None);
        let one_hot = Tensor::from_rows(&[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]).unwrap();
        assert_eq!(labels(&one_hot, 3), Some(vec![1, 0]));
        assert_eq!(labels(&one_hot, 4), None);
    }
}
