#!/usr/bin/env bash
# When a worker's process ends, Ray prints a paragraph about it to the standard output of the program that calls it,
# with log_to_driver=False and logging_level="error" too: a program that writes its results there has them mixed.
# Ray also sets a handler of SIGTERM in ray.init, in the place of the program's own. Seen with Ray 2.60.0.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ray==2.60.0
export RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=token RAY_AUTH_TOKEN=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
export RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0
cat > "$folder/program.py" <<'PYTHON'
import os
import signal
import sys
import time

import ray


class Worker:
    def end(self):
        os.kill(os.getpid(), signal.SIGKILL)


def mine(number, frame):
    pass


signal.signal(signal.SIGTERM, mine)
ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error")
print("Ray", ray.__version__, file=sys.stderr)
print("SIGTERM's handler is still the program's:", signal.getsignal(signal.SIGTERM) is mine, file=sys.stderr)
try:
    ray.get(ray.remote(Worker).remote().end.remote())
except ray.exceptions.RayActorError:
    time.sleep(5)
PYTHON
"$folder/venv/bin/python" "$folder/program.py" > "$folder/stdout" 2> "$folder/stderr" || true
grep -E "^(Ray|SIGTERM)" "$folder/stderr"
echo "On standard output: $(head -c 120 "$folder/stdout")"
grep -q "A worker died or was killed" "$folder/stdout" && grep -q "program's: False" "$folder/stderr"
