//! Tests that after the first step, training allocates nothing, on any thread; nor do predictions.

use gradus::prelude::*;
use gradus::rules::constraints::MaxNorm;
use gradus::rules::regularizers::{L1, L2, OrthogonalRegularizer};
use gradus::train::callbacks::Progress;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is the system allocator's own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Records the number of allocations at the end of every step.
struct Watch(Rc<RefCell<Vec<usize>>>);

impl Callback for Watch {
    fn on_train_batch_end(
        &mut self,
        progress: &Progress<'_>,
        _: &mut gradus::train::Training<'_>,
    ) -> gradus::Result<()> {
        let mut counts = self.0.borrow_mut();
        if counts.len() < counts.capacity() {
            counts.push(ALLOCATIONS.load(Ordering::Relaxed));
        }
        assert!(progress.loss().is_finite());
        Ok(())
    }
}

/// A single test, since other tests' allocations would be counted.
#[test]
fn nothing_is_allocated_after_the_first_time() {
    steps_after_the_first_allocate_nothing();
    steps_that_look_things_up_allocate_nothing();
    predictions_after_the_first_allocate_nothing();
}

fn predictions_after_the_first_allocate_nothing() {
    let model = Sequential::new()
        .input([64])
        .add(BatchNormalization::new())
        .add(Dense::new(300).activation(Activation::Elu))
        .add(Dense::new(10).activation(Activation::Softmax))
        .build()
        .unwrap();
    let predictor = model.predictor().unwrap();
    let (x, mut y) = (vec![0.5; 100 * 64], vec![0.0; 100 * 10]);
    for rows in [1, 5, 100] {
        let mut predict = || {
            let y = &mut y[..rows * 10];
            predictor.predict_into(&x[..rows * 64], y).unwrap();
        };
        predict();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        (0..50).for_each(|_| predict());
        let after = ALLOCATIONS.load(Ordering::Relaxed);
        assert_eq!(after, before, "{rows} rows");
    }
}

fn steps_that_look_things_up_allocate_nothing() {
    use layers::{Discretization, Embedding, Hashing, IntegerLookup, OutputMode};
    let train = gradus::data::digits(Split::Train).unwrap();
    let counts = Rc::new(RefCell::new(Vec::with_capacity(40)));
    let mut g = Functional::new();
    let x = g.input([8, 8]);
    let x = g.layer(Flatten::new(), x).unwrap();
    let known = IntegerLookup::new()
        .vocabulary([0, 1, 5])
        .num_oov_indices(2);
    let known = g.layer(known, x).unwrap();
    let rows = g.layer(Embedding::new(5, 3), known).unwrap();
    let rows = g.layer(Flatten::new(), rows).unwrap();
    let bins = Hashing::new(9).salt(1, 2).output_mode(OutputMode::Count);
    let bins = g.layer(bins, x).unwrap();
    let steps = Discretization::new([3.0, 9.0]).output_mode(OutputMode::MultiHot);
    let steps = g.layer(steps, x).unwrap();
    let all = g
        .layer(layers::Concatenate::new(), [rows, bins, steps])
        .unwrap();
    let y = g
        .layer(Dense::new(10).activation(Activation::Softmax), all)
        .unwrap();
    let mut model = g.model(y).unwrap();
    model
        .compile(Adam::new(), Loss::SparseCategoricalCrossentropy, &[])
        .unwrap();
    let options = Fit::new()
        .health_every(0)
        .callback(Watch(Rc::clone(&counts)));
    model.fit(&train, options).unwrap();
    let counts = counts.borrow();
    assert!(counts.len() > 30, "there were enough steps");
    assert_eq!(counts.first(), counts.last(), "after each step: {counts:?}");
}

fn steps_after_the_first_allocate_nothing() {
    let (train, _) = (gradus::data::digits(Split::Train).unwrap(), ());
    let optimizers: [Optimizer; 4] = [
        SGD::new().momentum(0.9).nesterov(true).into(),
        Nadam::new().into(),
        Adam::new().global_clipnorm(1.0).into(),
        SGD::new()
            .use_ema(0.9)
            .gradient_accumulation_steps(2)
            .into(),
    ];
    for (n, optimizer) in optimizers.into_iter().enumerate() {
        let counts = Rc::new(RefCell::new(Vec::with_capacity(40)));
        let mut model = Sequential::new()
            .add(layers::Reshape::new([8, 8, 1]))
            .add(layers::RandomFlip::default())
            .add(layers::RandomTranslation::new(0.1, 0.1))
            .add(layers::RandomRotation::new(0.1))
            .add(layers::RandomContrast::new(0.1))
            .add(layers::RandomErasing::new(0.5))
            .add(layers::RandomCrop::new(7, 6))
            .add(layers::Resizing::new(8, 8))
            .add(Flatten::new())
            .add(BatchNormalization::new())
            .add(Dense::new(300).activation(Activation::Elu))
            .add(Dropout::new(0.2))
            .add(
                Dense::new(100)
                    .activation(Activation::Selu)
                    .kernel_regularizer(L2::new(1e-4))
                    .kernel_constraint(MaxNorm::new(3.0)),
            )
            .add(
                Dense::new(20)
                    .activity_regularizer(L1::new(1e-4))
                    .kernel_regularizer(OrthogonalRegularizer::default()),
            )
            .add(Dense::new(10).activation(Activation::Softmax))
            .compile(
                optimizer,
                Loss::SparseCategoricalCrossentropy,
                &[Metric::Accuracy],
            )
            .unwrap();
        let options = Fit::new()
            .health_every(0)
            .callback(Watch(Rc::clone(&counts)));
        let options = match n {
            0 => options.mixup(0.2),
            _ => options,
        };
        model.fit(&train, options).unwrap();
        let counts = counts.borrow();
        assert!(counts.len() > 30, "there were enough steps");
        assert_eq!(
            counts.first(),
            counts.last(),
            "allocations after each step: {counts:?}"
        );
    }
}
