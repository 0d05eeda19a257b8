//! The layers that draw random numbers, by their classes.

/// Those that are noise in training, or always.
pub(crate) const NOISY: &[&str] = &[
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "MCAlphaDropout",
    "MCDropout",
    "RReLU",
];

/// Those that change pictures in training, and nothing out of it: `RandomCrop` does.
pub(crate) const AUGMENTATIONS: &[&str] = &[
    "RandomBrightness",
    "RandomContrast",
    "RandomErasing",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
];
