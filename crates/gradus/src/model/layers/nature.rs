/// What a layer takes and lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// Whether it can be applied to an input of text.
    pub takes_text: bool,
    /// Whether it can be applied to numbers.
    pub takes_numbers: bool,
    /// Whether it knows the shape of what it gives, and has not to learn it from
    /// data first.
    pub ready: bool,
    /// Whether a NaN of its input never comes out of it.
    pub stops_nan: bool,
    /// How many places its vocabulary has, those in front included.
    pub vocabulary_size: Option<usize>,
    /// What it takes are whole numbers below this, of things that it has so many of.
    pub takes_below: Option<usize>,
    /// What it gives are whole numbers below this.
    pub gives_below: Option<usize>,
}

impl Default for Nature {
    fn default() -> Self {
        Nature {
            takes_text: false,
            takes_numbers: true,
            ready: true,
            stops_nan: false,
            vocabulary_size: None,
            takes_below: None,
            gives_below: None,
        }
    }
}

impl Nature {
    /// Whether numbers are nothing that it can be applied to.
    pub(crate) fn takes_only_text(&self) -> bool {
        self.takes_text && !self.takes_numbers
    }
}
