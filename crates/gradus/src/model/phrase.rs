//! A network in one phrase, for lists of runs.

use super::graph::Model;
use super::layers::Effect;
use super::summary::thousands;
use crate::rules::activations::Activation;

/// Sizes that are named, of a deep network those at its ends.
const NAMED: usize = 8;

impl Model {
    /// The number of parameters, if the inputs' shapes are known: also of a model without weights.
    pub(crate) fn parameters(&self) -> Option<usize> {
        let shapes = self.shapes().ok()?;
        let uses = self.uses();
        let used = self.layers.iter().zip(&uses);
        let specs = used.filter_map(|(layer, uses)| {
            let inputs = &shapes[*uses.first()?].0;
            Some(layer.rule.variables(inputs))
        });
        let sizes = specs
            .flatten()
            .map(|spec| spec.shape.iter().product::<usize>());
        Some(sizes.sum())
    }

    /// The sizes of its layers and their activation, and the number of parameters:
    /// `784-300-100-10 elu, 266,610 parameters`.
    pub(crate) fn phrase(&self) -> String {
        let mut sizes = Vec::new();
        match &self.inputs[..] {
            [one] => sizes.extend(one.shape.as_ref().map(|shape| shape.size().to_string())),
            several => sizes.push(format!("{} inputs", several.len())),
        }
        let shapes = self.shapes().ok();
        let mut activation = None;
        let mut preprocesses = true;
        for (number, node) in self.nodes.iter().enumerate() {
            let effect = self.layers[node.layer].rule.traits().effect;
            if let (Effect::Product(_), Some(shapes)) = (&effect, &shapes) {
                let size = shapes[number].1.dims().last();
                sizes.extend(size.map(usize::to_string));
                preprocesses = false;
            }
            if let Effect::Product(its) | Effect::Activates(its) | Effect::ActivatesLike(its) =
                effect
                && its != Activation::Linear
                && !preprocesses
            {
                activation.get_or_insert(its);
            }
        }
        if sizes.len() > NAMED {
            let last = sizes.split_off(sizes.len() - NAMED / 2);
            sizes.truncate(NAMED / 2);
            sizes.push("…".into());
            sizes.extend(last);
        }
        let mut phrase = sizes.join("-");
        if let Some(activation) = activation {
            phrase += &format!(" {}", alias(&activation));
        }
        if let Some(parameters) = self.parameters() {
            phrase += &format!(", {} parameters", thousands(parameters));
        }
        phrase
    }
}

/// The activation's name, as a configuration has it.
fn alias(activation: &Activation) -> String {
    match serde_json::to_value(activation) {
        Ok(serde_json::Value::String(name)) => name,
        _ => activation.class().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Model;
    use crate::prelude::*;

    fn phrase(model: &mut Model, input: &[usize]) -> String {
        model.build(&[input.into()]).unwrap();
        // A model without weights says the same.
        assert_eq!(model.outline().phrase(), model.phrase());
        let parameters: usize = model.weights().map(|w| w.values.len()).sum();
        assert_eq!(model.parameters(), Some(parameters));
        model.phrase()
    }

    #[test]
    fn a_phrase_has_the_sizes() {
        let dense = |units| Dense::new(units).activation(Activation::Elu);
        let mut book = Sequential::new()
            .add(Flatten::new())
            .add(dense(300))
            .add(BatchNormalization::new())
            .add(dense(100))
            .add(Dense::new(10).activation(Activation::Softmax))
            .build()
            .unwrap();
        let expected = "784-300-100-10 elu, 267,810 parameters";
        assert_eq!(phrase(&mut book, &[28, 28]), expected);
        let mut squashed = Sequential::new()
            .add(layers::Activation::new("tanh"))
            .add(dense(4))
            .add(Dense::new(1))
            .build()
            .unwrap();
        assert_eq!(phrase(&mut squashed, &[2]), "2-4-1 elu, 17 parameters");
        let mut line = Sequential::new().add(Dense::new(1)).build().unwrap();
        assert_eq!(phrase(&mut line, &[8]), "8-1, 9 parameters");
        let mut deep = Sequential::new();
        for _ in 0..20 {
            deep = deep.add(dense(100));
        }
        let deep = phrase(&mut deep.build().unwrap(), &[5]);
        assert!(
            deep.starts_with("5-100-100-100-…-100-100-100-100 elu"),
            "{deep}"
        );
    }
}
