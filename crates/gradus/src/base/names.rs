//! Names: of things that are to have different ones, and of things that are found by them.

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
#[derive(Clone, Debug, PartialEq)]
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

    /// Everything, with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.all.iter().map(|(name, thing)| (name.as_str(), thing))
    }

    /// Everything, to be changed.
    pub fn things_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.all.iter_mut().map(|(_, thing)| thing)
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(all: I) -> Self {
        let mut named = Named::default();
        for (name, thing) in all {
            named.add(name, thing);
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_name_has_the_lowest_number_that_is_free() {
        let mut names = Names::default();
        let mut made = Vec::new();
        for wanted in ["dense_2", "dense", "dense", "dense", "dense_1", "dense_1"] {
            let name = names.free(wanted);
            names.take(&name);
            made.push(name);
        }
        let expected = [
            "dense_2",
            "dense",
            "dense_1",
            "dense_3",
            "dense_1_1",
            "dense_1_2",
        ];
        assert_eq!(made, expected);
    }

    #[test]
    fn of_several_things_with_one_name_the_first_is_found() {
        let pairs = [("b", 1), ("a", 2), ("b", 3)];
        let named: Named<i32> = pairs
            .map(|(name, n)| (name.to_owned(), n))
            .into_iter()
            .collect();
        assert_eq!((named.get("b"), named.get("c")), (Some(&1), None));
        assert_eq!(named.names().collect::<Vec<_>>(), ["b", "a", "b"]);
    }
}
