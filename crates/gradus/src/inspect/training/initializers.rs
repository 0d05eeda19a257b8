//! Initializers of hidden layers, and the activations that they are made for.

use crate::data::checks::Finding;
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{Graph, InPlace, all_of, called, traits};
use crate::model::layers::Effect;
use crate::rules::activations::Nature;
use crate::rules::initializers::Mode;

const NAME: &str = "initializer";
/// Number of consecutive layers in which Glorot's initializers let a rectifier's signal fade.
const DEEP: usize = 5;
/// Factor of the variance that a deviation of its own may be away from what keeps a signal's.
const OFF: f64 = 2.0;

/// An initializer's family, by its arguments.
#[derive(Clone, Copy, PartialEq)]
enum Scheme {
    He,
    Lecun,
    Glorot,
    /// The same deviation for every shape.
    Fixed(f64),
    Other,
}

/// A mistake, as several layers may have it.
struct Mistake {
    found: String,
    advice: String,
}

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    if !planned.fresh {
        return Vec::new();
    }
    let graph = Graph::of(model);
    let hidden: Vec<&InPlace<'_>> = graph
        .products
        .iter()
        .filter(|layer| !layer.is_last)
        .collect();
    let mut effects = model.nodes.iter().map(|node| traits(model, node).effect);
    let normalized = effects.any(|effect| effect == Effect::Normalizes);
    let deep = hidden
        .iter()
        .filter(|l| l.nature() == Nature::Rectifier && scheme(l) == Scheme::Glorot)
        .count();
    // Layers with the same mistake are told together, with the words about the first.
    let mut grouped: Vec<((Scheme, Nature), Mistake, Vec<&str>)> = Vec::new();
    for layer in hidden {
        let kind = (scheme(layer), layer.nature());
        let found = match kind {
            // A linear layer of zeros ends the branch of a residual block (Zhang et al. 2019).
            (Scheme::Fixed(0.0), Nature::Linear) => None,
            (Scheme::Fixed(0.0), _) => equal(layer),
            (_, Nature::SelfNormalizing) => of_selu(layer),
            _ if normalized => None,
            // Machines that are pretrained begin with small weights.
            (Scheme::Fixed(_), _) if planned.pretrained => None,
            (Scheme::Fixed(deviation), nature) => of_fixed(layer, deviation, nature),
            (Scheme::Glorot, Nature::Rectifier) if deep >= DEEP => Some(Mistake {
                found: format!("{deep} layers in a row with Glorot's initializer"),
                advice: "the signal fades from layer to layer: `kernel_initializer = \
                         \"he_normal\"` goes with their activation, and `BatchNormalization` helps"
                    .into(),
            }),
            (Scheme::Lecun, Nature::Rectifier) => Some(made_for(
                layer,
                "half the signal's variance is lost in each layer",
                "he_normal",
            )),
            (Scheme::He, Nature::Saturating) => Some(made_for(
                layer,
                "twice the variance drives it into saturation",
                "glorot_uniform",
            )),
            _ => None,
        };
        let Some(mistake) = found else {
            continue;
        };
        let name = layer.entry.name.as_str();
        match grouped.iter_mut().find(|(of, ..)| *of == kind) {
            Some((.., layers)) => layers.push(name),
            None => grouped.push((kind, mistake, vec![name])),
        }
    }
    let findings = grouped.into_iter();
    findings
        .map(|(_, m, layers)| Finding::warning(NAME, all_of(&layers), m.found, m.advice))
        .collect()
}

fn scheme(layer: &InPlace<'_>) -> Scheme {
    let initializer = layer.product.kernel_initializer;
    if let Some(deviation) = initializer.deviation() {
        return Scheme::Fixed(deviation);
    }
    match initializer.scaling().map(|s| (s.scale, s.mode)) {
        Some((2.0, Mode::FanIn)) => Scheme::He,
        Some((1.0, Mode::FanIn)) => Scheme::Lecun,
        Some((1.0, Mode::FanAvg)) => Scheme::Glorot,
        _ => Scheme::Other,
    }
}

/// The mistake of an initializer that another activation was its reason.
fn made_for(layer: &InPlace<'_>, why: &str, right: &str) -> Mistake {
    let activation = called(&layer.activation);
    Mistake {
        found: format!(
            "{activation} with {}",
            layer.product.kernel_initializer.class()
        ),
        advice: format!("{why}: `kernel_initializer = \"{right}\"` goes with {activation}"),
    }
}

fn of_selu(layer: &InPlace<'_>) -> Option<Mistake> {
    let class = layer.product.kernel_initializer.class();
    (scheme(layer) != Scheme::Lecun).then(|| Mistake {
        found: format!("SELU with the initializer {class}"),
        advice: "it normalizes itself with `kernel_initializer = \"lecun_normal\"` alone".into(),
    })
}

/// Units that begin equal: only other layers' gradients can tell them apart.
fn equal(layer: &InPlace<'_>) -> Option<Mistake> {
    let class = layer.product.kernel_initializer.class();
    (layer.product.units > 1).then(|| Mistake {
        found: format!("the initializer {class}, with which all units of a layer begin equal"),
        advice: "ReLU lets no gradient through zeros, and units before equal weights stay equal: \
                 `kernel_initializer = \"he_normal\"`, or leave it out"
            .into(),
    })
}

fn of_fixed(layer: &InPlace<'_>, deviation: f64, nature: Nature) -> Option<Mistake> {
    let inputs = layer.inputs()?.max(1) as f64;
    let (wanted, right) = match nature {
        Nature::Rectifier => (2.0, "he_normal"),
        Nature::Saturating => (1.0, "glorot_uniform"),
        _ => return None,
    };
    let factor = deviation * deviation * inputs / wanted;
    if (1.0 / OFF..=OFF).contains(&factor) {
        return None;
    }
    let consequence = match (factor > 1.0, nature) {
        (true, Nature::Saturating) => "drive it into saturation, where gradients vanish",
        (true, _) => "grow from layer to layer until they explode",
        (false, _) => "shrink from layer to layer until they vanish",
    };
    let class = layer.product.kernel_initializer.class();
    Some(Mistake {
        found: format!(
            "{class} with a deviation of {deviation}, and {} with {inputs} inputs wants {:.3}",
            called(&layer.activation),
            (wanted / inputs).sqrt()
        ),
        advice: format!(
            "numbers {consequence}: `kernel_initializer = \"{right}\"` follows the number of inputs"
        ),
    })
}
