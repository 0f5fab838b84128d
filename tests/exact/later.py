"""Runs the scripts of later/ undisturbed and in pieces, and prints a table of which do the same.

usage: later.py --driver PATH [--other PATH] [--seed N] [--chains K] [--processes P] [--only NAME]
                [--again N] [--strict] [--every BYTES [--programs N]]

What these scripts print depends on the seed of hashes (S), the layout of tables (L), addresses (Z)
and the moments of the collector (G); their first comment tells on which. Each is run three times
(--again 2) undisturbed, with the same seed ("again": how many of the later runs printed what the
first did), and, where all agree, K times in pieces as differential.py does ("pieces": how many of
the chains printed that too). A script that differs already undisturbed cannot be compared: "-".

With --every all scripts of differential.py are run too, and N generated programs; garbage is
collected when so many bytes have been made, and compared is also what is alive behind each of these
collections: it decides when the next one comes, where the state is larger.

--other runs every second process of a chain, and the second undisturbed run, by another driver.
Everything random comes from --seed. With --strict the exit code is 1 if anything differs.
"""
import argparse
import fnmatch
import itertools
import os
import random
import re
import shutil
import sys

import differential

LATER = os.path.join(differential.HERE, "later")
LISTED = "CKPTLUA_TEST_COLLECTIONS"  # a file that the driver writes


def programs(patterns):
    """The scripts, with the letters of the layers that they need."""
    for file in sorted(os.listdir(LATER)):
        name, ending = os.path.splitext(file)
        if ending != ".lua" or patterns and not any(fnmatch.fnmatch(name, p) for p in patterns):
            continue
        with open(os.path.join(LATER, file), encoding="utf-8") as source:
            told = re.match(r"-- Needs ([^:]*):", source.readline())
        layers = re.findall(r"\b[SLZG]\b", told[1]) if told else []
        yield differential.Program(name, LATER, file), "".join(layers) or "?"


def more_programs(bench, options):
    """The scripts of differential.py, and generated programs."""
    for program in differential.scripts(options.only):
        yield program, ""
    for number in range(options.seed, options.seed + options.programs):
        program = differential.generated(bench, number)
        if program:
            yield program, ""


class SteppingBench(differential.Bench):
    """Stops before each instruction also where nothing is to be stopped: a collection that is due is
    noticed an instruction or two later otherwise, behind a table constructor of the kind {f()}."""

    def driver(self, after, snapshot, turn=0):
        return super().driver(after or 10**12, snapshot, turn)


def collections():
    """What is in the list of collections, which is removed."""
    name = os.environ.get(LISTED)
    if not name or not os.path.exists(name):
        return []
    lines = differential.read(name).decode().splitlines()
    os.remove(name)
    return lines


def difference_of(expected, lines):
    """The first collection behind which something else is alive."""
    for i, (one, other) in enumerate(zip(expected, lines)):
        if one != other:
            return f"behind collection {i + 1} of {len(expected)}: {one}, not {other}"
    return None if len(expected) == len(lines) else f"{len(lines)} collections, not {len(expected)}"


def undisturbed(bench, program):
    """Runs it some times; returns how many of the later ones are as the first, and a difference."""
    same, text = 0, None
    for turn in range(bench.options.again + 1):
        bench.remove_snapshots()
        got = differential.run(bench.driver(None, bench.snapshot, turn) + [program.file], program.folder)
        lines = collections()
        if turn == 0:
            program.expected, program.collections = got, lines
            if not isinstance(got.code, int) or bench.options.every is None and got.code != 0:
                return 0, f"exit code {got.code}: {got.stderr[-200:]!r}"
            continue
        what = differential.difference(program.expected, got) or difference_of(program.collections, lines)
        same += what is None
        text = text or what
    return same, text


def chain(bench, program, steps):
    """A Failure or None."""
    failure = bench.chain(program, steps)
    lines = collections()
    what = difference_of(program.collections, lines)
    if failure or not what:
        return failure
    return differential.Failure(program, what)


def in_pieces(bench, program, options):
    """Returns how many chains are right, and the first difference."""
    failure = chain(bench, program, differential.growing())
    right, first = int(not failure), failure
    for k in range(1, options.chains):
        rng = random.Random(f"{options.seed} {program.name} {k}")
        steps = differential.random_steps(rng, program.length, options.processes)
        failure = chain(bench, program, steps)
        right += not failure
        first = first or failure
    if first:
        steps = ",".join(str(n) for n in first.steps if n)
        return right, f"{first.what}\n    in process {first.at + 1} of the steps {steps}"
    return right, None


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("usage: "))
    parser.add_argument("--driver", type=os.path.abspath, required=True)
    parser.add_argument("--other", type=os.path.abspath)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chains", type=int, default=3)
    parser.add_argument("--processes", type=int, default=12, help="in a chain, about")
    parser.add_argument("--only", action="append")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--again", type=int, default=2, help="undisturbed runs, beside the first")
    parser.add_argument("--every", type=int)
    parser.add_argument("--programs", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="tell what differs")
    return parser.parse_args()


def exercise(bench, options):
    """Prints a line a script; returns the numbers of scripts, of those that are the same
    undisturbed, and of those that are in pieces too."""
    total = again = pieces = 0
    print(f"{'script':26} {'needs':6} {'again':>6} {'pieces':>7}")
    every = more_programs(bench, options) if options.every else ()
    for program, layers in itertools.chain(programs(options.only), every):
        total += 1
        same, text = undisturbed(bench, program)
        column = "-"
        if same == options.again:
            again += 1
            right, text = in_pieces(bench, program, options)
            pieces += right == options.chains
            column = f"{right}/{options.chains}"
        print(f"{program.name:26} {layers:6} {f'{same}/{options.again}':>6} {column:>7}", flush=True)
        if options.verbose and text:
            print("    " + text)
    return total, again, pieces


def main():
    options = arguments()
    bench = SteppingBench(options) if options.every else differential.Bench(options)
    if options.every:
        os.environ[LISTED] = os.path.join(bench.folder, "collections")
        os.environ["CKPTLUA_TEST_EVERY"] = str(options.every)
    try:
        total, again, pieces = exercise(bench, options)
    finally:
        shutil.rmtree(bench.folder)
    print(f"{total} scripts: {again} the same each time undisturbed, {pieces} in pieces too")
    if total == 0:
        print("nothing was run")
        return 1
    return 1 if options.strict and pieces < total else 0


if __name__ == "__main__":
    sys.exit(main())
