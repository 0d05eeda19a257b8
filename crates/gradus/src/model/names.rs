//! Names that no two layers may share.

use std::collections::{HashMap, HashSet};

/// The names that are taken, and the numbers of those that are free.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
    /// Of each name that had to be numbered, the first number that may be free.
    numbers: HashMap<String, usize>,
}

impl Names {
    /// Takes a name.
    pub fn take(&mut self, name: &str) {
        if !self.taken.contains(name) {
            self.taken.insert(name.to_owned());
        }
    }

    /// True if the name is taken.
    pub fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// The name, with the lowest number that makes it free if it is taken: `dense_1`.
    pub fn free(&mut self, wanted: &str) -> String {
        if !self.is_taken(wanted) {
            return wanted.to_owned();
        }
        // A name that was taken stays so: the numbers before are not asked for again.
        let mut number = self.numbers.get(wanted).copied().unwrap_or(1);
        let mut name = format!("{wanted}_{number}");
        while self.is_taken(&name) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        self.numbers.insert(wanted.to_owned(), number);
        name
    }
}

/// Things by their names, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Named<T> {
    all: Vec<(String, T)>,
    places: HashMap<String, usize>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named {
            all: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<T> Named<T> {
    /// Adds a thing. Of several with one name the first is found.
    pub fn add(&mut self, name: String, thing: T) {
        let place = self.all.len();
        self.places.entry(name.clone()).or_insert(place);
        self.all.push((name, thing));
    }

    /// The thing of that name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.places.get(name).map(|&place| &self.all[place].1)
    }

    /// The thing of that name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        let place = self.places.get(name)?;
        self.all.get_mut(*place).map(|(_, thing)| thing)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|(name, _)| name.as_str())
    }
}
