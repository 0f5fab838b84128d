"""Measurements in pairs: ours and the peer's, one soon after the other, so that what else the
machine does meets both. What counts is the median of the pairs' ratios."""

import math
import resource
import statistics
import subprocess
import sys


class Failed(Exception):
    """A command of a benchmark failed; the text says which."""


def cpu(system):
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + (usage.ru_stime if system else 0)


def run(command, environment=None, folder=None, system=False):
    """Runs it; returns its stdout and its seconds of CPU: the user's, and the system's too."""
    before = cpu(system)
    process = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=folder,
        check=False,
    )
    if process.returncode != 0:
        sys.stderr.write(process.stderr.decode(errors="replace"))
        raise Failed("exit code %d from: %s" % (process.returncode, " ".join(command)))
    return process.stdout.decode(), cpu(system) - before


def read(text):
    """Lines of "name number name number ..." as a list of {name: number}."""
    rounds = []
    for line in text.splitlines():
        words = line.split()
        rounds.append(dict(zip(words[0::2], map(float, words[1::2]))))
    return rounds


class Row:
    """One line of the table: pairs of (ours, peer), and what the ratio or our figure may be."""

    def __init__(self, name, unit, pairs, goal, most=None):
        self.name, self.unit, self.pairs, self.goal = name, unit, list(pairs), goal
        self.most = most  # of our own figure

    def ratios(self):
        return [ours / peer for ours, peer in self.pairs]

    def ratio(self):
        return statistics.median(self.ratios())

    def spread(self):
        """The middle half of the ratios."""
        low, _, high = statistics.quantiles(self.ratios(), n=4, method="inclusive")
        return low, high

    def ours(self):
        return statistics.median(pair[0] for pair in self.pairs)

    def peer(self):
        return statistics.median(pair[1] for pair in self.pairs)

    def met(self):
        if self.goal is None:
            return None
        fine = self.ratio() <= self.goal
        return fine and (self.most is None or self.ours() <= self.most)

    def cells(self):
        goal = "" if self.goal is None else "%g" % self.goal
        if self.most is not None:
            goal += ", %g %s" % (self.most, self.unit)
        return [
            self.name,
            self.figure(self.ours()),
            self.figure(self.peer()),
            "%.3f" % self.ratio(),
            "%.3f to %.3f" % self.spread(),
            goal,
            {None: "", True: "yes", False: "**no**"}[self.met()],
        ]

    def figure(self, value):
        return "%.3g %s" % (value, self.unit)


class Mean(Row):
    """The geometric mean of several rows, round by round."""

    def __init__(self, name, rows, goal):
        rounds = zip(*(row.ratios() for row in rows))
        means = [math.exp(statistics.fmean(map(math.log, ratios))) for ratios in rounds]
        super().__init__(name, "", [(mean, 1.0) for mean in means], goal)

    def figure(self, value):
        return ""


HEAD = ["benchmark", "ours", "peer", "ratio", "middle half", "goal: at most", "met"]


def markdown(rows):
    """The table, its columns in line."""
    lines = [HEAD] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
        for line in lines
    )
