"""Hostile places: snapshots that say that objects lie where they cannot.

usage: places.py FUZZ-REPLAY CORPUS [SEED]

Of the snapshots address-* of the corpus the places of objects and of garbage are changed: two objects
in one place, in that of garbage, of another kind or size, of the libraries, in none at all; as much
garbage as numbers can tell. What fuzz-replay does with them must neither crash nor take much memory.
"""
import os
import random
import resource
import subprocess
import sys
import tempfile

import msgpack

ROUNDS = 12
MEMORY = 1 << 20  # kB, without sanitizers
TAGS = {b"closure": 5, b"thread": 3, b"userdata": 4}


def has_place(value):
    """Whether a list describes an object, and ends with its place."""
    return (bool(value) and isinstance(value[0], bytes) and len(value) == TAGS.get(value[0])
            and isinstance(value[-1], int))


def places(value):
    """All places of objects in a value."""
    if isinstance(value, msgpack.ExtType):
        if value.code == 1 and len(value.data) == 16:
            yield int.from_bytes(value.data[8:], "big")
    elif isinstance(value, (list, tuple)):
        if has_place(value):
            yield value[-1]
        for part in value:
            yield from places(part)


def changed(value, change):
    """The value with change(place) for each place."""
    if isinstance(value, msgpack.ExtType):
        if value.code != 1 or len(value.data) != 16:
            return value
        place = change(int.from_bytes(value.data[8:], "big"))
        return msgpack.ExtType(1, value.data[:8] + place.to_bytes(8, "big"))
    if isinstance(value, (list, tuple)):
        parts = [changed(part, change) for part in value]
        if has_place(parts):
            parts[-1] = change(parts[-1])
        return type(value)(parts)
    return value


def pack(value, packer):
    """Writes a value in which a map is a list of tuples."""
    if isinstance(value, Map):
        return packer.pack_map_header(len(value)) + b"".join(
            pack(k, packer) + pack(v, packer) for k, v in value)
    if isinstance(value, list):
        return packer.pack_array_header(len(value)) + b"".join(pack(v, packer) for v in value)
    return packer.pack(value)


class Map(list):
    """A map, as a list of pairs."""


def hostile(rng, known, garbage):
    """A place that is none, or not this object's."""
    kind = rng.randrange(7)
    if kind == 0:
        return rng.choice(known)
    if kind == 1 and garbage:
        return rng.choice(garbage[::2])
    if kind == 2:
        return rng.choice(known) // 256 * 256 + rng.randrange(256)
    if kind == 3:
        return rng.randrange(40) * 256 + rng.choice(known) % 256
    if kind == 4:
        return rng.choice((0, 255, (1 << 63) - 1, (1 << 40) - 1, 1 << 31, (1 << 39) + 3))
    return rng.getrandbits(rng.randrange(1, 63))


def hostile_garbage(rng, garbage, known):
    """Garbage that is where it cannot be, or too much of it."""
    if rng.randrange(4) == 0:
        return [n for region in range(256) for n in (rng.randrange(1 << 30) * 256 + region, 1 << 40)]
    result = list(garbage)
    for _ in range(rng.randrange(6)):
        count = rng.choice((0, 1, 2, 100, 1 << 20, 1 << 31, 1 << 40, (1 << 62)))
        result += [hostile(rng, known, garbage), rng.choice((count, -count))]
    rng.shuffle(result)
    return [n if i % 2 else abs(n) for i, n in enumerate(result)]


def write(path, rng, objects):
    """Writes a changed snapshot."""
    known = list(places(objects))
    garbage = objects[-1]

    def change(place):
        return hostile(rng, known, garbage) if rng.randrange(8) == 0 else place

    objects = [changed(value, change) for value in objects[:-1]]
    objects.append(hostile_garbage(rng, garbage, known))
    packer = msgpack.Packer(use_bin_type=False)
    with open(path, "wb") as file:
        for value in objects:
            file.write(pack(value, packer))


def main():
    replay, corpus = sys.argv[1:3]
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    names = [name for name in sorted(os.listdir(corpus)) if name.startswith("address-")]
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name in names:
            with open(os.path.join(corpus, name), "rb") as file:
                objects = list(msgpack.Unpacker(file, raw=True, strict_map_key=False,
                                                object_pairs_hook=Map))
            for i in range(ROUNDS):
                files.append(os.path.join(folder, f"{name}.{i}"))
                write(files[-1], rng, objects)
        status = subprocess.run([replay, "--all-run"] + files, check=False,
                                stdout=subprocess.DEVNULL).returncode
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{len(files)} snapshots, {memory} kB of memory")
    too_much = memory > MEMORY and os.environ.get("CKPTLUA_SANITIZED") != "1"
    return 1 if status != 0 or too_much or not files else 0


if __name__ == "__main__":
    sys.exit(main())
