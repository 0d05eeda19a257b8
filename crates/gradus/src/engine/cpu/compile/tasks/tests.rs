//! The sharing of a real training step among threads.

use super::*;
use crate::engine::cpu::compile::tests::compiled;
use crate::model::Sequential;
use crate::model::layers::Dense;
use crate::plan::{Mode, View};
use crate::rules::activations::Activation;
use crate::rules::losses::Loss;
use crate::rules::optimizers::SGD;

#[test]
fn the_threads_share_all_columns_and_the_odd_lanes_of_a_phase() {
    let model = Sequential::new().input([64]);
    let model = (0..3).fold(model, |model, _| {
        model.add(Dense::new(100).activation(Activation::Selu))
    });
    let model = model
        .compile(SGD::new(), Loss::MeanSquaredError, &[])
        .unwrap();
    let lane = 8;
    let mut shared = 0;
    for phase in phases(&compiled(&model, Mode::Train, 64), 2, lane, None) {
        let mut work = [0, 0];
        for task in &phase.tasks {
            let (Split::Columns(View { width, .. }) | Split::Weight(_, width)) = task.group.split
            else {
                continue;
            };
            let (from, to) = task.lanes(width);
            assert_eq!(from == 0, task.part == 0);
            assert_eq!(to == width, task.part + 1 == task.parts);
            if task.parts == 2 {
                work[task.part] += (to - from).div_ceil(lane);
            }
        }
        let weighs = |task: &Task| matches!(task.group.split, Split::Weight(..));
        if phase.tasks.iter().any(weighs) && !phase.tasks.iter().all(weighs) {
            shared += 1;
            assert!(work[0].abs_diff(work[1]) <= 1, "{work:?}");
        }
    }
    assert!(shared > 0);
}
