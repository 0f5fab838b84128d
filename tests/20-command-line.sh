#!/bin/sh
# The command line: what it takes, what it refuses and how it says so.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # sh -c has parameters of its own
. "$(dirname "$0")/lib.sh"

# wrong MESSAGE ARGUMENT...: exit 2, one line on stderr, nothing on stdout, no file left behind.
wrong()
{
    message=$1
    shift
    expect_exit 2 "$CKPTLUA" "$@"
    [ "$(cat "$err")" = "ckptlua: $message" ] || fail "stderr is not: ckptlua: $message"
    [ ! -s "$out" ] || fail "there is something on stdout"
    no_leftovers
}

# Unknown options, with a suggestion where one is near.
wrong 'unknown option --intervall; did you mean --interval?' --intervall 5 job.lua
wrong 'unknown option --intevral; did you mean --interval?' --intevral=5 job.lua
wrong 'unknown option --snapshto; did you mean --snapshot?' --snapshto x job.lua
wrong 'unknown option --versoin; did you mean --version?' --versoin
wrong 'unknown option --wxyzwxyz; see ckptlua --help' --wxyzwxyz job.lua
wrong 'unknown option -h; did you mean --help?' -h
wrong 'unknown option -interval; did you mean --interval?' -interval 5 job.lua
wrong 'unknown option -x; see ckptlua --help' -x job.lua
wrong 'unknown option --; see ckptlua --help' --=5 job.lua
long=--$(printf '%0500d' 0)
expect_exit 2 "$CKPTLUA" "$long" job.lua
expect_message 'ckptlua: unknown option --000' '; see ckptlua --help'

# The beginning of a name is not taken for it, even where only one option begins so.
wrong 'unknown option --inter; did you mean --interval?' --inter 5 job.lua
wrong 'unknown option --q; did you mean --quiet?' --q job.lua
wrong 'unknown option --exit; did you mean --exit-after or --exit-code?' --exit 5 job.lua

# Values.
wrong '--interval needs a value: --interval D' --interval
wrong '--quiet takes no value' --quiet=1 job.lua
wrong '--help takes no value' --help=me
expect_exit 2 "$CKPTLUA" --interval 5x job.lua
expect_message "ckptlua: --interval: '5x' is not a duration"
expect_exit 2 "$CKPTLUA" --interval= job.lua
expect_message "ckptlua: --interval: "
expect_exit 2 env CKPTLUA_INTERVAL=5x "$CKPTLUA" job.lua
expect_message "5x" INTERVAL
expect_exit 2 "$CKPTLUA" --generations 0 job.lua
expect_exit 2 "$CKPTLUA" --exit-code 3 job.lua
no_leftovers

# Scripts.
usage='no script given; usage: ckptlua [options] job.lua [arg ...], or see ckptlua --help'
wrong "$usage"
wrong "$usage" --
wrong "$usage" --interval 5s
expect_exit 2 "$CKPTLUA" job.lua
expect_message 'ckptlua: job.lua: no such file'
expect_exit 2 "$CKPTLUA" ''
mkdir folder.lua
expect_exit 2 "$CKPTLUA" folder.lua
expect_message 'ckptlua: folder.lua'
rmdir folder.lua
no_leftovers
wrong 'inspct: no such file; did you mean ckptlua inspect?' inspct x.ckpt
wrong 'exprot: no such file; did you mean ckptlua export?' exprot x.ckpt o.json
wrong 'inspect comes first: ckptlua inspect ...; a script of that name is ./inspect' \
    --quiet inspect x.ckpt

# What comes in later versions is said to be so, and nowhere told of.
for later in submit status fetch doctor report; do
    wrong "$later: not in this version" "$later" job.lua
done
wrong '-i: not in this version' -i
expect_exit 2 "$CKPTLUA" --resume middle job.lua
expect_message "--resume: 'middle' is not exact or globals"
expect_exit 2 "$CKPTLUA" --exit-after auto job.lua
expect_message 'not in this version'

# Everything behind the script is the job's; so is all behind --.
echo 'print(arg[0], ...)' >args.lua
expect_exit 0 "$CKPTLUA" --quiet --interval=never args.lua --interval -x --help inspect --
[ "$(cat "$out")" = "$(printf 'args.lua\t--interval\t-x\t--help\tinspect\t--')" ] || fail 'other arguments'
expect_silence
expect_exit 0 "$CKPTLUA" -- args.lua --version
expect_output "$(printf 'args.lua\t--version')"
cp args.lua ./--odd
expect_exit 0 "$CKPTLUA" --quiet -- --odd 1
expect_output "$(printf -- '--odd\t1')"
rm ./--odd

# A script with the name of a command.
cp args.lua inspect
expect_exit 0 "$CKPTLUA" ./inspect 1
expect_output "$(printf './inspect\t1')"
rm inspect
no_leftovers args.lua

# Exit codes of the job, and what it printed before.
echo 'io.write("no newline"); os.exit(tonumber(arg[1]))' >exit.lua
for code in 0 1 7 85 255; do
    expect_exit $code "$CKPTLUA" --snapshot exit$code.ckpt exit.lua $code
    expect_output 'no newline'
done
expect_exit 7 sh -c '"$1" exit.lua 7 >/dev/full' sh "$CKPTLUA"
expect_message 'ckptlua: cannot write to standard output'
expect_exit 1 sh -c '"$1" args.lua >/dev/full' sh "$CKPTLUA"
rm -f ./*.ckpt*

# --help and --version.
expect_exit 0 "$CKPTLUA" --help
expect_silence
cp "$out" help
[ "$(awk 'length > 80' help)" = '' ] || fail 'help is wider than 80 columns'
grep -Eqi 'submit|doctor|\.mat\b' help && fail 'help tells of later versions'
expect_exit 0 "$CKPTLUA" --interval 5s --help
expect_same help "$out"
expect_exit 0 "$CKPTLUA" --version
grep -Eqx 'ckptlua [0-9]+\.[0-9]+\.[0-9]+ \(Lua 5\.4\.[0-9]+\)' "$out" || fail 'other version'
for option in --help --version; do
    expect_exit 1 sh -c '"$1" "$2" >/dev/full' sh "$CKPTLUA" $option
    expect_message 'ckptlua: cannot write to standard output: No space left on device'
    expect_exit 1 sh -c '"$1" "$2" >&-' sh "$CKPTLUA" $option
    expect_message 'ckptlua: cannot write to standard output'
done

# Help and manual name the same options.
manual=$source/docs/ckptlua.1
# In mdoc, "Fl -quiet , -verbose" are two options.
grep -E '^\.(It )?Fl ' "$manual" | grep -Eo ' -[a-z][a-z-]*' | sed 's/^ -/--/' | grep -vx -e --name | sort -u >in-manual
grep -Eo -e '--[a-z][a-z-]*' help | sort -u >in-help
expect_same in-help in-manual
for word in submit status fetch doctor report; do
    ! grep -Eqw -e "$word" "$manual" || fail "the manual tells of $word"
done
if command -v mandoc >/dev/null; then
    last='mandoc -Tlint'
    # A machine without lua(1) cannot find the reference to it.
    mandoc -Tlint "$manual" 2>&1 | grep -v -e 'lua(1)' -e 'lua 1' >"$out" || true
    [ ! -s "$out" ] || fail 'the manual is not clean'
fi
