"""Makes the corpus of the fuzzer of exact snapshots anew, for when the format has changed.

usage: make_corpus.py DRIVER FOLDER

DRIVER is exact-driver. The test fuzz-corpus tells when that is needed. Each file is a snapshot of one of tests/exact/scripts at some instruction,
without header and trailer, and with nothing in the job's state but the script's text.
"""
import os
import subprocess
import sys
import tempfile

import msgpack

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "exact", "scripts")
TRAILER = 37

# Instructions before the save.
MOMENTS = {
    "calls": (60,), "closing-value": (40,), "closures-loop": (90,), "closures-shared": (60,),
    "coroutine-close": (110,), "coroutine-errors": (150,), "coroutine-generators": (77, 300),
    "coroutine-iterators": (100,), "coroutine-nested": (151, 350), "coroutine-pcall": (120,),
    "coroutine-varargs": (90,), "deep-recursion": (700,), "error-values": (120,),
    "finalizers-order": (1500, 5000), "finalizers-resurrect": (900,), "float-for": (50,), "gc-free": (60,), "generic-for": (45, 120), "goto-closures": (70,),
    "hanoi": (120,), "load-env": (60,), "load-reader": (70,), "load-text": (110,),
    "many-locals": (100,), "memoize": (100,), "meta-arith": (60, 130), "meta-call": (70,),
    "meta-compare": (70, 130), "meta-concat": (80, 150), "meta-index": (60,),
    "meta-len-unm": (70,), "meta-lt-only": (60,), "meta-newindex": (70,), "meta-yield": (120, 260),
    "methods": (60,), "nested-break": (70,), "numeric-for": (40,), "opcodes": (150, 700),
    "opcodes-calling": (200, 900), "pcall-loops": (80,), "pcall-nests": (60, 130),
    "results": (70,), "string-gmatch": (90, 200), "table-constructors": (60,),
    "tail-calls": (60,), "tbc-blocks": (60, 140), "tbc-coroutines": (90, 170),
    "tbc-errors": (80, 150), "tbc-returns": (60, 110), "uncaught-in-coroutine": (20,),
    "varargs": (60, 150), "weak-tables": (90,), "xpcall": (60, 130),
}


def strip(snapshot):
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False)
    unpacker.feed(snapshot)
    unpacker.skip()
    state = unpacker.unpack()
    return msgpack.packb({"script": state[b"script"]}) + snapshot[unpacker.tell():-TRAILER]


def read_snapshot(driver, script, moment, folder):
    """Returns the bytes, or None if the script has ended before that moment."""
    path = os.path.join(folder, "snapshot")
    subprocess.run([driver, "--after", str(moment), path, script], cwd=folder, check=False,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        snapshot = file.read()
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    return snapshot


def main():
    driver, target = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(target):
        os.remove(os.path.join(target, name))
    for name, moments in sorted(MOMENTS.items()):
        script = os.path.join(SCRIPTS, name + ".lua")
        for moment in moments:
            with tempfile.TemporaryDirectory() as folder:
                snapshot = read_snapshot(driver, script, moment, folder)
            if snapshot is None:
                print(f"{name} ends before instruction {moment}")
                continue
            with open(os.path.join(target, f"{name}-{moment}"), "wb") as file:
                file.write(strip(snapshot))


if __name__ == "__main__":
    main()
