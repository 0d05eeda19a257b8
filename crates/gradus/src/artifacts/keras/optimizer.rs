//! `model.weights.h5`: the optimizer's variables.
//!
//! Under `optimizer/vars`: the iteration, the learning rate (unless a schedule sets it), the slots
//! of the trainable variables, and the method's scalars.

use super::hdf5::{Array, Group, Values};
use super::weights::{floats, name};
use crate::model::sequential::snake_case;
use crate::model::{LayerEntry, Model, State};
use crate::rules::optimizers::{Clock, LearningRate, Optimizer};

/// A variable that the optimizer updates: indices of its layer, and of the weight.
type WeightIndex = (usize, usize);

/// Adds the optimizer's variables to the tree, if there is an optimizer.
pub(crate) fn store(model: &Model, root: &mut Group) {
    let compiled = model.compiled.as_ref().filter(|c| !c.is_own());
    let Some(optimizer) = compiled.and_then(|c| c.optimizer.as_ref()) else {
        return;
    };
    let mut arrays = vec![iteration(model.state.iteration)];
    if let LearningRate::Constant(rate) = optimizer.learning_rate {
        arrays.push(Array::floats([], vec![rate as f32]));
    }
    // Like Keras, no slots before the first step.
    if !model.state.slots.is_empty() {
        let trained = trained(&model.layers, true);
        for (place, slot) in order(optimizer, &model.layers, &trained) {
            arrays.push(slot_array(model, place, slot));
        }
        for &scalar in &model.state.scalars {
            arrays.push(Array::floats([], vec![scalar]));
        }
    }
    let vars = root.child("optimizer").child("vars");
    name(vars, &snake_case(optimizer.method.class()));
    for (i, array) in arrays.into_iter().enumerate() {
        vars.arrays.insert(i.to_string(), array);
    }
}

/// The optimizer's state in the tree, and its learning rate; the initial state if the file has
/// none. An error if it does not fit the model and its optimizer: then Keras starts anew, too.
///
/// Keras 2 stores no learning rate here. Nadam's running product is the last array, in Keras 3.0 to
/// 3.4 the one before the slots; Keras 2 has none, and it is recomputed from the steps.
pub(crate) fn load(
    layers: &[LayerEntry],
    optimizer: &mut Optimizer,
    root: &Group,
) -> Result<State, String> {
    let Some(vars) = root.at("optimizer/vars") else {
        return Ok(State::default());
    };
    let at = |problem: String| format!("optimizer/vars: {problem}");
    let arrays = vars.numbered().map_err(at)?;
    let Some((iteration, mut rest)) = arrays.split_first() else {
        return Ok(State::default());
    };
    let iteration = iteration.as_whole().and_then(|n| u64::try_from(n).ok());
    let mut state = State {
        iteration: iteration.ok_or_else(|| at("0, the iteration, is not a count".to_owned()))?,
        ..State::default()
    };
    let is_number = |array: &Array| array.shape.is_empty();
    if let (LearningRate::Constant(rate), Some((first, others))) =
        (&mut optimizer.learning_rate, rest.split_first())
        && is_number(first)
    {
        let Some(&[found]) = first.as_floats() else {
            return Err(at("1, the learning rate, is not a number".to_owned()));
        };
        // The configuration has the same rate, unless it was changed since.
        if *rate as f32 != found {
            *rate = super::config::shortest(found.into());
        }
        rest = others;
    }
    if rest.is_empty() {
        return Ok(state);
    }
    let scalars = optimizer.method.scalars().len();
    let slots = optimizer.slots().len();
    // A layer may have been frozen after it had slots.
    let trained = [true, false].map(|frozen| trained(layers, frozen));
    let count = |trained: &[WeightIndex]| order(optimizer, layers, trained).len();
    let fits = |trained: &&Vec<WeightIndex>| {
        let beside = rest.len().checked_sub(count(trained));
        beside.is_some_and(|beside| [0, scalars].contains(&beside))
    };
    let Some(trained) = trained.iter().find(fits) else {
        let expected = count(&trained[0]) + scalars;
        return Err(at(format!(
            "{} arrays of slots, expected {expected}",
            rest.len()
        )));
    };
    let places = order(optimizer, layers, trained);
    let (slotted, single) = match rest.len() - places.len() {
        0 => (rest, &rest[..0]),
        _ if rest[..scalars].iter().all(|array| is_number(array)) => {
            let (single, slotted) = rest.split_at(scalars);
            (slotted, single)
        }
        _ => rest.split_at(places.len()),
    };
    for array in single {
        state
            .scalars
            .extend(floats((*array).clone(), &[]).map_err(at)?);
    }
    if single.is_empty() && scalars > 0 {
        state.scalars = scalars_after(optimizer, state.iteration).map_err(at)?;
    }
    state.slots = layers
        .iter()
        .map(|l| vec![Vec::new(); l.weights.len()])
        .collect();
    for &(layer, weight) in trained {
        state.slots[layer][weight] = vec![Vec::new(); slots];
    }
    for (((layer, weight), slot), array) in places.into_iter().zip(slotted) {
        let shape = &layers[layer].weights[weight].shape;
        let what = || format!("{} of {}", optimizer.slots()[slot], layers[layer].name);
        let values = floats((*array).clone(), shape);
        state.slots[layer][weight][slot] =
            values.map_err(|problem| at(format!("{}: {problem}", what())))?;
    }
    Ok(state)
}

/// The method's scalars after that many steps, computed step by step as in training.
fn scalars_after(optimizer: &Optimizer, steps: u64) -> Result<Vec<f32>, String> {
    /// Step limit: such products are 0 long before.
    const MOST: u64 = 1_000_000;
    let mut scalars = optimizer.method.scalars().to_vec();
    for iteration in 0..steps {
        if iteration == MOST {
            return Err(format!(
                "no running product, and {steps} steps to make it of"
            ));
        }
        optimizer.method.coefficients(Clock {
            learning_rate: 0.0,
            momentum: None,
            iteration,
            scalars: &mut scalars,
        });
        if scalars.iter().all(|&scalar| scalar == 0.0) {
            break;
        }
    }
    Ok(scalars)
}

/// 32 bits, as Keras' iteration on JAX; on TensorFlow it has 64.
fn iteration(steps: u64) -> Array {
    match i32::try_from(steps) {
        Ok(steps) => Array::whole(steps),
        Err(_) => Array {
            shape: Vec::new(),
            values: Values::I64(vec![i64::try_from(steps).unwrap_or(i64::MAX)]),
        },
    }
}

/// The variables that the optimizer updates, in the model's order; those of frozen layers too,
/// unless `frozen` excludes them.
fn trained(layers: &[LayerEntry], leave_out_frozen: bool) -> Vec<WeightIndex> {
    let mut places = Vec::new();
    for (i, layer) in layers.iter().enumerate() {
        for (n, weight) in layer.weights.iter().enumerate() {
            if weight.trainable && (layer.trainable || !leave_out_frozen) {
                places.push((i, n));
            }
        }
    }
    places
}

/// The slots in the order of Keras' files.
///
/// The common slots come first, then the method's. Most methods order them by variable, some by
/// slot.
fn order(
    optimizer: &Optimizer,
    layers: &[LayerEntry],
    trained: &[WeightIndex],
) -> Vec<(WeightIndex, usize)> {
    let method = &optimizer.method;
    let slots = method.slots();
    // Number of first slots ordered by variable; the later ones are ordered by slot.
    let together = match method.class() {
        "RMSprop" => 1,
        "Adam" | "AdamW" => slots.len().min(2),
        _ => slots.len(),
    };
    let mut order = Vec::with_capacity(trained.len() * slots.len());
    // The common slots come first: averages, then accumulators.
    for slot in slots.len()..optimizer.slots().len() {
        order.extend(trained.iter().map(|&place| (place, slot)));
    }
    for &place in trained {
        order.extend((0..together).map(|slot| (place, slot)));
    }
    for slot in together..slots.len() {
        order.extend(trained.iter().map(|&place| (place, slot)));
    }
    order.retain(|&((layer, weight), slot)| {
        let layer = &layers[layer];
        let weight = &layer.weights[weight];
        let movement = optimizer.movement(&layer.name, weight.name, &weight.shape);
        movement.slots.contains(&slot)
    });
    order
}

/// A slot's values; initial ones for a variable that was never trained.
fn slot_array(model: &Model, (layer, weight): WeightIndex, slot: usize) -> Array {
    let shape = &model.layers[layer].weights[weight].shape;
    let slots = model
        .state
        .slots
        .get(layer)
        .and_then(|slots| slots.get(weight));
    let values = match slots.and_then(|slots| slots.get(slot)) {
        Some(values) if !values.is_empty() => values.clone(),
        _ => {
            let optimizer = model.compiled.as_ref().and_then(|c| c.optimizer.as_ref());
            let start = optimizer.map_or(0.0, |o| o.slot_start(slot));
            vec![start; shape.iter().product()]
        }
    };
    Array::floats(shape.clone(), values)
}
