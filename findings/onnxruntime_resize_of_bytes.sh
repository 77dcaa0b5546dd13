#!/usr/bin/env bash
# Resize with mode "linear" makes a mask of bytes larger. ONNX Runtime cuts the fractions off: between 0 and 255 it puts 63
# and 191 where 63.75 and 191.25 are meant, so a soft mask loses half a level on average, at each enlargement. With
# antialias=1, which changes nothing where pictures grow, as floats show, it rounds, twice and upwards, and is a quarter of
# a level too bright. ONNX's reference is off by neither. So two exports of one network differ by a flag that is without
# meaning. Seen with onnxruntime 1.32.0 and onnx 1.23.2.
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
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def enlarged(values, kind, antialias, reference=False):
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="linear", antialias=antialias)
    x, y = (helper.make_tensor_value_info(name, kind, None) for name in "xy")
    scales = helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 2, 2])
    graph = helper.make_graph([node], "enlarge", [x], [y], [scales])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    if reference:
        return ReferenceEvaluator(model).run(None, {"x": values})[0]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": values})[0]


mask = np.random.default_rng(0).integers(0, 256, (1, 1, 60, 60)).astype(np.uint8)
meant, smoothed = (enlarged(mask.astype(np.float32), TensorProto.FLOAT, antialias) for antialias in (0, 1))
print("onnxruntime", onnxruntime.__version__, "onnx", onnx.__version__)
made = {name: enlarged(mask, TensorProto.UINT8, antialias) for name, antialias in (("plain", 0), ("antialias", 1))}
made["reference"] = enlarged(mask, TensorProto.UINT8, 0, reference=True)
bias = {name: round(float((pixels - meant).mean()), 2) for name, pixels in made.items()}
print("levels above or below what floats give, on average:", bias)
cut = np.array_equal(made["plain"], np.floor(meant))
print("plain is the floats with their fractions cut off:", cut)
print("floats with and without antialias differ by", float(abs(meant - smoothed).max()))
seen = cut and abs(meant - smoothed).max() < 1e-3 and bias["plain"] < -0.4 and bias["antialias"] > 0.2
sys.exit(0 if seen and abs(bias["reference"]) < 0.1 else 1)
PYTHON
