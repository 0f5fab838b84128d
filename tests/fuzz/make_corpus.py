"""Makes the corpus of the fuzzer of exact snapshots anew, for when the format has changed.

usage: make_corpus.py DRIVER FOLDER

DRIVER is exact-driver. The test fuzz-corpus tells when that is needed. Each file is a snapshot of one
of tests/exact/scripts, or of a text here, at some instruction, without header and trailer, and with
nothing in the job's state but the script's text; or, in one, with all that was in header and state.
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
    "address-collected": (700, 2500), "address-others": (300,), "address-tables": (400, 1500),
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


# What scripts there do not have: functions of a module that is not written in Lua. The fuzzer's own
# module has functions of these names.
TEXTS = {
    "native": ("""package.loaded.native = { one = ("a"):gmatch("a"), two = ("b"):gmatch("b") }
local one, two, t = package.loaded.native.one, package.loaded.native.two, {}
local function call(f) t[f] = one; one = two; return f end
for i = 1, 5 do t[i] = i % 2 == 0 and two or { call(one), [one] = i } end
""", (70,)),
}
WHOLE = "random"  # of which header and state are kept


def strip(snapshot, whole):
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False)
    unpacker.feed(snapshot)
    header, state = unpacker.unpack(), unpacker.unpack()
    if whole:
        kept = {**header, **state, b"host": b"node", b"place": b"random.lua:3"}
        for run in kept[b"runs"]:
            run[b"host"] = b"node"
        packed = msgpack.packb(kept, use_bin_type=False)
    else:
        packed = msgpack.packb({"script": state[b"script"]})
    return packed + snapshot[unpacker.tell():-TRAILER]


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


def write(driver, target, script, name, moments, whole=False):
    """Writes the files NAME-MOMENT of a script."""
    for moment in moments:
        with tempfile.TemporaryDirectory() as folder:
            snapshot = read_snapshot(driver, script, moment, folder)
        if snapshot is None:
            print(f"{name} ends before instruction {moment}")
            continue
        with open(os.path.join(target, f"{name}-{moment}"), "wb") as file:
            file.write(strip(snapshot, whole))


def main():
    driver, target = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(target):
        os.remove(os.path.join(target, name))
    for name, moments in sorted(MOMENTS.items()):
        write(driver, target, os.path.join(SCRIPTS, name + ".lua"), name, moments)
    write(driver, target, os.path.join(SCRIPTS, WHOLE + ".lua"), "header", (60,), whole=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, (text, moments) in TEXTS.items():
            script = os.path.join(folder, name + ".lua")
            with open(script, "w", encoding="utf-8") as file:
                file.write(text)
            write(driver, target, script, name, moments)


if __name__ == "__main__":
    main()
