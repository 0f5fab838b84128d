#!/bin/sh
# For the whole-program tests: `. "$(dirname "$0")/lib.sh"` in their first lines.
#
# The test runs in an empty scratch folder, which is removed when it ends. $CKPTLUA is the program,
# $source the project's folder; $out and $err are files with what the last command of expect_exit
# printed. CKPTLUA_SANITIZED is 1 when the program has sanitizers. The first expectation that is not
# met ends the test. A comment line "# label: long" makes ctest leave it out of the quick ones.

set -eu

: "${CKPTLUA:?is to be the path of the program}"
# shellcheck disable=SC2034 # for the tests
source=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ckptlua-test.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# Neither the reader's options nor the reader's language.
for name in $(env | sed -n 's/^\(CKPTLUA_[A-Z_]*\)=.*/\1/p'); do
    case $name in
    CKPTLUA_SANITIZED | CKPTLUA_TEST_SEED) ;;
    *) unset "$name" ;;
    esac
done
LC_ALL=C
export LC_ALL

# Tests of what both ways of continuing have in common, and of globals, are about globals; those of
# the exact one, which is the default, say `exact=1` before they read this file.
if [ "${exact-}" != 1 ]; then
    CKPTLUA_RESUME=globals
    export CKPTLUA_RESUME
fi

out=$scratch/out
err=$scratch/err
: >"$out"
: >"$err"
last=
mkdir "$scratch/work"
cd "$scratch/work"

# fail TEXT...: ends the test, telling what was run last and what it printed.
fail()
{
    {
        echo "FAIL: $*"
        echo "last command: $last"
        echo "--- its stdout"
        tail -n 20 "$out"
        echo "--- its stderr"
        tail -n 20 "$err"
        echo "--- files here"
        ls -la
    } >&2
    exit 1
}

# skip TEXT...: the test cannot be run here.
skip()
{
    echo "skipped: $*"
    exit 77
}

# expect_exit CODE COMMAND [ARGUMENT...]
expect_exit()
{
    expected=$1
    shift
    last="$*"
    code=0
    "$@" >"$out" 2>"$err" || code=$?
    [ "$code" = "$expected" ] || fail "exit code $code, not $expected"
}

# expect_message TEXT...: the last command's stderr has each TEXT, as it is.
expect_message()
{
    for text; do
        grep -qF -e "$text" "$err" || fail "stderr does not have: $text"
    done
}

# expect_output TEXT...: the same of its stdout.
expect_output()
{
    for text; do
        grep -qF -e "$text" "$out" || fail "stdout does not have: $text"
    done
}

# expect_silence: the last command printed nothing on stderr.
expect_silence()
{
    [ ! -s "$err" ] || fail "there is something on stderr"
}

# expect_same FILE FILE: both are there, and equal byte for byte.
expect_same()
{
    cmp "$1" "$2" >&2 || fail "$1 and $2 differ"
}

expect_file()
{
    for file; do
        [ -f "$file" ] || fail "there is no file $file"
    done
}

expect_no_file()
{
    for file; do
        [ ! -e "$file" ] || fail "there is a file $file"
    done
}

# no_leftovers [NAME...]: nothing is in the scratch folder but these.
no_leftovers()
{
    for file in * .[!.]*; do
        [ -e "$file" ] || [ -L "$file" ] || continue
        for allowed; do
            [ "$file" != "$allowed" ] || continue 2
        done
        # A run that failed behind a snapshot it had not followed with one of its own leaves word of
        # where its output began.
        case $file in *.lock) [ "${lock_may_stay-}" != 1 ] || continue ;; esac
        fail "$file was left behind"
    done
}

# wait_for SECONDS COMMAND...: runs it every 20 ms until it succeeds; SECONDS only bound a failure.
wait_for()
{
    rounds=$(($1 * 50))
    shift
    while ! "$@"; do
        rounds=$((rounds - 1))
        [ "$rounds" -gt 0 ] || fail "waited in vain for: $*"
        sleep 0.02
    done
}

# ---- programs that run beside the test

started=
trap 'stop_started; rm -rf "$scratch"' EXIT

stop_started()
{
    for process in $started; do
        kill -KILL "$process" 2>/dev/null || true
    done
}

# start COMMAND [ARGUMENT...]: runs it in the background, its output in $out and $err; $pid is its
# process, which does not outlive the test.
start()
{
    start_with "$out" "$@"
}

# start_with FILE COMMAND...: the same, with stdout at the end of FILE.
start_with()
{
    stdout=$1
    shift
    last="$*"
    : >"$err"
    [ "$stdout" != "$out" ] || : >"$out"
    "$@" >>"$stdout" 2>"$err" &
    pid=$!
    started="$started $pid"
}

# has_ended [PID]: it is gone, or only its exit code is left of it.
# shellcheck disable=SC2120 # $1 may be left out
has_ended()
{
    ! grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/${1:-$pid}/status"
}

# expect_end CODE: the last one started ends by itself, with that code.
expect_end()
{
    wait_for 240 has_ended
    code=0
    wait "$pid" || code=$?
    [ "$code" = "$1" ] || fail "exit code $code, not $1"
}

# kill_hard: the last one started ends by SIGKILL.
kill_hard()
{
    kill -KILL "$pid"
    code=0
    wait "$pid" 2>/dev/null || code=$?
    [ "$code" = 137 ] || fail "it had ended before the kill, with exit code $code"
}

# wait_for_output TEXT: until it is in the stdout of the last one started.
wait_for_output()
{
    wait_for 120 output_has "$1"
}

output_has()
{
    # shellcheck disable=SC2119 # $1 is another one
    ! has_ended || grep -qF -e "$1" "$out" || fail "it has ended without printing: $1"
    grep -qF -e "$1" "$out"
}

wait_for_file()
{
    wait_for 120 test -e "$1"
}

# expect_no_message TEXT...: the last command's stderr has none of them.
expect_no_message()
{
    for text; do
        ! grep -qF -e "$text" "$err" || fail "stderr has: $text"
    done
}

# expect_once TEXT: exactly one line of the last command's stderr has it.
expect_once()
{
    count=$(grep -cF -e "$1" "$err") || true
    [ "$count" = 1 ] || fail "$count lines on stderr, not one, have: $1"
}

# expect_lines FIRST LAST FILE: the file is what seq prints.
expect_lines()
{
    seq "$1" "$2" >"$scratch/lines"
    expect_same "$scratch/lines" "$3"
}

# header FILE TEXT...: ckptlua inspect tells each TEXT of the snapshot.
header()
{
    snapshot=$1
    shift
    "$CKPTLUA" inspect "$snapshot" >"$scratch/header" 2>&1 || fail "inspect: $(cat "$scratch/header")"
    for text; do
        grep -qF -e "$text" "$scratch/header" ||
            fail "inspect $snapshot does not tell: $text: $(cat "$scratch/header")"
    done
}

# value FILE NAME: prints one variable of a snapshot.
value()
{
    "$CKPTLUA" inspect "$1" "$2" | sed 's/^[^=]* = //'
}

# unprivileged COMMAND...: as a user who may not write everywhere; see can_be_unprivileged.
unprivileged()
{
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
    else
        "$@"
    fi
}

can_be_unprivileged()
{
    chmod 755 "$scratch" || return 1
    unprivileged test -x "$CKPTLUA" 2>/dev/null
}

# can_trace: strace may follow a process here.
can_trace()
{
    command -v strace >/dev/null && strace -f -o "$scratch/trace" true 2>/dev/null
}

# pid_of SNAPSHOT: the process that runs the job, as its lock names it.
pid_of()
{
    sed -n '1s/ .*//p' "$1.lock"
}

# only_scripts_and [NAME...]: nothing is in the scratch folder but Lua scripts and these.
only_scripts_and()
{
    # shellcheck disable=SC2035 # names as they are
    no_leftovers *.lua "$@"
}

# as_lua5_4: the script on stdin, in which save() stands for ckpt.exit(), prints what it prints under
# lua5.4, and says the same, in as many pieces as it saves; in $pieces of them, if that is set.
as_lua5_4()
{
    cat >body.lua
    { echo 'local save = ckpt.exit'; cat body.lua; } >job.lua
    { echo 'local save = function() end'; cat body.lua; } | lua5.4 - >expected 2>expected.err
    : >printed
    : >said
    code=85
    made=0
    while [ $code = 85 ]; do
        code=0
        made=$((made + 1))
        "$CKPTLUA" --quiet job.lua >"$out" 2>"$err" || code=$?
        cat "$out" >>printed
        cat "$err" >>said
    done
    [ $code = 0 ] || fail "exit code $code"
    [ "$made" = "${pieces:-$made}" ] || fail "$made pieces, not $pieces"
    expect_same expected printed
    grep -v '^ckptlua: ' said >said.lua || :
    expect_same expected.err said.lua
    expect_no_file job.ckpt
    rm -f job.ckpt*
}
