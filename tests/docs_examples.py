"""Runs the examples of a document.

usage: docs_examples.py FILE PROGRAM

A ```lua block whose first line is `-- NAME.lua` is written to NAME.lua. A ```console block is a
transcript: each `$ COMMAND` is run by the shell, and the lines up to the next one must be what it
prints, stderr included. `...` in a line stands for anything.
"""
import os
import re
import subprocess
import sys
import tempfile


def blocks(text):
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.S | re.M)


def transcript(block):
    """[(command, expected lines)]"""
    steps = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


def matches(expected, line):
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, line) is not None


def main(document, program):
    with open(document, encoding="utf-8") as file:
        text = file.read()
    directory = tempfile.mkdtemp(prefix="ckptlua-docs-")
    os.chdir(directory)
    os.symlink(program, os.path.join(directory, "ckptlua"))
    environment = dict(os.environ, PATH=directory + ":" + os.environ["PATH"])
    commands = failures = 0
    for language, block in blocks(text):
        name = re.match(r"-- (\w+\.lua)\n", block)
        if language == "lua" and name:
            with open(name.group(1), "w", encoding="utf-8") as file:
                file.write(block)
        if language != "console":
            continue
        for command, expected in transcript(block):
            commands += 1
            run = subprocess.run(command, shell=True, text=True, env=environment, check=False,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            printed = run.stdout.splitlines()
            if len(printed) != len(expected) or not all(map(matches, expected, printed)):
                failures += 1
                print(f"{document}: $ {command}\n  expected:", *expected, "  printed:", *printed,
                      sep="\n    ")
    print(f"{document}: {commands} commands, {failures} with another output than told")
    return 1 if failures or not commands else 0


sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])))
