"""Makes tests/fuzz/corpus anew: snapshots of scripts that were stopped at many places.

usage: make-corpus.py DRIVER     (exact-driver, which the tests build)
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "..", "exact", "scripts")
CORPUS = os.path.join(HERE, "corpus")
LARGEST = 9000  # bytes

# Scripts, and after how many instructions they are stopped.
STOPS = {
    "calls": [40], "closing-value": [60], "closures-shared": [70], "coroutine-nested": [55, 120],
    "coroutine-pcall": [50], "coroutine-close": [45], "coroutine-generators": [80],
    "coroutine-iterators": [90], "coroutine-values": [60], "error-values": [50],
    "float-for": [30], "generic-for": [60, 110], "goto-closures": [40], "load-env": [40],
    "load-text": [50], "meta-arith": [60], "meta-call": [50], "meta-compare": [60],
    "meta-concat": [45], "meta-index": [50], "meta-lt-only": [40], "meta-yield": [60],
    "numeric-for": [50], "pcall-nests": [60, 100], "string-gmatch": [40, 70], "tail-calls": [50],
    "tbc-blocks": [50, 90], "tbc-coroutines": [70], "tbc-returns": [60], "utf8": [40],
    "values": [60], "varargs": [45, 80], "weak-tables": [50], "xpcall": [45, 80],
}


def main(driver):
    shutil.rmtree(CORPUS, ignore_errors=True)
    os.mkdir(CORPUS)
    kept = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, stops in STOPS.items():
            for stop in stops:
                snapshot = os.path.join(folder, "snapshot")
                for old in glob.glob(glob.escape(snapshot) + "*"):
                    os.remove(old)
                subprocess.run([driver, "--after", str(stop), snapshot,
                                os.path.join(SCRIPTS, name + ".lua")], check=False, cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                if not os.path.exists(snapshot) or os.path.getsize(snapshot) > LARGEST:
                    print(f"{name}, {stop}: none, or too large", file=sys.stderr)
                    continue
                shutil.copy(snapshot, os.path.join(CORPUS, f"{name}-{stop}.ckpt"))
                kept += 1
    print(kept, "snapshots")


main(os.path.abspath(sys.argv[1]))
