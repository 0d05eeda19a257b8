"""What a PyTorch user writes for the book's network on Fashion-MNIST: `torch_script.py EPOCHS FOLDER`.

The settings are those of recipes/fashion-mnist.toml; batches by `TensorDataset` and `DataLoader` as in
PyTorch's tutorials, the state saved after each epoch.
"""

import gzip
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

epochs, folder = int(sys.argv[1]), sys.argv[2]
DATA = "/usr/share/datasets/fashion-mnist"


def read(name, offset):
    with gzip.open(f"{DATA}/{name}.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def rows(name):
    x = read(f"{name}-images-idx3-ubyte", 16).reshape(-1, 28, 28) / np.float32(255)
    return torch.from_numpy(x), torch.from_numpy(read(f"{name}-labels-idx1-ubyte", 8).astype(np.int64))


x, y = rows("train")
train = DataLoader(TensorDataset(x[5000:], y[5000:]), batch_size=32, shuffle=True)
validation = DataLoader(TensorDataset(x[:5000], y[:5000]), batch_size=32)
test = DataLoader(TensorDataset(*rows("t10k")), batch_size=32)

torch.manual_seed(42)
model = nn.Sequential(
    nn.Flatten(), nn.Linear(784, 300), nn.ELU(), nn.Linear(300, 100), nn.ELU(), nn.Linear(100, 10)
)
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)


def evaluate(loader):
    model.eval()
    loss = correct = 0
    with torch.no_grad():
        for xb, yb in loader:
            logits = model(xb)
            loss += loss_fn(logits, yb).item() * len(xb)
            correct += (logits.argmax(1) == yb).sum().item()
    return loss / len(loader.dataset), correct / len(loader.dataset)


for epoch in range(epochs):
    model.train()
    for xb, yb in train:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
    loss, accuracy = evaluate(validation)
    print(f"epoch {epoch + 1}: val_loss: {loss:.4f} val_accuracy: {accuracy:.4f}", flush=True)
    torch.save(model.state_dict(), f"{folder}/checkpoint.pt")
print(evaluate(test))
