//! Facts about the Keras class of a layer, as Keras' files have them.

/// Facts about the class, whatever its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KerasTraits {
    /// Place of its definition.
    pub home: KerasHome,
    /// True if Keras counts it as built from the start, and notes no shape for it.
    pub built_at_once: bool,
    /// True if Keras compiles it: `supports_jit`.
    pub compiled: bool,
    /// True if its arguments may have a `bounding_box_format`.
    pub bounding_boxes: bool,
}

/// Place where a layer's class is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KerasHome {
    /// `keras.layers`.
    Layers,
    /// An operation of `keras.ops`, defined in this module.
    Operation(&'static str),
    /// Not in Keras: `docs/gradus_layers.py` registers it with `package="gradus"`.
    Gradus,
}

impl KerasTraits {
    /// A class of `keras.layers` that is built for a shape, and compiled.
    pub const LAYER: KerasTraits = KerasTraits {
        home: KerasHome::Layers,
        built_at_once: false,
        compiled: true,
        bounding_boxes: false,
    };

    /// As [`KerasTraits::LAYER`], built from the start.
    pub const BUILT_AT_ONCE: KerasTraits = KerasTraits {
        built_at_once: true,
        ..Self::LAYER
    };

    /// As [`KerasTraits::LAYER`], defined elsewhere.
    pub const fn of(home: KerasHome) -> Self {
        KerasTraits {
            home,
            ..Self::LAYER
        }
    }

    /// As [`KerasTraits::LAYER`], for images.
    pub const IMAGES: KerasTraits = KerasTraits {
        bounding_boxes: true,
        ..Self::LAYER
    };

    /// The same, never compiled.
    pub const fn not_compiled(mut self) -> Self {
        self.compiled = false;
        self
    }
}
