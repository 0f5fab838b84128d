"""Runs the examples of a document.

usage: docs_examples.py FILE PROGRAM [FOLDER]

They are run in a scratch folder, which has the files of FOLDER. A ```lua block whose first line is
`-- NAME.lua` is written to NAME.lua. A ```console block is a transcript: each `$ COMMAND` is run by
the shell, and the lines up to the next one must be what it prints, stderr included. `...` in a line
stands for anything, and as a line of its own for any lines.
"""
import os
import re
import shutil
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


def pattern(line):
    if line == "...":
        return "(.*\n)*?"
    return ".*".join(re.escape(part) for part in line.split("...")) + "\n"


def matches(expected, printed):
    return re.fullmatch("".join(map(pattern, expected)), "".join(line + "\n" for line in printed))


def check(document, text, environment):
    """Runs what is in the text, in the current folder: (commands, those that print something else)"""
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
            if not matches(expected, printed):
                failures += 1
                print(f"{document}: $ {command}\n  expected:", *expected, "  printed:", *printed,
                      sep="\n    ")
    return commands, failures


def main(document, program, folder=None):
    with open(document, encoding="utf-8") as file:
        text = file.read()
    with tempfile.TemporaryDirectory(prefix="ckptlua-docs-") as directory:
        if folder is not None:
            shutil.copytree(folder, directory, dirs_exist_ok=True)
        os.chdir(directory)
        os.symlink(program, os.path.join(directory, "ckptlua"))
        environment = dict(os.environ, PATH=directory + ":" + os.environ["PATH"])
        commands, failures = check(document, text, environment)
    print(f"{document}: {commands} commands, {failures} with another output than told")
    return 1 if failures or not commands else 0


sys.exit(main(*map(os.path.abspath, sys.argv[1:])))
