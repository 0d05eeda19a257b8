"""Reads a run's TensorBoard files with TensorBoard's own reader, and compares them with its other files.

    events.py RUN
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def
from tensorboard.plugins.hparams import metadata
from tensorboard.util import tensor_util


def read(folder):
    """The values of a folder's events by plugin and tag: pairs of step and array. Without validation it is not there."""
    if not folder.exists():
        return {}
    reader = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    found = {}
    for tag in reader.Tags()["tensors"]:
        plugin = reader.SummaryMetadata(tag).plugin_data
        values = [(event.step, tensor_util.make_ndarray(event.tensor_proto)) for event in reader.Tensors(tag)]
        found.setdefault(plugin.plugin_name, {})[tag] = (plugin.content, values)
    return found


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def same(tag, values, expected):
    """Fails unless a tag has these values, in single precision, at these steps."""
    steps = [step for step, _ in values]
    assert steps == [step for step, _ in expected], f"{tag}: at {steps}"
    found = np.array([value.item() for _, value in values], np.float32)
    with np.errstate(over="ignore"):
        wanted = np.array([value for _, value in expected]).astype(np.float32)
    np.testing.assert_array_equal(found, wanted, tag)


def check_history(run, train, validation):
    history = rows(run / "history.csv")
    names = [name for name in history[0] if name not in ("epoch", "seconds")]
    for name in names:
        folder, tag = (validation, name.removeprefix("val_")) if name.startswith("val_") else (train, name)
        expected = [(int(row["epoch"]), float(row[name])) for row in history]
        same(f"epoch_{tag}", folder["scalars"][f"epoch_{tag}"][1], expected)
    for tag, (_, values) in validation.get("scalars", {}).items():
        if tag.startswith("evaluation_"):
            name = "val_" + tag.removeprefix("evaluation_").removesuffix("_vs_iterations")
            steps = [step for step, _ in values]
            assert steps == sorted(set(steps)), f"{tag}: at {steps}"
            same(tag, values, list(zip(steps, [float(row[name]) for row in history])))
    return len(names)


def check_health(run, train):
    """What is in `health.csv` at a step that TensorBoard's files have is the same there."""
    if not (run / "health.csv").exists():
        return 0
    health = {(int(row["step"]), row["layer"]): row for row in rows(run / "health.csv")}
    layers = {layer for _, layer in health}
    checked = 0
    for tag, (_, values) in train["scalars"].items():
        column, _, layer = tag.partition("/")
        if layer in layers:
            expected = [(step, float(health[step, layer][column])) for step, _ in values]
            same(tag, values, expected)
            checked += len(values)
    first, last = min(step for step, _ in health), max(step for step, _ in health)
    written = {step for step, _ in train["scalars"][next(t for t in train["scalars"] if t.startswith("gradient_norm/"))][1]}
    assert first in written and written <= {step for step, _ in health}, f"{written}, {first}, {last}"
    return checked


def check_histograms(train):
    histograms = train["histograms"]
    for tag, (_, values) in histograms.items():
        counts = []
        for step, bins in values:
            assert bins.ndim == 2 and bins.shape[1] == 3 and len(bins) <= 64, f"{tag}: {bins.shape}"
            left, right, count = bins.T
            assert (left <= right).all() and (right[:-1] <= left[1:]).all() and (count > 0).all(), f"{tag}: {bins}"
            counts.append(count.sum())
        # A weight has as many numbers in each epoch.
        assert not tag.endswith("/histogram") or len(set(counts)) == 1, f"{tag}: {counts}"
    return len(histograms)


def main(run):
    train, validation = read(run / "events/train"), read(run / "events/validation")
    of_run = read(run / "events")
    names, health = check_history(run, train, validation), check_health(run, train)
    histograms = check_histograms(train)
    graph = json.loads(train["graph_keras_model"]["keras"][1][0][1].item())
    nodes = keras_model_to_graph_def(graph).node
    assert len(nodes) > 1, "the graph has no layers"
    text = of_run["text"]["config"][1][0][1].item().decode()
    config = (run / "config.toml").read_text()
    assert [line.removeprefix("    ") for line in text.splitlines()] == config.splitlines(), text
    start, _ = of_run["hparams"][metadata.SESSION_START_INFO_TAG]
    hparams = metadata.parse_session_start_info_plugin_data(start).hparams
    assert f"batch_size = {hparams['batch_size'].number_value:.0f}\n" in config, hparams
    end, _ = of_run["hparams"][metadata.SESSION_END_INFO_TAG]
    assert metadata.parse_session_end_info_plugin_data(end).status == 1, "the session has not succeeded"
    print(f"{run}: TensorBoard reads {names} columns of the history, {health} values of health, "
          f"{histograms} histograms, {len(nodes)} nodes and {len(hparams)} hyper-parameters")


main(Path(sys.argv[1]))
