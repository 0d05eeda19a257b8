"""The layers of gradus' .keras files that Keras has none of. Import this, then load as usual:

    import gradus_layers
    model = keras.models.load_model("model.keras")
"""

import keras

register = keras.saving.register_keras_serializable(package="gradus")


@register
class MCDropout(keras.layers.Dropout):
    """Dropout that is at work in inference too (Gal & Ghahramani 2016)."""

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


@register
class MCAlphaDropout(keras.layers.AlphaDropout):
    """AlphaDropout that is at work in inference too."""

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


@register
class RReLU(keras.layers.Layer):
    """Randomized leaky ReLU (Xu et al. 2015)."""

    def __init__(self, lower=1 / 8, upper=1 / 3, **kwargs):
        super().__init__(**kwargs)
        self.lower, self.upper = lower, upper
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        slope = (self.lower + self.upper) / 2
        if training:
            shape = keras.ops.shape(inputs)
            slope = keras.random.uniform(shape, self.lower, self.upper, seed=self.seed_generator)
        return keras.ops.where(inputs > 0, inputs, slope * inputs)

    def get_config(self):
        return {**super().get_config(), "lower": self.lower, "upper": self.upper}
