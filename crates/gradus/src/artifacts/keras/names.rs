//! How Keras makes a name of a class.

/// `BatchNormalization` is `batch_normalization`, `PReLU` is `p_re_lu`,
/// `RMSprop` is `rm_sprop`: the rule of Keras' `to_snake_case`.
pub(crate) fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    let mut name = String::with_capacity(class.len() + 4);
    for (i, &letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| letters[i]);
        let after = letters.get(i + 1);
        // A word begins at a capital that a small letter follows or precedes.
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase() || after.is_some_and(|c| c.is_ascii_lowercase())
            });
        if begins {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_keras_names() {
        // Asked of keras.src.utils.naming.to_snake_case.
        let pairs = [
            ("Dense", "dense"),
            ("BatchNormalization", "batch_normalization"),
            ("PReLU", "p_re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("ReLU", "re_lu"),
            ("ELU", "elu"),
            ("Conv2D", "conv2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
            ("MaxPooling1D", "max_pooling1d"),
            ("RMSprop", "rm_sprop"),
            ("RMSNormalization", "rms_normalization"),
            ("AdamW", "adam_w"),
            ("SGD", "sgd"),
            ("LSTM", "lstm"),
            ("GRUCell", "gru_cell"),
            ("BinaryIoU", "binary_io_u"),
            ("A1B", "a1b"),
            ("InputLayer", "input_layer"),
        ];
        for (class, name) in pairs {
            assert_eq!(snake_case(class), name);
        }
    }
}
