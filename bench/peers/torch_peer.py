"""PyTorch on the CPU, eager or compiled: a plain training loop on in-memory tensors.

A batch is `x[perm[i:i+b]]`, which is faster than a DataLoader for data in memory.
"""

import sys
import time

import torch
from torch import nn

import common

ACTIVATIONS = {"elu": nn.ELU, "relu": nn.ReLU, "selu": nn.SELU}


def batch_norm(width):
    return nn.BatchNorm1d(width, eps=common.BN_EPSILON, momentum=1 - common.BN_MOMENTUM)


def build(w):
    layers = [batch_norm(common.PIXELS)] if w.input_bn else []
    fan_in = common.PIXELS
    for width in w.hidden:
        dense = nn.Linear(fan_in, width, bias=not w.bn)
        gain = 1.0 if w.init == "lecun_normal" else 2.0
        nn.init.normal_(dense.weight, std=(gain / fan_in) ** 0.5)
        if dense.bias is not None:
            nn.init.zeros_(dense.bias)
        layers.append(dense)
        if w.bn:
            layers.append(batch_norm(width))
        layers.append(ACTIVATIONS[w.activation]())
        if w.dropout:
            layers.append(nn.Dropout(w.dropout))
        fan_in = width
    out = nn.Linear(fan_in, common.CLASSES)
    nn.init.xavier_uniform_(out.weight)
    nn.init.zeros_(out.bias)
    return nn.Sequential(*layers, out)


def main():
    args = common.arguments(mode={"choices": ["eager", "compile"], "default": "eager"})
    w = common.workload(args.workload)
    torch.set_num_threads(common.cores())
    torch.manual_seed(args.seed)

    x, y = (torch.from_numpy(a) for a in common.load(args.data, w.rows))
    y = y.long()
    if w.epoch:
        x_val, y_val = x[: common.HELD_OUT], y[: common.HELD_OUT]
        x, y = x[common.HELD_OUT :].clone(), y[common.HELD_OUT :].clone()

    model = build(w)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=w.learning_rate, momentum=common.MOMENTUM, nesterov=True, fused=True
    )
    forward = torch.compile(model) if args.mode == "compile" else model

    def step(rows):
        xb, yb = x[rows], y[rows]
        optimizer.zero_grad(set_to_none=True)
        logits = forward(xb)
        loss = loss_fn(logits, yb)
        loss.backward()
        optimizer.step()
        return loss.detach(), logits.detach(), yb

    def batches():
        """Batches for ever, a new permutation for each epoch, whole batches only."""
        while True:
            perm = torch.randperm(len(x))
            for i in range(0, len(x) - w.batch + 1, w.batch):
                yield perm[i : i + w.batch]

    result = {
        "peer": "torch-" + args.mode,
        "workload": args.workload,
        "version": f"torch {torch.__version__}",
        "threads": torch.get_num_threads(),
    }

    if not w.epoch:
        rows = batches()
        late = torch.zeros(())
        model.train()
        for i in range(w.loss_steps):
            loss, _, _ = step(next(rows))
            if i >= w.loss_steps // 2:
                late += loss
        result["loss"] = late.item() / (w.loss_steps - w.loss_steps // 2)
        result["loss_steps"] = w.loss_steps

        total, steps = torch.zeros(()), 0
        rows = batches()
        whole = len(x) // w.batch if w.rows else 1
        start = time.perf_counter()
        while True:
            loss, _, _ = step(next(rows))
            total += loss
            steps += 1
            seconds = time.perf_counter() - start
            if seconds >= args.seconds and steps % whole == 0:
                break
        if not torch.isfinite(total):
            print("loss is not finite", file=sys.stderr)
        common.report(**result, us_per_step=seconds / steps * 1e6, steps=steps)
        return

    def epoch():
        model.train()
        perm = torch.randperm(len(x))
        total, correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for i in range(0, len(x), w.batch):
            rows = perm[i : i + w.batch]
            loss, logits, yb = step(rows)
            total += loss * len(rows)
            correct += (logits.argmax(1) == yb).sum()
        model.eval()
        val_total, val_correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        with torch.no_grad():
            for i in range(0, len(x_val), common.VALIDATION_BATCH):
                xb = x_val[i : i + common.VALIDATION_BATCH]
                yb = y_val[i : i + common.VALIDATION_BATCH]
                logits = forward(xb)
                val_total += loss_fn(logits, yb) * len(xb)
                val_correct += (logits.argmax(1) == yb).sum()
        return {
            "loss": total.item() / len(x),
            "accuracy": correct.item() / len(x),
            "val_loss": val_total.item() / len(x_val),
            "val_accuracy": val_correct.item() / len(x_val),
        }

    first = epoch()  # also the warm-up
    epochs = 0
    start = time.perf_counter()
    while True:
        epoch()
        epochs += 1
        seconds = time.perf_counter() - start
        if seconds >= args.seconds:
            break
    steps = epochs * -(-len(x) // w.batch)
    common.report(
        **result,
        **first,
        loss_steps=steps // epochs,
        us_per_step=seconds / steps * 1e6,
        steps=steps,
        seconds_per_epoch=seconds / epochs,
    )


main()
