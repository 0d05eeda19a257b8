"""Pictures, and what Keras' image_dataset_from_directory makes of them.

Writes images/CLASS/NAME.{png,jpg} and images/expected.npz: for each way to resize and each
color mode the rows of all pictures, sorted, as float32. Run it with a Keras that has TensorFlow.
"""

import os
import pathlib
import shutil

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).parent / "images"
SIZES = {"small": (12, 16), "large": (40, 30)}


def photo(height, width, channels, seed):
    """Smooth shapes with a little noise, as photographs have them."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [
        120 + 70 * np.sin(x / (5 + 3 * c) + seed) + 50 * np.cos(y / (4 + 2 * c)) + random.normal(0, 4, x.shape)
        for c in range(channels)
    ]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def write(name, data):
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.numpy())


shutil.rmtree(HERE, ignore_errors=True)
write("a/1.jpg", tf.io.encode_jpeg(photo(33, 50, 3, 1), quality=90))
write("a/2.jpg", tf.io.encode_jpeg(photo(24, 24, 1, 2), quality=90))
write("a/3.jpg", tf.io.encode_jpeg(photo(50, 21, 3, 3), quality=90, progressive=True, chroma_downsampling=False))
write("b/1.png", tf.io.encode_png(photo(31, 45, 3, 4)))
write("b/2.png", tf.io.encode_png(photo(20, 9, 4, 5)))
write("b/3.png", tf.io.encode_png(photo(12, 16, 1, 6)))
write("b/4.png", tf.io.encode_png(photo(10, 30, 2, 7)))
write("b/5.png", tf.io.encode_png(photo(7, 11, 1, 8).astype(np.uint16) * 256 + 77))

expected = {}
for size_name, size in SIZES.items():
    for mode in ("rgb", "grayscale"):
        for how in ("stretch", "crop", "pad"):
            rows = keras.utils.image_dataset_from_directory(
                HERE,
                image_size=size,
                color_mode=mode,
                shuffle=False,
                batch_size=None,
                crop_to_aspect_ratio=how == "crop",
                pad_to_aspect_ratio=how == "pad",
                verbose=False,
            )
            expected[f"{size_name}_{mode}_{how}"] = np.stack([x.numpy() for x, _ in rows]).astype(np.float16)
np.savez_compressed(HERE / "expected.npz", **expected)
print({name: array.shape for name, array in expected.items()})
