"""Train a small neural network on the points of points.csv, in plain Python.

It shows what a script can do as a run of the app: read files beside it, report progress and metrics, save files, end
early when it is stopped, and continue where an earlier attempt has ended.
"""

import argparse
import csv
import json
import math
import os
import random
import signal
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=500, help="passes over the training points")
parser.add_argument("--lr", type=float, default=0.3, help="learning rate")
parser.add_argument("--hidden", type=int, default=8, help="number of hidden units")
args = parser.parse_args()

output = Path(os.environ.get("AUTOTRAIN_OUTPUT_DIR", "output"))
output.mkdir(exist_ok=True)
rng = random.Random(int(os.environ.get("AUTOTRAIN_SEED", "42")))
stopped = False


def stop(number, frame):
    """Save and exit after this epoch: Stop sends SIGTERM."""
    global stopped
    stopped = True


signal.signal(signal.SIGTERM, stop)

with open("points.csv", newline="") as file:
    points = [((float(row["x"]), float(row["y"])), int(row["inside"])) for row in csv.DictReader(file)]
rng.shuffle(points)
validation, training = points[:80], points[80:]
print(f"{len(training)} training points, {len(validation)} validation points")

first_epoch = 0
network = {
    "hidden": [[rng.gauss(0, 1) for _ in range(3)] for _ in range(args.hidden)],
    "out": [rng.gauss(0, 1) for _ in range(args.hidden + 1)],
}
saved = Path(os.environ.get("AUTOTRAIN_PREVIOUS_OUTPUT", "no earlier attempt")) / "network.json"
if saved.is_file():
    state = json.loads(saved.read_text())
    network, first_epoch = state["network"], state["epoch"]
    print(f"Continuing after epoch {first_epoch}")


def forward(point):
    """Return the activations of the hidden units, and the probability that a point is inside."""
    hidden = [math.tanh(a * point[0] + b * point[1] + c) for a, b, c in network["hidden"]]
    total = sum(w * h for w, h in zip(network["out"], [*hidden, 1.0], strict=True))
    return hidden, 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def evaluate(rows):
    """Return the mean log loss and the accuracy."""
    answers = [(forward(point)[1], label) for point, label in rows]
    loss = -sum(math.log(max(1e-9, p if label else 1 - p)) for p, label in answers) / len(rows)
    return loss, sum((p > 0.5) == bool(label) for p, label in answers) / len(rows)


for epoch in range(first_epoch + 1, args.epochs + 1):
    rng.shuffle(training)
    for point, label in training:
        hidden, probability = forward(point)
        error = probability - label
        for number, unit in enumerate(network["hidden"]):
            gradient = error * network["out"][number] * (1 - hidden[number] ** 2)
            for place, value in enumerate((*point, 1.0)):
                unit[place] -= args.lr * gradient * value / 4
        for number, value in enumerate([*hidden, 1.0]):
            network["out"][number] -= args.lr * error * value / 4
    loss, accuracy = evaluate(training)
    val_loss, val_accuracy = evaluate(validation)
    print(f"@progress step={epoch} total={args.epochs}")
    row = {"step": epoch, "loss": loss, "val_loss": val_loss, "accuracy": accuracy, "val_accuracy": val_accuracy}
    print(json.dumps(row))
    (output / "network.json").write_text(json.dumps({"epoch": epoch, "network": network}))
    if stopped:
        print(f"Stopped after epoch {epoch}")
        break

(output / "metrics.json").write_text(
    json.dumps({"val_loss": evaluate(validation)[0], "val_accuracy": evaluate(validation)[1]})
)
print("Saved", ", ".join(sorted(file.name for file in output.iterdir())))
