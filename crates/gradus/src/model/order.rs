//! Keras' order of the layers of a functional model, which is the order of its weights: by distance
//! from the outputs, then by a traversal from the outputs.

use super::graph::Source;
use super::parts::{Calls, Unit};
use std::collections::HashMap;

/// An element of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Element {
    Input(usize),
    Unit(Unit),
}

/// A node of the traversal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Node {
    Input(usize),
    Call(usize),
}

/// The inputs and units that lead to the outputs.
pub(crate) fn keras_order(calls: &Calls, outputs: &[Source]) -> Vec<Element> {
    let node = |source: &Source| match *source {
        Source::Input(i) => Node::Input(i),
        Source::Node(n) => Node::Call(calls.maker(n)),
    };
    let parents = |at: Node| -> &[Source] {
        match at {
            Node::Input(_) => &[],
            Node::Call(c) => &calls.all[c].inputs,
        }
    };
    let place = |at: Node| match at {
        Node::Input(i) => Element::Input(i),
        Node::Call(c) => Element::Unit(calls.all[c].unit),
    };

    // Depth first, with an explicit stack: a chain may be long.
    let mut found: HashMap<Element, usize> = HashMap::new();
    let mut seen: HashMap<Node, ()> = HashMap::new();
    let mut finished = Vec::new();
    for output in outputs {
        let mut stack = vec![(node(output), 0)];
        while let Some((at, next)) = stack.pop() {
            if next == 0 {
                if seen.insert(at, ()).is_some() {
                    continue;
                }
                let number = found.len();
                found.entry(place(at)).or_insert(number);
            }
            match parents(at).get(next) {
                Some(parent) => {
                    stack.push((at, next + 1));
                    stack.push((node(parent), 0));
                }
                None => finished.push(at),
            }
        }
    }

    let mut of_node: HashMap<Node, usize> = HashMap::new();
    let mut depths: HashMap<Element, usize> = HashMap::new();
    for &at in finished.iter().rev() {
        let of_place = depths.entry(place(at)).or_default();
        let depth = of_node.get(&at).copied().unwrap_or(0).max(*of_place);
        *of_place = depth;
        for parent in parents(at) {
            let known = of_node.entry(node(parent)).or_default();
            *known = (*known).max(depth + 1);
        }
    }
    let mut order: Vec<Element> = depths.keys().copied().collect();
    order.sort_by_key(|place| (std::cmp::Reverse(depths[place]), found[place]));
    order
}
