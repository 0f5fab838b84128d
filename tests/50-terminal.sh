#!/bin/sh
# On a terminal: the question after Ctrl-C, and a progress bar that is gone at the end.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip 'there is no python3, which has the terminal'
python3 -c "import pty; pty.openpty()" 2>/dev/null || skip "there are no pseudo-terminals here"

cat >job.lua <<'LUA'
i = i or 0
print("ready", ckpt.resumed)
io.stdout:flush()
while i < 3000 do
  i = i + 1
  ckpt.progress(i, 3000, "step " .. i)
  ckpt.sleep(0.01)
  checkpoint()
  local stop = io.open("stop")
  if stop then
    stop:close()
    break
  end
end
print("end")
LUA
cat >short.lua <<'LUA'
print("short")
LUA

expect_exit 0 python3 - <<'PYTHON'
import os, pty, select, signal, struct, fcntl, termios, time, glob

PROGRAM = os.environ["CKPTLUA"]

class Terminal:
    def __init__(self, *arguments, stdout=None, columns=100):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if stdout:
                os.dup2(os.open(stdout, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666), 1)
            os.execv(PROGRAM, [PROGRAM] + list(arguments))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError: # the other side is closed
            data = b""
        self.seen += data
        return len(data) > 0

    def wait_for(self, text, after=0):
        limit = time.monotonic() + 120
        while text not in self.seen[after:]:
            assert time.monotonic() < limit, (text, self.seen)
            if not self.read(1) and self.ended():
                assert text in self.seen[after:], (text, self.seen)

    def ended(self):
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def type(self, text):
        os.write(self.fd, text)

    def end(self, code):
        limit = time.monotonic() + 120
        while self.read(1) or not self.ended():
            assert time.monotonic() < limit, self.seen
        status = os.waitpid(self.pid, 0)[1]
        assert os.waitstatus_to_exitcode(status) == code, (os.waitstatus_to_exitcode(status), self.seen)
        os.close(self.fd)

    def screen(self):
        """What is left on it, as a terminal shows it."""
        lines, column = [""], 0
        text = self.seen.decode()
        at = 0
        while at < len(text):
            c = text[at]
            at += 1
            if c == "\n":
                lines.append("")
                column = 0
            elif c == "\r":
                column = 0
            elif text.startswith("\033[K", at - 1):
                lines[-1] = lines[-1][:column]
                at += 2
            else:
                assert c != "\033", text[at - 1:at + 10]
                lines[-1] = lines[-1][:column] + c + lines[-1][column + 1:]
                column += 1
        return lines

QUESTION = b"; continue? [y/N] "

def leftovers():
    return sorted(set(glob.glob("*")) - {"job.lua", "short.lua"})

# y: it goes on; then n: 130.
t = Terminal("--interval", "never", "job.lua")
t.wait_for(b"ready")
t.type(b"\x03")
t.wait_for(QUESTION)
assert b"ckptlua: saved job.ckpt (" in t.seen and b" of work)" in t.seen, t.seen
assert leftovers() == ["job.ckpt", "job.ckpt.lock"], leftovers()
t.type(b"y\n")
time.sleep(0.5)
assert not t.ended(), t.seen
asked = len(t.seen)
t.type(b"\x03")
t.wait_for(QUESTION, asked)
t.type(b"n\n")
t.end(130)
assert t.seen.endswith(QUESTION + b"n\r\n"), t.seen
assert leftovers() == ["job.ckpt", "job.ckpt.1"], leftovers()
assert b"\nend" not in t.seen

# Just Enter, other words, end of file, Ctrl-C, a hangup, TERM: none of them is yes.
for number, answer in enumerate([b"\n", b"what\n", b"\x04", b"\x03", signal.SIGTERM]):
    t = Terminal("--interval", "never", "job.lua")
    t.wait_for(b"ready\t%d" % (number + 1))
    t.type(b"\x03")
    t.wait_for(QUESTION)
    if isinstance(answer, bytes):
        t.type(answer)
    else:
        os.kill(t.pid, answer)
    t.end(130)
    assert leftovers() == ["job.ckpt", "job.ckpt.1"], (answer, leftovers())
    assert b"without saving" not in t.seen, t.seen

# The terminal goes away: HUP saves.
t = Terminal("--interval", "never", "job.lua", stdout="lines")
t.wait_for(b"continuing")
while not os.path.exists("lines") or b"ready" not in open("lines", "rb").read():
    time.sleep(0.02)
saved = os.stat("job.ckpt").st_mtime_ns
os.close(t.fd)
status = os.waitpid(t.pid, 0)[1]
assert os.waitstatus_to_exitcode(status) == 85, status
assert os.stat("job.ckpt").st_mtime_ns != saved
assert leftovers() == ["job.ckpt", "job.ckpt.1", "lines"], leftovers()
os.remove("lines")
for name in glob.glob("job.ckpt*"):
    os.remove(name)

# The bar: drawn, no wider than the terminal, and gone at the end.
for columns in 100, 40:
    t = Terminal("--interval", "100ms", "job.lua", columns=columns)
    t.wait_for(b"saved" if columns > 90 else b"[")
    t.wait_for(b"\r", len(t.seen))
    open("stop", "w").close()
    t.end(0)
    os.remove("stop")
    assert b"job.lua  [" in t.seen and b" %" in t.seen, t.seen
    if columns > 90:
        assert b"run 1" in t.seen and b"left" in t.seen and b"saving" in t.seen, t.seen
    for line in t.seen.replace(b"\033[K", b"\r").split(b"\r"):
        # What was drawn before the size was set may have 80.
        assert len(line) <= max(columns, 80), line
    lines = [line for line in t.screen() if line]
    assert lines == ["ready\t0", "end"], lines
    assert leftovers() == [], leftovers()

# An error, a message: not in the middle of the bar.
open("fails.lua", "w").write('ckpt.progress(1, 2) ckpt.sleep(0.6) ckpt.sleep(0.6) error("told", 0)')
t = Terminal("--interval", "never", "fails.lua")
t.end(1)
assert b"[#" in t.seen, t.seen
assert "ckptlua: told" in t.screen(), t.screen()
os.remove("fails.lua")

# Not with --quiet; nothing for a job that is short; none where stderr is a file.
t = Terminal("--interval", "never", "--quiet", "--exit-after", "700ms", "job.lua")
t.end(85)
assert b"[#" not in t.seen and b"[-" not in t.seen and b"\033" not in t.seen, t.seen
t = Terminal("short.lua")
t.end(0)
assert t.seen == b"short\r\n", t.seen
for name in glob.glob("job.ckpt*"):
    os.remove(name)
PYTHON
expect_exit 85 "$CKPTLUA" --interval never --exit-after 700ms job.lua
expect_no_message '[#' '[-'
expect_exit 85 "$CKPTLUA" --progress --interval never --exit-after 700ms job.lua
expect_message 'job.lua  [' 'run 2'
