"""Runs Lua scripts in pieces, each in a process of its own, and compares with an undisturbed run.

usage: differential.py --driver PATH [--lua PATH] [--seed N] [--seconds S] [--chains K]
                       [--programs COUNT] [--processes P] [--only NAME] [--steps N,N,...]
                       [--coverage] [--keep FOLDER] [--other PATH] [--malloc]

The driver (driver.c) runs `driver --seed S [--after N] SNAPSHOT SCRIPT`: it starts or continues
SCRIPT, and with --after saves it N instructions later and exits with 85. A script that ends well
leaves no snapshot. A chain is a script from start to end in many such processes. Its stdout, stderr
and exit code must be those of one run of the driver, and these must be those of stock Lua.

To start a process takes longer than what it does here. So only the first chain of a script is of
processes; the others, and those of programs, are of pieces that one driver runs (batch.h), as it
runs the programs by stock Lua. What fails there is run again in processes of its own, to see where.

Run are scripts/*.lua, and programs that generate.lua makes. Scripts named order-* depend on the
order of pairs, and address-* on addresses, which are the driver's own: they are not compared with
stock Lua. Those named address-* are run in processes only; not with --other, and not with --malloc,
which tells that the driver has its memory from there.

Everything random comes from --seed and the name of the script: --only NAME with the same seed does
to that script what the whole run did. --only takes patterns (string-*), program-N for a generated
one, and program-* for those of this seed. --steps gives the chain by hand. Without --seconds each
script has K chains, with it more until the time is over. Without --driver, only the scripts
themselves are checked: they must do the same twice.

With --other that driver, made with another release of Lua, runs every second process of a chain.
Where it refuses a snapshot, because the two compile a function to other instructions, the driver that
saved it must take it. That there are both is a part of the test then, unless --only is given.

With --coverage the driver tells at which instructions it has saved: lines "coverage OPCODE PLACE
THREAD CALLER ARGUMENTS" in the file $CKPTLUA_TEST_COVERAGE, of which KINDS has the words. What
coverage.txt lists must be among them.
"""
import argparse
import fnmatch
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "scripts")
SAVED = 85
HASH_SEED = "1"
REFUSED = 3, b"has other instructions in this Lua"
LIMIT = 20  # seconds that one process may take
CHAIN_SECONDS = 10  # a chain that takes longer ends without further saves
KINDS = ("main", "coroutine", "by-call", "by-event", "by-c", "fixed", "vararg")  # of frames
PIECES = 5  # of a generated program
SCALES = (3, 10, 80, 800)
# With --coverage these have a chain that saves at each instruction of one turn of their loop, or
# in each function that is called there: (instructions to the first save, 0: a third of the script;
# between saves; saves).
SWEEPS = {"opcodes": (0, 1, 300), "opcodes-calling": (0, 4, 700), "many-constants": (1200, 1, 40),
          "generic-for": (0, 1, 150), "table-constructors": (0, 1, 100),
          "opcodes-frames": (1, 19, 900)}


@dataclass
class Result:
    """What a run has printed, and its exit code; a string where it has none."""
    stdout: bytes
    stderr: bytes
    code: object


@dataclass
class Program:
    name: str
    folder: str  # it is run there, so that messages name it the same way everywhere
    file: str
    expected: Result = None
    length: int = 0  # instructions, roughly
    skipped: bool = False  # stock Lua itself dies of it, so what it prints is chance
    collections: list = None  # for later.py

    @property
    def ordered(self):
        return self.name.startswith(("order-", "address-"))

    @property
    def addressed(self):
        return self.name.startswith("address-")


@dataclass
class Failure:
    program: Program
    what: str
    steps: list = field(default_factory=list)
    at: int = 0  # the process that went wrong, from 0
    origin: str = ""


@dataclass
class Counts:
    scripts: int = 0
    programs: int = 0
    chains: int = 0
    processes: int = 0
    pieces: int = 0  # that were no processes of their own
    skipped: int = 0
    taken: int = 0  # snapshots of the other driver
    refused: int = 0
    failures: int = 0


def run(command, folder):
    """Runs a command, stops it after LIMIT seconds."""
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        try:
            stdout, stderr = process.communicate(timeout=LIMIT)
            code = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            return Result(stdout, stderr, f"stopped after {LIMIT} s")
    return Result(stdout, stderr, signal.Signals(-code).name if code < 0 else code)


def read(path):
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def normalized(result, programs):
    """Without what differs between stock Lua and the driver: the program's name and its C frame."""
    names = "|".join(re.escape(os.path.basename(p)) for p in programs)
    stderr = re.sub(rf"^(\S*/)?({names}): ".encode(), b"ckptlua: ", result.stderr, flags=re.M)
    return Result(*(re.sub(rb"\n\t\[C\]: in \?(?=\n|$)", b"", text) for text in (result.stdout, stderr)),
                  result.code)


def first_difference(expected, got, what):
    """One line about where two texts part."""
    at = next((i for i, (a, b) in enumerate(zip(expected, got)) if a != b), min(len(expected), len(got)))
    line = expected.count(b"\n", 0, at) + 1
    start = expected.rfind(b"\n", 0, at) + 1
    show = [repr(text[start:start + 100])[1:] for text in (expected, got)]
    return f"{what} differs in line {line}\n    expected {show[0]}\n    got      {show[1]}"


def difference(expected, got):
    """What differs between two results, or None."""
    if isinstance(got.code, str) and got.code != expected.code:
        text = str(got.code)
    elif got.stdout != expected.stdout:
        text = first_difference(expected.stdout, got.stdout, "stdout")
    elif got.code != expected.code:
        text = f"exit code {got.code}, expected {expected.code}"
    elif got.stderr != expected.stderr:
        return first_difference(expected.stderr, got.stderr, "stderr")
    else:
        return None
    if got.stderr != expected.stderr:
        text += "\n    stderr   " + repr(got.stderr[-300:])[1:]
    return text


class Batch:
    """A driver that does many things (batch.h), each answered by (Result, length, steps)."""

    def __init__(self, driver):
        self.driver = driver
        self.process = None

    def ask(self, *words):
        if not self.process:
            self.process = subprocess.Popen([self.driver, "--seed", HASH_SEED, "--batch"],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write("\t".join(map(str, words)).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 5:
            raise RuntimeError(f"exact-driver --batch gave up at {words}")
        code, length, out, err = map(int, answer[:4])
        stdout, stderr = self.process.stdout.read(out), self.process.stdout.read(err)
        if code == -signal.SIGALRM:
            code = "stopped after a long time"
        elif code < 0:
            code = signal.Signals(-code).name
        steps = [] if answer[4] == b"-" else [int(n) for n in answer[4].split(b",")]
        return Result(stdout, stderr, code), length, steps

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()


class Bench:
    """The programs to compare, a folder for snapshots, and counts."""

    def __init__(self, options):
        self.options = options
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # nothing here has to last
        self.folder = tempfile.mkdtemp(prefix="ckptlua-exact-", dir=memory)
        self.snapshot = os.path.join(self.folder, "snapshot")
        self.counts = Counts()
        self.batch = options.driver and not options.other and Batch(options.driver)

    def close(self):
        if self.batch:
            self.batch.close()
        shutil.rmtree(self.folder)

    def stock(self, program):
        """Runs a program undisturbed, and looks how long it is."""
        program.expected, program.length, _ = self.batch.ask("stock", program.folder, program.file)

    def pieces(self, program, steps):
        """As chain, but quickly, and without a trace of what was on the way."""
        self.remove_snapshots()
        self.counts.chains += 1
        result, _, taken = self.batch.ask("chain", program.folder, self.snapshot, program.file,
                                          program.length, ",".join(map(str, steps)))
        self.counts.pieces += len(taken) + 1
        names = (self.options.lua, self.options.driver, "ckptlua")
        what = difference(normalized(program.expected, names), normalized(result, names))
        if not what and result.code == 0 and os.path.exists(self.snapshot):
            what = "a snapshot is left behind"
        return what and Failure(program, what + "\n    (in pieces of one process)", taken)

    def driver(self, after, snapshot, turn=0):
        """The command of process number `turn` of a chain."""
        driver = self.options.other if turn % 2 and self.options.other else self.options.driver
        command = [driver, "--seed", HASH_SEED]
        return command + (["--after", str(after)] if after else []) + [snapshot]

    def remove_snapshots(self):
        for name in os.listdir(self.folder):
            if name.startswith("snapshot"):
                os.remove(os.path.join(self.folder, name))

    def reference(self, program):
        """Runs a program undisturbed; a Failure where stock Lua and the driver differ. Sets expected or skipped."""
        own = run([self.options.lua, program.file], program.folder)
        if not self.options.driver:
            program.expected = own
            if program.ordered:
                return None
            again = run([self.options.lua, program.file], program.folder)
            what = difference(own, again)
            if what is None and not isinstance(own.code, int):
                what = str(own.code)
            return what and Failure(program, "under stock Lua twice: " + what)
        if isinstance(own.code, str):
            self.counts.skipped += 1
            program.skipped = True
            print(f"skipped {program.name}: {self.options.lua} itself: {own.code}")
            return None
        self.remove_snapshots()
        program.expected = run(self.driver(None, self.snapshot) + [program.file], program.folder)
        self.counts.processes += 1
        if not program.ordered:
            names = (self.options.lua, self.options.driver, "ckptlua")
            what = difference(normalized(own, names), normalized(program.expected, names))
            if what:
                return Failure(program, "undisturbed, against stock Lua: " + what)
        if isinstance(program.expected.code, str):
            return Failure(program, f"undisturbed: {program.expected.code}")
        if program.expected.code == 0 and os.path.exists(self.snapshot):
            return Failure(program, "undisturbed: a snapshot is left behind")
        return None

    def step(self, program, after, number):
        """Runs process `number` of a chain, again with the other driver if it was refused."""
        known = number and self.options.other
        before = read(self.snapshot) if known else None
        result = run(self.driver(after, self.snapshot, number) + [program.file], program.folder)
        self.counts.processes += 1
        if not known or result.code != REFUSED[0] or REFUSED[1] not in result.stderr:
            self.counts.taken += bool(known)
            return result
        self.counts.refused += 1
        if result.stdout or read(self.snapshot) != before:
            return Result(result.stdout, result.stderr, "refused, but not without a trace")
        return run(self.driver(after, self.snapshot, number - 1) + [program.file], program.folder)

    def chain(self, program, steps, seconds=CHAIN_SECONDS):
        """Runs a program in pieces; a Failure or None. Snapshots stay in the folder."""
        self.remove_snapshots()
        self.counts.chains += 1
        done, stdout, stderr = [], b"", b""
        started = time.monotonic()
        while True:
            after = next(steps, None) if time.monotonic() - started < seconds else None
            if os.path.exists(self.snapshot):
                shutil.copyfile(self.snapshot, f"{self.snapshot}.{len(done)}")
            result = self.step(program, after, len(done))
            done.append(after)
            stdout, stderr = stdout + result.stdout, stderr + result.stderr
            if result.code != SAVED or not after:
                break
            if not program.expected.stdout.startswith(stdout):
                what = first_difference(program.expected.stdout, stdout, "stdout")
                return Failure(program, what, done, len(done) - 1)
            if not os.path.exists(self.snapshot):
                return Failure(program, "exit code 85, but no snapshot", done, len(done) - 1)
        program.length = max(program.length, sum(n for n in done[:-1]))
        what = difference(program.expected, Result(stdout, stderr, result.code))
        if not what and result.code == 0 and os.path.exists(self.snapshot):
            what = "a snapshot is left behind"
        return what and Failure(program, what, done, len(done) - 1)

    def shortest(self, failure):
        """Looks for a chain of two or three processes that fails too."""
        steps = [n for n in failure.steps if n]
        slow = "stopped after" in failure.what
        for k in range(len(steps), max(0, len(steps) - (1 if slow else 8)), -1):
            total, last = sum(steps[:k]), steps[k - 1]
            candidates = [[total]] + ([[total - last, last]] if total > last else [])
            candidates += [[total + 1], [total, 1], [max(1, total - 1), 1]]
            for candidate in candidates:
                if len(candidate) >= len(steps):
                    continue
                shorter = self.chain(failure.program, iter(candidate))
                if shorter:
                    return shorter
        return failure

    def report(self, failure):
        """Prints a failure with the commands that show it again, and keeps the files."""
        self.counts.failures += 1
        program = failure.program
        print(f"FAILED {program.name}: {failure.what}")
        if failure.origin:
            print(f"  found by: {failure.origin}")
        if self.counts.failures > self.options.most:
            print("  (no files are kept of so many failures)")
            return
        if not failure.steps:
            if program.folder != SCRIPTS:
                print(f"  program: lua5.4 {os.path.join(HERE, 'generate.lua')} {program.name.split('-')[1]}")
            return
        shorter = self.shortest(failure)
        if shorter is not failure:
            print(f"  shorter: {shorter.what}")
            self.keep(shorter, f"{program.name}-{self.counts.failures}")
        else:
            # the snapshots of this very chain, once more
            again = self.chain(program, iter([n for n in failure.steps if n]))
            print("  the same chain fails again" if again else "  the same chain DOES NOT fail again")
            self.keep(again or failure, f"{program.name}-{self.counts.failures}")
        sys.stdout.flush()

    def keep(self, failure, name):
        """Moves program and snapshots to the folder that is kept; prints and writes the commands."""
        folder = os.path.join(os.path.abspath(self.options.keep), name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for file in os.listdir(self.folder):
            if file.startswith("snapshot."):
                shutil.copy(os.path.join(self.folder, file), folder)
        program = failure.program
        shutil.copy(os.path.join(program.folder, program.file), folder)
        with open(os.path.join(folder, "expected"), "wb") as file:
            file.write(program.expected.stdout + program.expected.stderr)
        lines = [f"cd {shlex.quote(folder)}; rm -f replay"]
        lines += [shlex.join(self.driver(n, "replay", i) + [program.file]) for i, n in enumerate(failure.steps)]
        with open(os.path.join(folder, "replay.sh"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        shown = lines if len(lines) < 8 else [f"sh {os.path.join(folder, 'replay.sh')}"]
        for line in shown:
            print("  " + line)
        last = failure.at
        if last > 0:
            after = failure.steps[last]
            print(f"  only the process that goes wrong: cd {shlex.quote(folder)}; cp snapshot.{last} replay; " +
                  shlex.join(self.driver(after, "replay", last) + [program.file]))


def growing():
    """Steps that reach the end of any script soon; they tell how long it is."""
    n = 32
    while True:
        yield n
        n *= 3


def random_steps(rng, length, processes):
    """At most about that many steps of one size, at the start or, in a long program, anywhere."""
    scale = rng.choice(SCALES)
    room = length - processes * scale // 2
    if room > 0:
        skip = rng.randrange(room + 1)
        if skip:
            yield skip
    for _ in range(processes - 2):
        yield rng.randint(1, scale)


def random_pieces(rng):
    """Steps of a generated program."""
    scale = rng.choice(SCALES)
    return [f"{rng.randrange(101)}%"] + [rng.randint(1, scale) for _ in range(PIECES - 2)]


def scripts(patterns):
    names = sorted(name[:-4] for name in os.listdir(SCRIPTS) if name.endswith(".lua"))
    if patterns:
        names = [name for name in names if any(fnmatch.fnmatch(name, p) for p in patterns)]
    return [Program(name, SCRIPTS, name + ".lua") for name in names]


def generated(bench, number):
    """Program number N, written into the bench's folder; None if generate.lua fails."""
    name = f"program-{number}"
    if bench.batch:
        result, _, _ = bench.batch.ask("stock", HERE, "generate.lua", number)
    else:
        result = run([bench.options.lua, os.path.join(HERE, "generate.lua"), str(number)], HERE)
    if result.code != 0:
        print(f"FAILED {name}: generate.lua: {result.stderr.decode(errors='replace')}")
        bench.counts.failures += 1
        return None
    with open(os.path.join(bench.folder, name + ".lua"), "wb") as file:
        file.write(result.stdout)
    return Program(name, bench.folder, name + ".lua")


def programs(bench, round_number):
    """The generated programs of a round."""
    options = bench.options
    if options.only and "program-*" not in options.only:
        numbers = [p[8:] for p in options.only if re.fullmatch(r"program-\d+", p)] if round_number == 0 else []
    else:
        first = options.seed * 1000000 + round_number * options.programs
        numbers = range(first, first + options.programs)
    for number in numbers:
        program = generated(bench, number)
        if program:
            yield program
            os.remove(os.path.join(bench.folder, program.file))


def exercise_quickly(bench, program, round_number):
    """Compares one generated program with stock Lua; runs it anew where something is wrong."""
    bench.stock(program)
    failure = None
    if not isinstance(program.expected.code, str):
        rng = random.Random(f"{bench.options.seed} {program.name} {round_number}")
        failure = bench.pieces(program, random_pieces(rng))
        if not failure:
            return None
    differs = bench.reference(program)
    if program.skipped:
        return None
    if not failure:
        return differs or bench.chain(program, growing())
    again = differs or bench.chain(program, iter(failure.steps))
    steps = ",".join(map(str, failure.steps))
    return replaced(again or failure, f"--seed {bench.options.seed} --only {program.name} --steps {steps}")


def pieces(bench, program, steps, seconds=CHAIN_SECONDS):
    """A Failure or None; by processes where there is no other way, or a failure to look at."""
    steps = list(steps)
    quickly = bench.batch and not program.addressed
    failure = quickly and bench.pieces(program, steps)
    if quickly and not failure:
        return None
    return bench.chain(program, iter(steps), seconds) or failure


def exercise(bench, program, chains, round_number):
    """Compares one program; the chains of a round depend on seed, name and round only."""
    options = bench.options
    failure = program.expected is None and not program.skipped and bench.reference(program)
    if failure or program.skipped or not options.driver:
        return failure or None
    if options.steps:
        failure = bench.chain(program, iter(options.steps))
        return failure and replaced(failure, f"--only {program.name} --steps {','.join(map(str, options.steps))}")
    if not program.length:
        failure = bench.chain(program, growing())
        if failure:
            return replaced(failure, f"--seed {options.seed} --only {program.name} (growing steps)")
    if options.coverage and program.name in SWEEPS and round_number == 0:
        start, size, times = SWEEPS[program.name]
        steps = [start or program.length // 3] + [size] * times
        failure = pieces(bench, program, steps, seconds=600)
        if failure:
            return replaced(failure, f"--coverage --seed {options.seed} --only {program.name} (sweep)")
    for k in range(chains):
        rng = random.Random(f"{options.seed} {program.name} {round_number} {k}")
        failure = pieces(bench, program, random_steps(rng, program.length, options.processes))
        if failure:
            steps = ",".join(str(n) for n in failure.steps if n)
            return replaced(failure, f"--seed {options.seed} --only {program.name} --steps {steps}")
    return None


def replaced(failure, origin):
    failure.origin = origin
    return failure


def read_coverage(file):
    """{(opcode, place): {kind: count}} of the lines that the driver has written"""
    table = {}
    if os.path.exists(file):
        with open(file, encoding="utf-8") as lines:
            for line in lines:
                words = line.split()
                if len(words) == 6 and words[0] == "coverage":
                    counts = table.setdefault((words[1].removeprefix("OP_"), words[2]), {})
                    for kind in words[3:]:
                        counts[kind] = counts.get(kind, 0) + 1
    return table


def check_coverage(bench, file):
    """Prints opcode and place x kind; a failure if what coverage.txt lists is not there."""
    table = read_coverage(file)
    print(f"{'opcode':12} {'place':8}" + "".join(f"{kind:>10}" for kind in KINDS))
    for (opcode, place), counts in sorted(table.items()):
        print(f"{opcode:12} {place:8}" + "".join(f"{counts.get(kind, 0):10}" for kind in KINDS))
    missing = []
    with open(os.path.join(HERE, "coverage.txt"), encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                opcode, place, *kinds = line.split()
                counts = table.get((opcode, place), {})
                missing += [f"{opcode} {place} {kind}" for kind in kinds if kind not in counts]
    if missing:
        print("FAILED coverage: no save at " + ", ".join(missing))
        bench.counts.failures += 1


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("usage: "))
    parser.add_argument("--driver")
    parser.add_argument("--other", type=os.path.abspath)
    parser.add_argument("--lua", default="lua5.4")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--chains", type=int, default=2)
    parser.add_argument("--processes", type=int, default=60, help="in a chain, about")
    parser.add_argument("--programs", type=int, default=20)
    parser.add_argument("--only", action="append")
    parser.add_argument("--steps", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--malloc", action="store_true")
    parser.add_argument("--keep", default=os.path.join(tempfile.gettempdir(), "ckptlua-exact-failures"))
    parser.add_argument("--most", type=int, default=10, help="failures of which the files are kept")
    options = parser.parse_args()
    if options.driver:
        options.driver = os.path.abspath(options.driver)
    return options


def rounds(bench):
    """Round after round until the time is over; programs that have failed are left out then."""
    options, counts = bench.options, bench.counts
    started = time.monotonic()
    listed = scripts(options.only)
    if options.malloc or options.other:
        listed = [program for program in listed if not program.addressed]
    counts.scripts = len(listed)
    round_number = 0
    while True:
        failed = []
        for source in (listed, programs(bench, round_number)):
            for program in source:
                if options.seconds and round_number and time.monotonic() - started > options.seconds:
                    return
                counts.programs += source is not listed
                if bench.batch and source is not listed and not options.steps:
                    failure = exercise_quickly(bench, program, round_number)
                else:
                    failure = exercise(bench, program, options.chains, round_number)
                if failure:
                    failed.append(program)
                    bench.report(failure)
        listed = [program for program in listed if program not in failed]
        round_number += 1
        if not options.seconds or not options.driver or time.monotonic() - started > options.seconds:
            return


def main():
    options = arguments()
    bench = Bench(options)
    coverage = os.path.join(bench.folder, "coverage")
    if options.coverage:
        os.environ["CKPTLUA_TEST_COVERAGE"] = coverage
    print(f"seed {options.seed}")
    try:
        rounds(bench)
        if options.coverage:
            check_coverage(bench, coverage)
    finally:
        bench.close()
    counts = bench.counts
    print(f"{counts.scripts} scripts, {counts.programs} programs, {counts.chains} chains, "
          f"{counts.processes} processes, {counts.pieces} pieces, {counts.skipped} skipped, {counts.failures} failures")
    if options.other:
        print(f"snapshots of the other release: {counts.taken} taken, {counts.refused} refused")
        if not options.only and not (counts.taken and counts.refused):
            print("FAILED: both must have been met")
            return 1
    if counts.scripts + counts.programs == 0:
        print("nothing was run")
        return 1
    if counts.skipped > 1 + (counts.scripts + counts.programs) // 100:
        print("FAILED: too many were skipped")
        return 1
    return 1 if counts.failures else 0


if __name__ == "__main__":
    sys.exit(main())
