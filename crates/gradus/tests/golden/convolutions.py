"""Group E: images and sequences. JAX trains these cases: TensorFlow's CPU knows neither groups nor channels first."""
import numpy as np

ADAM = {"type": "Adam", "learning_rate": 0.01}
MOMENTUM = {"type": "SGD", "learning_rate": 0.05, "momentum": 0.9}


def arrays():
    """Images of odd sizes and sequences, with classes that a few numbers of them decide."""
    rng = np.random.default_rng(20261201)
    images, steps = rng.standard_normal((35, 7, 6, 2)), rng.standard_normal((35, 9, 2))
    classes = lambda scores: scores.argmax(-1).astype("uint8")
    return {"images": images.astype("float32"), "steps": steps.astype("float32"),
            "y_images": classes(images.reshape(35, -1) @ rng.standard_normal((84, 3))),
            "y_steps": classes(steps.reshape(35, -1) @ rng.standard_normal((18, 3)))}


def add(case):
    def on(x, name, covers, layers, head=None, **more):
        """Layers on the input, then a dense head."""
        end = head or (lambda L: [L.Flatten(), L.Dense(3, activation="softmax")])
        case("E", name, covers, lambda L: [*layers(L), *end(L)], x=x, y=f"y_{x}", **{"optimizer": MOMENTUM, **more})

    def images(name, covers, layers, **more):
        on("images", name, covers, layers, **more)

    def steps(name, covers, layers, **more):
        on("steps", name, covers, layers, **more)

    def each(on, prefix, kind, table):
        """One layer with these arguments, each in a case of its own."""
        for name, (positional, arguments) in table.items():
            covers = [" ".join([kind, *(f"{key}={value}" for key, value in arguments.items())])]
            on(f"{prefix}_{name}", covers, lambda L, p=positional, a=arguments: [getattr(L, kind)(*p, **a)])

    first = {"data_format": "channels_first"}

    # ---- convolutions

    each(images, "conv2d", "Conv2D", {
        "valid": ((4, 3), {}), "same": ((4, 3), {"padding": "same", "activation": "tanh"}),
        "strides": ((3, 3), {"strides": 2}), "strides_same": ((3, 3), {"strides": 2, "padding": "same"}),
        "strides_wide": ((3, 2), {"strides": 3, "padding": "same"}), "even_same": ((3, (2, 4)), {"padding": "same"}),
        "rectangle": ((3, (3, 2)), {"strides": (1, 2), "activation": "elu"}), "pixel": ((4, 1), {"activation": "relu"}),
        "pixel_strides": ((4, 1), {"strides": 2}), "whole": ((4, (7, 6)), {}),
        "dilation": ((3, 2), {"dilation_rate": 3}), "dilation_same": ((3, 3), {"dilation_rate": (1, 2), "padding": "same"}),
        "groups": ((4, 3), {"groups": 2}), "groups_strides": ((6, 2), {"groups": 2, "strides": 2, "padding": "same", "use_bias": False}),
        "no_bias": ((4, 3), {"use_bias": False}), "softmax": ((4, 3), {"activation": "softmax"}),
        "first": ((4, (3, 2)), first), "first_softmax": ((4, 3), {**first, "activation": "softmax", "padding": "same", "strides": (2, 1)})})
    images("conv2d_rules", ["Conv2D kernel_regularizer bias_regularizer kernel_constraint bias_constraint activity_regularizer"], lambda L: [
        L.Conv2D(4, 3, kernel_regularizer="l1", bias_regularizer="l2", kernel_constraint=max_norm(0.7, [0, 1, 2]),
                 bias_constraint="non_neg", activity_regularizer="l2")])
    images("conv2d_norm_axis", ["Conv2D kernel_constraint UnitNorm axis=0"], lambda L: [L.Conv2D(3, (2, 3), kernel_constraint="unit_norm")])
    images("conv2d_stack", ["three Conv2D", "Adam"], lambda L: [
        L.Conv2D(4, 3, padding="same", activation="elu"), L.Conv2D(5, 3, strides=2, activation="elu"), L.Conv2D(3, 2, activation="tanh")],
        optimizer=ADAM, validation={"first": 9}, epochs=3)
    images("conv2d_batch_norm", ["Conv2D", "BatchNormalization of images"], lambda L: [
        L.BatchNormalization(), L.Conv2D(4, 3, use_bias=False), L.BatchNormalization(momentum=0.9), L.Activation("relu")], epochs=3)
    images("conv2d_batch_norm_first", ["Conv2D channels_first", "BatchNormalization axis=1 of images"], lambda L: [
        L.Conv2D(4, (3, 2), use_bias=False, **first), L.BatchNormalization(axis=1), L.Activation("elu")], epochs=3)
    images("conv2d_layer_norm", ["Conv2D", "LayerNormalization of images"], lambda L: [
        L.Conv2D(4, 3), L.LayerNormalization(), L.Activation("relu"), L.LayerNormalization(axis=[1, 2, 3])], optimizer=ADAM)
    images("conv2d_frozen", ["Conv2D frozen by config"], lambda L: [L.Conv2D(4, 3, activation="elu"), L.Conv2D(3, 2, activation="elu")],
           trainable={"conv2d": False}, optimizer=ADAM)
    images("conv2d_dense", ["Conv2D", "Dense on images"], lambda L: [L.Conv2D(4, 3), L.Dense(3, activation="tanh"), L.PReLU(shared_axes=[1, 2])],
           optimizer=ADAM)
    images("conv2d_muon", ["Conv2D", "Muon: a kernel of rank 4 goes to Adam"], lambda L: [L.Conv2D(4, 3, activation="elu")],
           optimizer={"type": "Muon", "learning_rate": 0.02})
    each(steps, "conv1d", "Conv1D", {
        "valid": ((4, 3), {"activation": "elu"}), "same": ((4, 4), {"padding": "same"}), "strides_same": ((3, 3), {"strides": 2, "padding": "same"}),
        "causal": ((4, 3), {"padding": "causal"}), "causal_dilation": ((3, 2), {"padding": "causal", "dilation_rate": 3}),
        "causal_strides": ((3, 3), {"padding": "causal", "strides": 2}), "groups": ((4, 3), {"groups": 2, "use_bias": False}),
        "whole": ((4, 9), {"activation": "tanh"}), "first": ((4, 2), first), "dilation": ((4, 3), {"dilation_rate": 4})})
    each(images, "conv2d_transpose", "Conv2DTranspose", {
        "valid": ((3, 3), {}), "same": ((3, 3), {"padding": "same", "activation": "tanh"}), "strides": ((3, 3), {"strides": 2}),
        "strides_same": ((3, 3), {"strides": 2, "padding": "same"}), "small": ((3, 2), {"strides": 3}),
        "small_same": ((2, 1), {"strides": 2, "padding": "same", "use_bias": False}), "even_same": ((2, (4, 2)), {"strides": (2, 1), "padding": "same"}),
        "more": ((2, 3), {"strides": 2, "output_padding": 1}), "more_same": ((2, 3), {"strides": (2, 3), "padding": "same", "output_padding": (0, 2)}),
        "more_even": ((2, 2), {"strides": 2, "padding": "same", "output_padding": 1}),
        "dilation": ((3, 2), {"dilation_rate": 2}), "dilation_same": ((3, 3), {"dilation_rate": (2, 1), "padding": "same"}),
        "first": ((3, (3, 2)), {**first, "strides": 2})})
    images("conv2d_autoencoder", ["Conv2D", "Conv2DTranspose", "mse"], lambda L: [
        L.Conv2D(4, 3, activation="tanh"), L.Conv2DTranspose(2, 3)], head=lambda L: [L.Flatten(), L.Dense(3, activation="softmax")], optimizer=ADAM, epochs=3)
    each(steps, "conv1d_transpose", "Conv1DTranspose", {
        "valid": ((3, 3), {"strides": 2}), "same": ((3, 4), {"strides": 3, "padding": "same"}), "more": ((3, 2), {"strides": 2, "output_padding": 0}),
        "first": ((3, 2), first)})
    each(images, "depthwise2d", "DepthwiseConv2D", {
        "valid": ((3,), {}), "multiplier": ((3,), {"depth_multiplier": 3, "padding": "same", "activation": "elu"}),
        "strides": ((3,), {"strides": 2, "padding": "same"}), "dilation": ((2,), {"dilation_rate": 2, "use_bias": False}),
        "strides_wide": (((2, 3),), {"strides": (3, 2)}), "first": ((2,), {**first, "depth_multiplier": 2})})
    images("depthwise2d_rules", ["DepthwiseConv2D depthwise_regularizer depthwise_constraint"], lambda L: [
        L.DepthwiseConv2D(3, depth_multiplier=2, depthwise_regularizer="l2", depthwise_constraint=max_norm(0.5, [0, 1]), bias_regularizer="l2")])
    each(steps, "depthwise1d", "DepthwiseConv1D", {
        "same": ((3,), {"padding": "same", "depth_multiplier": 2}), "strides": ((2,), {"strides": 2}), "first": ((2,), first)})
    each(images, "separable2d", "SeparableConv2D", {
        "valid": ((4, 3), {"activation": "elu"}), "multiplier": ((3, 3), {"depth_multiplier": 2, "padding": "same"}),
        "strides": ((4, 2), {"strides": 2, "padding": "same", "use_bias": False}), "dilation": ((4, 2), {"dilation_rate": 2}),
        "first": ((4, 2), first)})
    images("separable2d_rules", ["SeparableConv2D regularizers and constraints of both kernels"], lambda L: [
        L.SeparableConv2D(4, 3, depthwise_regularizer="l2", pointwise_regularizer="l1", depthwise_constraint=max_norm(0.5, [0, 1]),
                          pointwise_constraint=max_norm(0.9, 2))])
    each(steps, "separable1d", "SeparableConv1D", {
        "same": ((4, 3), {"padding": "same", "strides": 2}), "multiplier": ((3, 2), {"depth_multiplier": 2}), "first": ((4, 2), first)})

    # ---- pooling, behind a layer that is trained

    def behind(on, dense, prefix, kind, table, optimizer=ADAM):
        for name, (positional, arguments) in table.items():
            covers = [" ".join([kind, *(f"{key}={value}" for key, value in arguments.items())])]
            on(f"{prefix}_{name}", covers, lambda L, p=positional, a=arguments: [L.Dense(dense, activation="tanh"), getattr(L, kind)(*p, **a)],
               optimizer=optimizer)

    pools = {"valid": ((2,), {}), "same": ((3,), {"padding": "same"}), "overlap": ((3,), {"strides": 1}),
             "overlap_same": (((2, 3),), {"strides": (1, 2), "padding": "same"}), "apart": ((2,), {"strides": 4, "padding": "same"}),
             "whole": (((7, 6),), {}), "first": ((2,), {**first, "padding": "same"})}
    behind(images, 3, "max_pooling2d", "MaxPooling2D", pools)
    behind(images, 3, "average_pooling2d", "AveragePooling2D", pools)
    pools = {"valid": ((2,), {}), "same": ((4,), {"strides": 2, "padding": "same"}), "first": ((2,), {**first, "strides": 1})}
    behind(steps, 3, "max_pooling1d", "MaxPooling1D", pools)
    behind(steps, 3, "average_pooling1d", "AveragePooling1D", pools)
    for kind, name in (("GlobalMaxPooling", "global_max"), ("GlobalAveragePooling", "global_average")):
        for rank, of in ((1, steps), (2, images)):
            table = {"plain": ((), {}), "first": ((), {**first, "keepdims": rank == 2})}
            behind(of, 4, f"{name}{rank}d", f"{kind}{rank}D", {**table, "keep": ((), {"keepdims": True})}, MOMENTUM)
    # Equal numbers in a window: the gradient goes to the first of them.
    images("max_pooling2d_ties", ["MaxPooling2D of equal numbers"], lambda L: [
        L.Conv2D(3, 3, padding="same", activation="relu"), L.MaxPooling2D(3, strides=2, padding="same"), L.MaxPooling2D(2)])
    images("global_max2d_ties", ["GlobalMaxPooling2D of equal numbers: each gets its share"], lambda L: [
        L.Conv2D(4, 3, activation="relu6"), L.ReLU(max_value=0.5), L.GlobalMaxPooling2D()])

    # ---- the same numbers elsewhere

    behind(images, 3, "zero_padding2d", "ZeroPadding2D", {
        "one": ((), {}), "sides": (((1, 2),), {}), "each": ((((0, 2), (1, 0)),), {}), "first": ((((1, 0), (2, 1)),), first)})
    behind(steps, 3, "zero_padding1d", "ZeroPadding1D", {"one": ((2,), {}), "each": (((0, 3),), {}), "first": (((1, 0),), first)})
    behind(images, 3, "cropping2d", "Cropping2D", {
        "one": ((1,), {}), "sides": (((1, 2),), {}), "each": ((((0, 2), (3, 0)),), {}), "first": ((((1, 0), (0, 1)),), first)})
    behind(steps, 3, "cropping1d", "Cropping1D", {"one": ((), {}), "each": (((0, 3),), {})})
    behind(images, 2, "up_sampling2d", "UpSampling2D", {
        "nearest": ((), {}), "rectangle": (((1, 3),), {}), "bilinear": ((2,), {"interpolation": "bilinear"}),
        "bicubic": (((2, 1),), {"interpolation": "bicubic"}), "first": ((2,), {**first, "interpolation": "bilinear"})}, MOMENTUM)
    behind(steps, 2, "up_sampling1d", "UpSampling1D", {"two": ((), {}), "three": ((3,), {})})
    behind(images, 3, "permute", "Permute", {"image": (((3, 1, 2),), {}), "sides": (((2, 1, 3),), {})})
    steps("permute_steps", ["Permute"], lambda L: [L.Dense(3, activation="tanh"), L.Permute((2, 1)), L.Dense(4, activation="elu")])
    steps("repeat_vector", ["RepeatVector"], lambda L: [L.Flatten(), L.Dense(4, activation="tanh"), L.RepeatVector(3), L.Dense(2, activation="elu")])
    images("group_norm", ["GroupNormalization groups=2"], lambda L: [L.Conv2D(6, 3), L.GroupNormalization(2), L.Activation("elu")], optimizer=ADAM)
    images("group_norm_each", ["GroupNormalization groups=-1", "center=false"], lambda L: [
        L.Conv2D(4, 3), L.GroupNormalization(-1, epsilon=0.01, center=False), L.Activation("elu")])
    images("group_norm_axis", ["GroupNormalization axis=1 groups=1", "scale=false"], lambda L: [
        L.Conv2D(4, (3, 2), **first), L.GroupNormalization(1, axis=1, scale=False), L.Activation("relu")])
    steps("group_norm_steps", ["GroupNormalization of sequences", "gamma_regularizer"], lambda L: [
        L.Conv1D(6, 3), L.GroupNormalization(3, gamma_regularizer="l2"), L.Activation("elu")], optimizer=ADAM)
    images("spatial_dropout", ["SpatialDropout2D and 1D rate=0: the files"], lambda L: [
        L.Conv2D(4, 3), L.SpatialDropout2D(0.0), L.Reshape((20, 4)), L.SpatialDropout1D(0.0, seed=3)])

    # ---- whole networks

    images("lenet", ["Conv2D", "AveragePooling2D", "Adam", "validation"], lambda L: [
        L.Conv2D(4, 3, padding="same", activation="tanh"), L.AveragePooling2D(2), L.Conv2D(6, 2, activation="tanh"), L.MaxPooling2D((2, 1)),
        L.Flatten(), L.Dense(8, activation="tanh")], optimizer=ADAM, validation={"first": 9}, epochs=3)
    images("mobile", ["DepthwiseConv2D", "BatchNormalization", "ReLU 6", "GlobalAveragePooling2D"], lambda L: [
        L.Conv2D(4, 3, strides=2, padding="same", use_bias=False), L.BatchNormalization(), L.ReLU(6.0),
        L.DepthwiseConv2D(3, padding="same", use_bias=False), L.BatchNormalization(), L.ReLU(6.0),
        L.Conv2D(6, 1, use_bias=False), L.BatchNormalization(), L.ReLU(6.0), L.GlobalAveragePooling2D()], epochs=3)
    steps("wave", ["Conv1D causal, dilated more and more", "GlobalMaxPooling1D"], lambda L: [
        L.Conv1D(4, 2, padding="causal", dilation_rate=d, activation="elu") for d in (1, 2, 4)] + [L.GlobalMaxPooling1D()], optimizer=ADAM, epochs=3)

    def residual():
        import keras
        L = keras.layers
        x = keras.Input((7, 6, 2))
        y = L.Conv2D(4, 3, padding="same", activation="elu")(x)
        for _ in range(2):
            inner = L.BatchNormalization()(L.Conv2D(4, 3, padding="same", use_bias=False)(y))
            y = L.Activation("elu")(L.Add()([y, inner]))
        return keras.Model(x, L.Dense(3, activation="softmax")(L.GlobalAveragePooling2D()(y)))

    case("E", "residual_images", ["functional", "residual blocks of Conv2D"], model=residual, x="images", y="y_images", optimizer=MOMENTUM, epochs=3)


def max_norm(value, axis):
    import keras
    return keras.constraints.MaxNorm(value, axis=axis)
