#!/usr/bin/python3
"""The state of state.lua, saved and loaded by Python's msgpack (its C module) and by pickle.

Arguments: folder, share of the full size, rounds. Prints "msgpack.save S pickle.save S
msgpack.load S pickle.load S", seconds of CPU, once a round. Python's collector is off while they
run, which is its faster way.
"""

import gc
import os
import pickle
import sys
import time

import msgpack


def make(share):
    return {
        "floats": [i * 0.7310585786300049 for i in range(1, int(2000000 * share) + 1)],
        "names": {
            "key%06d" % i: "value %d" % (i * 7919) for i in range(1, int(300000 * share) + 1)
        },
        "rows": [
            {"id": i, "x": i / 7, "name": "row%d" % i} for i in range(1, int(200000 * share) + 1)
        ],
    }


def save(pack, name, state):
    start = time.process_time()
    with open(name, "wb") as file:
        file.write(pack(state))
        file.flush()
        os.fsync(file.fileno())
    return time.process_time() - start


def load(unpack, name, state):
    start = time.process_time()
    with open(name, "rb") as file:
        loaded = unpack(file.read())
    seconds = time.process_time() - start
    assert loaded == state
    return seconds


def main():
    folder, share, rounds = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    assert msgpack.Packer.__module__ == "msgpack._cmsgpack", "msgpack's C module is not there"
    ways = {
        "msgpack": (msgpack.packb, msgpack.unpackb),
        "pickle": (lambda state: pickle.dumps(state, protocol=5), pickle.loads),
    }
    state = make(share)
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        times = []
        for name, (pack, _) in ways.items():
            times.append("%s.save %.6f" % (name, save(pack, folder + "/" + name, state)))
        for name, (_, unpack) in ways.items():
            times.append("%s.load %.6f" % (name, load(unpack, folder + "/" + name, state)))
        gc.enable()
        print(" ".join(times), flush=True)


main()
