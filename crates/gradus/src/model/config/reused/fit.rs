//! Fit of reused layers to what comes before them: images are resized, all else has to agree.

use super::Part;
use crate::base::shape::Shape;
use crate::data::{Tensor, Values};
use crate::error::{Error, Extent, Result};
use crate::model::config::{Reader, Symbol};
use crate::model::layers::{Layer, Reshape, Resizing};

/// The number of channels that images have at most.
const CHANNELS: usize = 4;

impl Reader<'_> {
    /// The symbol that reused layers are applied to in place of `symbol`: the same, or resized
    /// images.
    pub(super) fn fit(
        &mut self,
        at: &str,
        symbol: Symbol,
        expected: &Shape,
        part: &Part,
        path: &str,
    ) -> Result<Symbol> {
        let Some(found) = self.graph.shape(symbol).cloned() else {
            // A vocabulary that is not known yet decides it; wrong weights are refused then.
            return Ok(symbol);
        };
        let is_one_number = found.size() == 1 && expected.size() == 1;
        if found == *expected || is_one_number {
            return Ok(symbol);
        }
        let is_part = !matches!(part, Part::Layer(_));
        let resizing = match self.images(symbol) && is_part {
            true => resizing(&found, expected),
            false => Vec::new(),
        };
        if resizing.is_empty() {
            let text = format!(
                "{expected}, which the layers of {path} take: put a layer before them that gives it, \
                 or reuse a model of such rows"
            );
            let expected = Extent::new(expected.dims(), text);
            return Err(Error::shape(at, &found, expected));
        }
        let mut last = symbol;
        for layer in resizing {
            let name = crate::model::sequential::snake_case(layer.class());
            let name = self.graph.free_name(&name);
            let shared = self.graph.share_named(&name, layer);
            last = self.graph.call(shared, [last])?;
            self.layers.add(name.clone(), (shared, 0));
            self.symbols.add(name, last);
        }
        self.reuse.resized.push(format!(
            "images of {found} are resized to {expected}, which the layers of {path} take"
        ));
        Ok(last)
    }

    /// True of an input whose rows are images.
    fn images(&self, symbol: Symbol) -> bool {
        let Some(input) = self.graph.input_of(symbol) else {
            return false;
        };
        let rows = self.reuse.rows.as_ref().map(|rows| rows.inputs());
        let is_image = |tensor: &Tensor| match tensor.shape().dims() {
            [_, _] => matches!(tensor.values(), Values::U8(_)),
            [_, _, channels] => *channels <= CHANNELS,
            _ => false,
        };
        let mut of_shape = rows
            .into_iter()
            .flatten()
            .filter(|tensor| Some(tensor.shape()) == input.shape.as_ref());
        of_shape.next().is_some_and(is_image)
    }
}

/// The layers that make images of one shape of those of another; none if the channels differ.
fn resizing(found: &Shape, expected: &Shape) -> Vec<Layer> {
    let sides = |shape: &Shape| match *shape.dims() {
        [height, width] => Some([height, width, 1]),
        [height, width, channels] => Some([height, width, channels]),
        _ => None,
    };
    let (Some(from), Some(to)) = (sides(found), sides(expected)) else {
        return Vec::new();
    };
    if from[2] != to[2] {
        return Vec::new();
    }
    let reshape = |dims: &[usize]| {
        let dims: Vec<i64> = dims.iter().map(|&dim| dim as i64).collect();
        Layer::from(Reshape::new(dims))
    };
    let mut layers = Vec::new();
    let differs = from != to;
    if found.rank() == 2 && (differs || expected.rank() == 3) {
        layers.push(reshape(&from));
    }
    if differs {
        layers.push(Resizing::new(to[0], to[1]).into());
    }
    if expected.rank() == 2 {
        layers.push(reshape(expected.dims()));
    }
    layers
}
