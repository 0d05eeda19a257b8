"""Small experiments of every kind, and the data for them, for the runs that kill and that break writes."""

import random
import struct
import zlib
from pathlib import Path

DENSE = """
[data]
dataset = "digits"
validation = { fraction = 0.1 }
[model]
layers = [
  { type = "Flatten" },
  { type = "Dense", units = 96, activation = "elu", kernel_initializer = "he_normal" },
  %s
  { type = "Dense", units = 10, activation = "softmax" },
]
[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
epochs = %d
"""
NOISY = """{ type = "BatchNormalization" }, { type = "Dropout", rate = 0.2 },
  { type = "Dense", units = 48 }, { type = "PReLU" }, { type = "GaussianNoise", stddev = 0.1 },"""
PLAIN = '{ type = "Dense", units = 48, activation = "elu" },'
TABLE = """
[data]
table = "table.csv"
target = "%s"
validation = { fraction = 0.2 }
%s
[model]
recipe = "default"
hidden = [32, 16]
[train]
epochs = %d
"""
PICTURES = """
[data]
images = "faces"
size = [12, 12]
validation = { fraction = 0.2 }
%s
[model]
layers = [
  { type = "RandomFlip" },
  { type = "Flatten" },
  { type = "Dense", units = 32, activation = "relu" },
  { type = "Dropout", rate = 0.1 },
  { type = "Dense", units = 3, activation = "softmax" },
]
[train]
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
optimizer = "Adam"
epochs = %d
"""


def all_of_them(epochs):
    """Each experiment by name: its configuration, and arguments beside it."""
    e = epochs
    return {
        "recipe": ('model = { recipe = "default", hidden = [64, 32] }\n[data]\ndataset = "digits"\n'
                   f"validation = {{ fraction = 0.1 }}\n[train]\nepochs = {2 * e}\n", []),
        "noise": (DENSE % (NOISY, e) + 'optimizer = { type = "Nadam", clipnorm = 1.0 }\n', []),
        "average": (DENSE % (PLAIN, e) + 'optimizer = { type = "Adam", use_ema = true, ema_overwrite_frequency = 40, '
                    "global_clipnorm = 1.0 }\n", []),
        "pruning": (DENSE % (NOISY, e) + 'optimizer = { type = "Adam", use_ema = true }\n'
                    "[callbacks]\npruning = { final_sparsity = 0.8, frequency = 7 }\n"
                    "early_stopping = { patience = 40, restore_best_weights = true }\n", []),
        "accumulation": (DENSE % (NOISY, e) + 'optimizer = { type = "Lamb", gradient_accumulation_steps = 3 }\n', []),
        "bfloat16": (DENSE % (PLAIN, e) + 'precision = "mixed_bfloat16"\noptimizer = "SGD"\n', []),
        "schedule": (DENSE % (PLAIN, e) + 'optimizer = { type = "SGD", momentum = 0.9, nesterov = true }\n'
                     'schedule = { type = "OneCycle", max_rate = 0.05 }\nclass_weight = "balanced"\n', []),
        "auto": (DENSE % (PLAIN, e) + 'learning_rate = "auto"\noptimizer = "Nadam"\n', []),
        "mixup": (DENSE % (PLAIN, e) + 'mixup = 0.2\noptimizer = "AdamW"\n', []),
        "callbacks": (DENSE % (PLAIN, 2 * e) + 'optimizer = "RMSprop"\n[callbacks]\n'
                      "early_stopping = { patience = 4, restore_best_weights = true }\n"
                      "reduce_lr_on_plateau = { patience = 1, factor = 0.5 }\n"
                      'csv_logger = { filename = "OUT.csv" }\n'
                      'model_checkpoint = { filepath = "OUT-best.keras", save_best_only = true }\n', []),
        "unfreezing": (DENSE % (PLAIN, e) + 'optimizer = "Adam"\n[callbacks]\ngradual_unfreezing = '
                       "{ stages = [{ epoch = 0, layers = 1 }, { epoch = 2, layers = 2 }, { epoch = 4, layers = 3 }] }\n",
                       []),
        "table": (TABLE % ("class", "", e), []),
        "numbers": (TABLE % ("price", "", e), []),
        "stream": (TABLE % ("price", 'memory = "60 kB"', e), []),
        "folds": (TABLE % ("class", "", max(2, e // 3)), ["--folds", "3"]),
        "pictures": (PICTURES % ("", e), []),
        "streamed-pictures": (PICTURES % ('memory = "120 kB"', e), []),
        "autoencoder": (DENSE % (PLAIN, e // 2) + f'optimizer = "Adam"\n[pretrain]\ntype = "autoencoder"\ngreedy = true\nepochs = {e // 2}\n',
                        []),
        "masked": (TABLE % ("price", "", e // 2) + f'[pretrain]\ntype = "masked_features"\nepochs = {e}\n', []),
        "siamese": (DENSE % (PLAIN, e // 2) + f'optimizer = "Adam"\n[pretrain]\ntype = "siamese"\nnoise = 0.1\nepochs = {e // 2}\n', []),
    }


def write_data(folder: Path):
    """A table with texts and gaps, and a folder of pictures."""
    draw = random.Random(5)
    lines = ["size,rooms,city,built,price,class"]
    for _ in range(4000):
        size, rooms = draw.gauss(80, 25), draw.randint(1, 6)
        city = draw.choice(["Oslo", "Bern", "Rome", "Riga"])
        price = 3 * size + 20 * rooms + 40 * len(city) + draw.gauss(0, 10)
        size_text = "" if draw.random() < 0.02 else f"{size:.2f}"
        lines.append(f"{size_text},{rooms},{city},{draw.randint(1900, 2020)},{price:.2f},"
                     f"{'dear' if price > 480 else 'cheap' if price < 420 else 'fair'}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    for number, name in enumerate(["dark", "grey", "light"]):
        place = folder / "faces" / name
        place.mkdir(parents=True, exist_ok=True)
        for n in range(200):
            rows = b"".join(b"\0" + bytes(min(255, max(0, int(draw.gauss(60 + 60 * number, 40)))) for _ in range(36))
                            for _ in range(12))
            (place / f"{n}.png").write_bytes(png(12, 12, rows))


def png(width, height, rows):
    """A picture of 8-bit RGB; `rows` have their filter bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
