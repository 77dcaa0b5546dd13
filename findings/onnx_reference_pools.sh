#!/usr/bin/env bash
# ONNX comes with a reference of its operators, to check other runtimes by. Its MaxPool with a stride of 1 takes the pads
# (above, left, below, right) in pairs: with one row below and one column to the right, which is how padding "SAME" is
# exported for a kernel of 2 x 2, 7 x 7 pixels become 6 x 8 instead of 7 x 7. Its AveragePool with ceil_mode and a stride
# of 3 has every value wrong: 4 where nine pixels have a mean of 8. ONNX Runtime is right in both, by NumPy. So where a
# network differs from the reference, the reference may be at fault. Seen with onnx 1.23.2 and onnxruntime 1.32.0.
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

pixels = np.arange(49, dtype=np.float32).reshape(1, 1, 7, 7)


def both(operator, side, **options):
    node = helper.make_node(operator, ["x"], ["y"], kernel_shape=[side, side], **options)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
    graph = helper.make_graph([node], "pool", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [runtime.run(None, {"x": pixels})[0][0, 0] for runtime in (session, ReferenceEvaluator(model))]


def by_numpy(measure, side, stride, pad, size):
    whole = np.pad(pixels[0, 0], ((0, pad), (0, pad)), constant_values=np.nan)
    starts = range(0, size * stride, stride)
    return np.array([[measure(whole[row : row + side, column : column + side]) for column in starts] for row in starts])


print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
greatest = both("MaxPool", 2, strides=[1, 1], pads=[0, 0, 1, 1])
mean = both("AveragePool", 3, strides=[3, 3], ceil_mode=1)
true = by_numpy(np.nanmax, 2, 1, 1, 7), by_numpy(np.nanmean, 3, 3, 2, 3)
right = [np.array_equal(found[0], expected) for found, expected in zip((greatest, mean), true, strict=True)]
print(f"MaxPool: {greatest[0].shape} in ONNX Runtime, {greatest[1].shape} in the reference; NumPy {true[0].shape}")
rows = [found[0].tolist() for found in (*mean, true[1])]
print(f"AveragePool: {rows[0]} in ONNX Runtime, {rows[1]} in the reference; NumPy {rows[2]}")
sys.exit(0 if all(right) and greatest[1].shape == (6, 8) and (mean[1] != true[1]).all() else 1)
PYTHON
