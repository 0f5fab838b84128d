#!/bin/sh
# ckptlua verify stopped by a signal leaves nothing behind, neither processes nor files; on a terminal
# it draws a line, which is gone at the end.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
mkdir tmp
TMPDIR=$PWD/tmp
export TMPDIR

cat >job.lua <<'LUA'
i = i or 0
os.execute("sleep 300 & echo $! >>" .. os.getenv("NOTES"))
while i < 20 do
  i = i + 1
  ckpt.sleep(0.01)
  checkpoint()
end
if os.getenv("HANG") == "now" or os.getenv("HANG") == "later" and ckpt.resumed > 0 then
  io.open(os.getenv("NOTES") .. ".hangs", "w"):close()
  while true do ckpt.sleep(1) end
end
LUA
NOTES=$PWD/notes
export NOTES

# stopped SIGNAL CODE now|later: in the first or the second run
stopped()
{
    rm -f notes notes.hangs
    HANG=$3 start "$CKPTLUA" verify --kills 2 job.lua
    wait_for_file notes.hangs
    kill -s "$1" "$pid"
    expect_end "$2"
    expect_message 'ckptlua: stopped'
    [ ! -s "$out" ] || fail 'there is something on stdout'
    [ -z "$(ls -A tmp)" ] || fail "left behind: $(ls -A tmp)"
    while read -r left; do
        wait_for 10 has_ended "$left"
    done <notes
}
# A job in the background of a script has SIGINT ignored, so that one is not tried here.
stopped TERM 143 now
stopped HUP 129 later

command -v python3 >/dev/null || skip 'there is no python3, which has the terminal'
python3 -c "import pty; pty.openpty()" 2>/dev/null || skip "there are no pseudo-terminals here"
expect_exit 0 python3 - <<'PYTHON'
import os, pty, select, time

def run(hang, until, keys):
    pid, fd = pty.fork()
    if pid == 0:
        if hang:
            os.environ["HANG"] = "now"
        os.execv(os.environ["CKPTLUA"], ["ckptlua", "verify", "--kills", "2", "job.lua"])
    seen = b""
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        try:
            if select.select([fd], [], [], 0.1)[0]:
                data = os.read(fd, 65536)
                if not data:
                    break
                seen += data
        except OSError:
            break
        if keys and until():
            os.write(fd, keys)
            keys = None
    return seen, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

seen, code = run(False, None, None)
assert code == 0, (code, seen)
assert b"job.lua  running undisturbed" in seen and b"[##########----------] 1/2" in seen, seen
shown = [line.split(b"\033[K")[-1].strip() for line in seen.split(b"\n")]
assert shown[0].startswith(b"undisturbed  "), shown
assert b"job.lua resumes exactly." in shown, shown

hangs = os.environ["NOTES"] + ".hangs"
seen, code = run(True, lambda: os.path.exists(hangs), b"\003")
assert code == 130 and b"ckptlua: stopped" in seen, (code, seen)
assert os.listdir("tmp") == [], os.listdir("tmp")
PYTHON
