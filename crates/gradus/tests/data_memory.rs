//! Tests of rows in memory: tensors, data sets, splits, batches, the embedded digits.

use gradus::data::{self, Values};
use gradus::{Batches, Dataset, Error, Result, Scale, Split, Tensor};

fn sevens(rows: usize) -> Vec<u8> {
    (0..rows * 6).map(|i| (i * 7 % 256) as u8).collect()
}

/// Expected contents of a batch, one value at a time.
fn naive(tensor: &Tensor, rows: &[u32]) -> Vec<f32> {
    let size = tensor.size();
    let number = |i: usize| match tensor.values() {
        Values::U8(all) => f32::from(all[i]),
        Values::F32(all) => all[i],
        Values::F64(all) => all[i] as f32,
        Values::Text { .. } => panic!("there are no texts here"),
    };
    let place = rows
        .iter()
        .flat_map(|&row| (0..size).map(move |column| (row as usize, column)));
    place
        .map(|(row, column)| match tensor.scale() {
            Scale::None => number(row * size + column),
            Scale::Divide(divisor) => number(row * size + column) / divisor,
            Scale::Standardize {
                mean,
                inverse_deviation,
            } => (number(row * size + column) - mean[column] as f32) * inverse_deviation[column],
        })
        .collect()
}

#[test]
fn gathered_rows_are_the_naive_ones_for_every_type_and_scale() -> Result<()> {
    let bytes = Tensor::from_u8([2, 3], sevens(50))?;
    let floats = Tensor::from_f32(
        [2, 3],
        sevens(50)
            .into_iter()
            .map(|x| f32::from(x) - 99.5)
            .collect(),
    )?;
    let scales = |tensor: &Tensor| {
        [
            Scale::None,
            Scale::Divide(255.0),
            Scale::Divide(16.0),
            Scale::Divide(3.0),
            Scale::standard(tensor),
        ]
    };
    let orders: [&[u32]; 5] = [
        &[],
        &[7],
        &[0, 1, 2, 3],
        &[5, 6, 2, 3, 4, 4, 49, 0],
        &[49, 48, 1],
    ];
    for tensor in [
        bytes.clone(),
        floats.clone(),
        bytes.slice(10..40)?.clone(),
        floats.take(&[3; 50])?,
    ] {
        for scale in scales(&tensor) {
            let tensor = tensor.clone().scaled(scale)?;
            for order in orders {
                let rows: Vec<u32> = order.iter().map(|row| row % tensor.rows() as u32).collect();
                let mut out = vec![f32::NAN; rows.len() * 6];
                tensor.gather(&rows, &mut out)?;
                assert_eq!(out, naive(&tensor, &rows));
            }
            let all: Vec<u32> = (0..tensor.rows() as u32).collect();
            assert_eq!(tensor.to_f32(), naive(&tensor, &all));
        }
    }
    Ok(())
}

#[test]
fn slices_count_rows_from_the_source_and_copies_keep_the_scale() -> Result<()> {
    let tensor = Tensor::from_u8([6], sevens(20))?
        .scaled(Scale::Divide(2.0))?
        .named("x.npy");
    let part = tensor.slice(5..15)?.slice(2..4)?;
    assert_eq!(
        (part.source_row(0), part.rows(), part.name()),
        (7, 2, "x.npy")
    );
    assert_eq!(part, tensor.take(&[7, 8])?);
    assert_eq!(part.to_f32(), tensor.to_f32()[42..54]);
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused_with_numbers_in_the_message() -> Result<()> {
    let said = |result: Result<Tensor>| result.map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        said(Tensor::from_f32([3], vec![0.0; 7])),
        "array: found 7 numbers, expected a multiple of 3, for rows of shape (None, 3)"
    );
    assert_eq!(
        said(Tensor::from_u8([2, 0], vec![])),
        "array: found shape (None, 2, 0), expected dimensions above 0"
    );
    assert!(Tensor::from_u8([usize::MAX, 2], vec![]).is_err());
    assert_eq!(
        said(Tensor::from_rows(&[vec![1.0], vec![1.0, 2.0]])),
        "array, row 1: found 2 numbers, expected 1 as in row 0"
    );
    let tensor = Tensor::from_u8([6], sevens(4))?;
    assert!(tensor.gather(&[4], &mut [0.0; 6]).is_err());
    assert!(tensor.gather(&[3], &mut [0.0; 5]).is_err());
    assert!(tensor.slice(3..5).is_err() && tensor.take(&[4]).is_err());
    assert!(tensor.clone().scaled(Scale::Divide(0.0)).is_err());
    assert!(tensor.clone().reshaped([5]).is_err());
    let weight = Tensor::from_column(vec![1.0; 3])?;
    let refused = Dataset::new(tensor, weight.named("y.npy")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "y.npy: found 3 rows, expected 4 as in array"
    );
    Ok(())
}

#[test]
fn splits_are_the_first_rows_and_keras_validation_split() -> Result<()> {
    let x = Tensor::from_column((0..10).map(|i| i as f32).collect())?;
    let data = Dataset::new(x.clone(), x.clone())?.with_sample_weight(x)?;
    let (first, rest) = data.split_first(3)?;
    assert_eq!(first.targets()[0].to_f32(), [0.0, 1.0, 2.0]);
    assert_eq!((rest.rows(), rest.inputs()[0].source_row(0)), (7, 3));
    assert_eq!(rest.sample_weight().map(Tensor::rows), Some(7));
    // int(floor(10 * (1 - 0.1))), int(floor(10 * (1 - 0.35))), int(floor(10 * (1 - 0.3)))
    for (fraction, kept) in [(0.1, 9), (0.35, 6), (0.3, 7)] {
        assert_eq!(data.split_fraction(fraction)?.0.rows(), kept);
    }
    for n in [0, 10, 11] {
        assert!(matches!(data.split_first(n), Err(Error::Invalid { .. })));
    }
    for fraction in [0.0, 1.0, -0.5, f64::NAN, 0.99, 1e-20] {
        assert!(data.split_fraction(fraction).is_err(), "{fraction}");
    }
    Ok(())
}

#[test]
fn an_epoch_visits_every_row_once_in_an_order_of_its_own() -> Result<()> {
    let order = |batches: &Batches| batches.iter().flatten().copied().collect::<Vec<u32>>();
    let mut batches = Batches::new(103, 10, true, 7)?;
    batches.start_epoch(3);
    let third = order(&batches);
    batches.start_epoch(4);
    let fourth = order(&batches);
    assert_ne!(third, fourth);
    for shuffled in [&third, &fourth] {
        let mut sorted = shuffled.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..103).collect::<Vec<u32>>());
    }
    // Previous epochs have no effect; another seed gives another order.
    let mut again = Batches::new(103, 10, true, 7)?;
    again.start_epoch(4);
    assert_eq!(order(&again), fourth);
    let mut other = Batches::new(103, 10, true, 8)?;
    other.start_epoch(4);
    assert_ne!(order(&other), fourth);

    assert_eq!((batches.count(), batches.iter().len()), (11, 11));
    assert_eq!(batches.get(10).map(<[u32]>::len), Some(3));
    assert_eq!(batches.get(11), None);
    assert!(
        batches
            .iter()
            .enumerate()
            .all(|(n, batch)| batches.get(n) == Some(batch))
    );

    let mut plain = Batches::new(5, 2, false, 7)?;
    plain.start_epoch(1);
    assert_eq!(order(&plain), [0, 1, 2, 3, 4]);
    assert!(Batches::new(5, 0, false, 7).is_err());
    assert_eq!(Batches::new(0, 2, true, 7)?.iter().len(), 0);
    Ok(())
}

#[test]
fn the_digits_are_those_of_scikit_learn_and_their_split_is_stratified() -> Result<()> {
    let (train, test) = (data::digits(Split::Train)?, data::digits(Split::Test)?);
    let count = |data: &Dataset| {
        let mut count = [0; 10];
        data.targets()[0]
            .to_f32()
            .iter()
            .for_each(|&label| count[label as usize] += 1);
        count
    };
    let (of_train, of_test) = (count(&train), count(&test));
    // numpy.bincount(sklearn.datasets.load_digits().target)
    let of_source = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];
    for digit in 0..10 {
        assert_eq!(of_train[digit] + of_test[digit], of_source[digit]);
        assert_eq!(of_test[digit], of_source[digit] / 5);
    }
    assert_eq!((train.rows(), test.rows()), (1442, 355));
    // load_digits().images[0][:2] and load_digits().data.sum()
    let first = [
        0., 0., 5., 13., 9., 1., 0., 0., 0., 0., 13., 15., 10., 15., 5., 0.,
    ];
    assert_eq!(train.inputs()[0].to_f32()[..16], first);
    let ink = |data: &Dataset| data.inputs()[0].to_f32().iter().sum::<f32>();
    assert_eq!(ink(&train) + ink(&test), 561_718.0);
    Ok(())
}

#[test]
fn numbers_are_rounded_to_32_bits_behind_the_scale() -> Result<()> {
    // The same columns, one far from 0: float32 has steps of 8 there.
    let near: Vec<f64> = (0..60).map(|i| f64::from(i * 7 % 60)).collect();
    let far: Vec<f64> = near.iter().map(|x| x + 1e8).collect();
    let (near, far) = (Tensor::from_f64([1], near)?, Tensor::from_f64([1], far)?);
    assert!(matches!(near.values(), Values::F32(_)) && matches!(far.values(), Values::F64(_)));
    let standard = |tensor: &Tensor| tensor.clone().scaled(Scale::standard(tensor));
    assert_eq!(standard(&near)?.to_f32(), standard(&far)?.to_f32());
    assert_eq!(far.to_f64()[1], 1e8 + 7.0);

    // A rounded value does not change the others of its tensor.
    let numbers: Vec<f32> = (0..40).map(|i| (i * i) as f32 * 0.37 - 3.0).collect();
    let plain = Tensor::from_f32([1], numbers.clone())?;
    let wide = numbers.iter().map(|&x| x.into()).chain([0.1]).collect();
    let wide = Tensor::from_f64([1], wide)?;
    for scale in [
        Scale::None,
        Scale::Divide(255.0),
        Scale::Divide(3.0),
        Scale::standard(&plain),
    ] {
        let plain = plain.clone().scaled(scale.clone())?.to_f32();
        let wide = wide.clone().scaled(scale)?.to_f32();
        assert!(
            plain
                .iter()
                .zip(&wide)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
    }
    Ok(())
}
