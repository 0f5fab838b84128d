"""Checks docs/format.md: its reader has under 30 lines and reads FILE and the file of its hex dump.

usage: format_document.py FORMAT.md FILE OUT   (OUT gets the bytes of the hex dump)
"""
import re
import subprocess
import sys
import tempfile

document, snapshot, out = sys.argv[1:]
with open(document, encoding="utf-8") as file:
    text = file.read()
reader = re.search(r"^```python\n(.*?)^```$", text, re.S | re.M).group(1)
assert reader.count("\n") < 30, "the reader has 30 lines or more"
dump = re.search(r"^```hexdump\n(.*?)^```$", text, re.S | re.M).group(1)
rows = [line[10:49] for line in dump.splitlines()]
with open(out, "wb") as file:
    file.write(bytes.fromhex("".join(rows)))
with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
    file.write(reader)
    file.flush()
    for name in out, snapshot:
        # Debian's python3 has the packages of Debian; another one in PATH may not.
        print(subprocess.run(["/usr/bin/python3", file.name, name], check=True,
                             stdout=subprocess.PIPE, text=True).stdout, end="")
