//! What a plan is fed with: numbers as they are, and for texts what each layer that
//! is applied to them finds.

use super::dtype::Dtype;
use super::graph::{Model, Node, Source};
use crate::error::{Error, Result};

/// One of a plan's inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Feed {
    /// The model's input.
    pub input: usize,
    /// The layer that looks its texts up; none if it is one of numbers.
    pub lookup: Option<usize>,
}

impl Model {
    /// The feeds, input by input. An input of text has one for each layer that is
    /// applied to it.
    pub(crate) fn feeds(&self) -> Vec<Feed> {
        let mut feeds = Vec::new();
        for (n, input) in self.inputs.iter().enumerate() {
            if input.dtype != Dtype::String {
                feeds.push(Feed {
                    input: n,
                    lookup: None,
                });
                continue;
            }
            for node in &self.nodes {
                let feed = Feed {
                    input: n,
                    lookup: Some(node.layer),
                };
                if node.inputs.contains(&Source::Input(n)) && !feeds.contains(&feed) {
                    feeds.push(feed);
                }
            }
        }
        feeds
    }

    /// Whether a node looks texts up.
    pub(crate) fn is_lookup(&self, node: &Node) -> bool {
        node.inputs.iter().any(|source| self.is_text(source))
    }

    fn is_text(&self, source: &Source) -> bool {
        match *source {
            Source::Input(n) => self.inputs.get(n).is_some_and(|i| i.dtype == Dtype::String),
            Source::Node(_) => false,
        }
    }

    /// An input of which nothing is known is one of text if its layer takes only
    /// such.
    pub(super) fn open_to_text(&mut self, node: &Node) {
        if let [Source::Input(n)] = node.inputs[..]
            && let Some(input) = self.inputs.get_mut(n)
            && input.shape.is_none()
            && self.layers[node.layer].rule.traits().takes_only_text()
        {
            input.dtype = Dtype::String;
        }
    }

    /// Refuses texts where a layer takes numbers, and the reverse.
    pub(super) fn check_dtypes(&self, node: &Node) -> Result<()> {
        let traits = self.layers[node.layer].rule.traits();
        let (found, expected) = match self.is_lookup(node) {
            true if !traits.takes_text => (
                "text",
                "numbers: a StringLookup or Hashing layer in front makes such of text",
            ),
            false if !traits.takes_numbers => (
                "numbers",
                "an input of text, to which alone the layer can be applied",
            ),
            _ => return Ok(()),
        };
        Err(Error::invalid("", found, expected).under(&self.place(node)))
    }

    /// The texts that layers know of an input, where all layers on it have a dictionary.
    pub(super) fn known_texts(&self, input: usize) -> Option<Vec<&String>> {
        let mut texts = Vec::new();
        let mut looked_up = false;
        for node in &self.nodes {
            if !node.inputs.contains(&Source::Input(input)) {
                continue;
            }
            texts.extend(self.layers[node.layer].rule.known_texts()?);
            looked_up = true;
        }
        looked_up.then_some(texts)
    }

    /// What Keras calls the numbers of each node, in a graph of the model's layers
    /// with inputs of these.
    pub(crate) fn dtypes_of(&self, nodes: &[Node], inputs: &[Dtype]) -> Vec<Dtype> {
        let mut dtypes: Vec<Dtype> = Vec::new();
        for node in nodes {
            let of = |source: &Source| match *source {
                Source::Input(n) => inputs.get(n).copied().unwrap_or_default(),
                Source::Node(n) => dtypes[n],
            };
            let from: Vec<Dtype> = node.inputs.iter().map(of).collect();
            dtypes.push(self.layers[node.layer].rule.dtype(&from));
        }
        dtypes
    }

    /// Of each input, whether a NaN in it comes neither out of the model nor to a
    /// layer with weights that are trained.
    pub(crate) fn takes_nan(&self) -> Vec<bool> {
        let takes = |input: usize| {
            let mut tainted: Vec<bool> = Vec::new();
            for node in &self.nodes {
                let is = |source: &Source| match *source {
                    Source::Input(n) => n == input,
                    Source::Node(n) => tainted[n],
                };
                let layer = &self.layers[node.layer];
                let reached = node.inputs.iter().any(is);
                let traits = layer.rule.traits();
                let learns =
                    traits.moves_statistics || layer.weights.iter().any(|weight| weight.trainable);
                if reached && learns {
                    return false;
                }
                tainted.push(reached && !traits.stops_nan);
            }
            !self.outputs.iter().any(|source| match *source {
                Source::Input(n) => n == input,
                Source::Node(n) => tainted[n],
            })
        };
        (0..self.inputs.len()).map(takes).collect()
    }
}
