#!/usr/bin/env bash
# ONNX Runtime's Sigmoid on a CPU is right to about 2e-7 of the whole, not of the number: low probabilities are noise. A
# logit of -17 becomes more than twice what it should be, one of -16 half of it, and all from -18 down are 0, whose
# logarithm is infinite. And it is not monotone: of logits in rising order thousands of steps go down, at both ends, so a
# rank by probability is not the rank by logit. Softmax of the logit and 0, the same function, is right to 1e-6 of the
# number and never goes down. (ARM's kernel differs in detail and may go below 0.) Seen with onnxruntime 1.32.0 on x86-64.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def run(operator, logits, **options):
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"], **options)], "one", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": logits})[0]


logits = np.linspace(-30, 30, 200001).astype(np.float32)
true = 1 / (1 + np.exp(-logits.astype(np.float64)))
sigmoid = run("Sigmoid", logits)
softmax = run("Softmax", np.stack([logits, np.zeros_like(logits)], axis=1), axis=1)[:, 0]
middle, low = abs(logits) < 5, (logits > -17.9) & (logits < -15)
print("onnxruntime", onnxruntime.__version__)
off = {name: float(abs(made[low] / true[low] - 1).max()) for name, made in (("Sigmoid", sigmoid), ("Softmax", softmax))}
print(f"logits from -17.9 to -15: off by up to {off['Sigmoid']:.2f} of the number, Softmax by {off['Softmax']:.0e}")
down = {name: int((np.diff(made) < 0).sum()) for name, made in (("Sigmoid", sigmoid), ("Softmax", softmax))}
print(f"steps down among {len(logits) - 1} of rising logits: {down['Sigmoid']}, of Softmax {down['Softmax']}")
ends = float(sigmoid[logits <= -18].max()), float(softmax[logits <= -18].min())
print(f"greatest probability from -18 down: {ends[0]}; least by Softmax: {ends[1]:.1e}")
print(f"off by {float(abs(sigmoid - true).max()):.1e} of 1 at most")
seen = off["Sigmoid"] > 0.5 and off["Softmax"] < 1e-5 and down["Sigmoid"] > 100 and not down["Softmax"]
sys.exit(0 if seen and ends[0] <= 0 < ends[1] else 1)
PYTHON
