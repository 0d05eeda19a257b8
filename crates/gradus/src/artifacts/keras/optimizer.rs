//! `model.weights.h5`: the optimizer's variables.
//!
//! Under `optimizer/vars`: the iteration, the learning rate (unless a schedule
//! makes it), the slots of the trainable variables, and what the method keeps
//! once.

use super::hdf5::{Array, Group, Values};
use super::weights::{floats, name};
use crate::model::sequential::snake_case;
use crate::model::{Compiled, LayerEntry, Model, State};
use crate::rules::optimizers::LearningRate;

/// A variable that the optimizer moves: its layer's number, and its own there.
type Place = (usize, usize);

/// Puts the optimizer's variables in the tree, where there is one.
pub(crate) fn store(model: &Model, root: &mut Group) {
    let compiled = model.compiled.as_ref().filter(|c| !c.is_own());
    let Some(compiled) = compiled else {
        return;
    };
    let mut arrays = vec![iteration(model.state.iteration)];
    if let LearningRate::Constant(rate) = compiled.optimizer.learning_rate {
        arrays.push(Array::floats([], vec![rate as f32]));
    }
    // Keras has no slots either before the first step.
    if !model.state.slots.is_empty() {
        let trained = trained(&model.layers, true);
        for (place, slot) in order(compiled, &model.layers, &trained) {
            arrays.push(slot_array(model, place, slot));
        }
        for &scalar in &model.state.scalars {
            arrays.push(Array::floats([], vec![scalar]));
        }
    }
    let vars = root.child("optimizer").child("vars");
    name(vars, &snake_case(compiled.optimizer.method.class()));
    for (i, array) in arrays.into_iter().enumerate() {
        vars.arrays.insert(i.to_string(), array);
    }
}

/// The optimizer's state from the tree, and the learning rate that it stood at.
///
/// Nothing if the file has none, or one that does not belong to the model:
/// then Keras starts afresh, too.
pub(crate) fn load(
    layers: &[LayerEntry],
    compiled: &mut Compiled,
    root: &Group,
) -> Result<State, String> {
    let Some(vars) = root.at("optimizer/vars") else {
        return Ok(State::default());
    };
    let at = |problem: String| format!("optimizer/vars: {problem}");
    let arrays = vars.numbered().map_err(at)?;
    let mut arrays = arrays.into_iter();
    let Some(iteration) = arrays.next() else {
        return Ok(State::default());
    };
    let iteration = iteration.as_whole().and_then(|n| u64::try_from(n).ok());
    let mut state = State {
        iteration: iteration.ok_or_else(|| at("0, the iteration, is not a count".to_owned()))?,
        ..State::default()
    };
    if let LearningRate::Constant(rate) = &mut compiled.optimizer.learning_rate {
        let found = arrays.next().and_then(Array::as_floats);
        let Some(&[found]) = found else {
            return Err(at("1, the learning rate, is not a number".to_owned()));
        };
        // The configuration has the same rate, unless somebody changed it since.
        if *rate as f32 != found {
            *rate = super::config::shortest(found.into());
        }
    }
    let rest: Vec<&Array> = arrays.collect();
    if rest.is_empty() {
        return Ok(state);
    }
    let scalars = compiled.optimizer.method.scalars().len();
    let slots = compiled.optimizer.slots().len();
    // A layer may have been frozen after the optimizer had got its slots.
    let trained = [true, false].map(|frozen| trained(layers, frozen));
    let count = |trained: &[Place]| order(compiled, layers, trained).len() + scalars;
    let fits = |trained: &&Vec<Place>| count(trained) == rest.len();
    let Some(trained) = trained.iter().find(fits) else {
        return Ok(State::default());
    };
    let (slotted, single) = rest.split_at(rest.len() - scalars);
    for array in single {
        state
            .scalars
            .extend(floats((*array).clone(), &[]).map_err(at)?);
    }
    state.slots = layers
        .iter()
        .map(|l| vec![Vec::new(); l.weights.len()])
        .collect();
    for &(layer, weight) in trained {
        state.slots[layer][weight] = vec![Vec::new(); slots];
    }
    let places = order(compiled, layers, trained);
    for (((layer, weight), slot), array) in places.into_iter().zip(slotted) {
        let shape = &layers[layer].weights[weight].shape;
        let what = || {
            format!(
                "{} of {}",
                compiled.optimizer.slots()[slot],
                layers[layer].name
            )
        };
        let values = floats((*array).clone(), shape);
        state.slots[layer][weight][slot] =
            values.map_err(|problem| at(format!("{}: {problem}", what())))?;
    }
    Ok(state)
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

/// The variables that the optimizer moves, in the model's order; those of frozen
/// layers too, unless `frozen` layers are left out.
fn trained(layers: &[LayerEntry], leave_out_frozen: bool) -> Vec<Place> {
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
/// What does not belong to the method comes first, then its slots. Most methods
/// make all slots of one variable, then those of the next. Some make a slot of all
/// variables, then the next slot.
fn order(compiled: &Compiled, layers: &[LayerEntry], trained: &[Place]) -> Vec<(Place, usize)> {
    let method = &compiled.optimizer.method;
    let slots = method.slots();
    // How many slots from the first belong together; each later one is alone.
    let together = match method.class() {
        "RMSprop" => 1,
        "Adam" | "AdamW" => slots.len().min(2),
        _ => slots.len(),
    };
    let mut order = Vec::with_capacity(trained.len() * slots.len());
    // What every method may have comes first: averages, then accumulators.
    for slot in slots.len()..compiled.optimizer.slots().len() {
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
        let movement = compiled
            .optimizer
            .movement(&layer.name, weight.name, &weight.shape);
        movement.slots.contains(&slot)
    });
    order
}

/// A slot's values; its first ones for a variable that has not been trained yet.
fn slot_array(model: &Model, (layer, weight): Place, slot: usize) -> Array {
    let shape = &model.layers[layer].weights[weight].shape;
    let slots = model
        .state
        .slots
        .get(layer)
        .and_then(|slots| slots.get(weight));
    let values = match slots.and_then(|slots| slots.get(slot)) {
        Some(values) if !values.is_empty() => values.clone(),
        _ => {
            let optimizer = model.compiled.as_ref().map(|c| &c.optimizer);
            let start = optimizer.map_or(0.0, |o| o.slot_start(slot));
            vec![start; shape.iter().product()]
        }
    };
    Array::floats(shape.clone(), values)
}
