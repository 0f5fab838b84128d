#!/bin/sh
# Older generations, damaged snapshots, and all that may be in a snapshot's place.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2012 # no odd names here
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

cat >job.lua <<'LUA'
n = n or 0
print("from", n)
last = n + (tonumber(arg[1]) or 5)
while n < last do
  n = n + 1
  checkpoint(true)
end
os.exit(9)
LUA

# --generations: 1, 2 (the default), 5.
for generations in 1 2 5; do
    expect_exit 9 "$CKPTLUA" --generations $generations job.lua
    [ "$(ls -d job.ckpt* | wc -l)" -eq $generations ] || fail "not $generations files: $(ls)"
    number=0
    while [ $number -lt $generations ]; do
        file=job.ckpt.$number
        [ $number -gt 0 ] || file=job.ckpt
        [ "$(value $file n)" -eq $((5 - number)) ] || fail "$file is another generation"
        number=$((number + 1))
    done
    [ $generations = 5 ] || rm job.ckpt*
done
# Fewer than there are: the others go with the next save.
expect_exit 3 "$CKPTLUA" --generations 2 job.lua 1
expect_exit 9 "$CKPTLUA" --generations 2 job.lua
expect_output 'from	5'
only_scripts_and job.ckpt job.ckpt.1
for number in 0 -1 1001 x '' 1.5; do
    expect_exit 2 "$CKPTLUA" --generations "$number" job.lua
    expect_message 'ckptlua: --generations: '
done

# damage FILE OFFSET
damage()
{
    printf '\377\376' | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# The newest is damaged: set aside, and the one before is used.
cp job.ckpt good
cp job.ckpt.1 good.1
size=$(wc -c <good)
for offset in 3 20 200 $((size - 3)); do
    cp good job.ckpt
    cp good.1 job.ckpt.1
    damage job.ckpt $offset
    cp job.ckpt damaged
    expect_exit 9 "$CKPTLUA" job.lua
    expect_output 'from	9'
    expect_once 'ckptlua: job.ckpt is '
    expect_message '; set aside as job.ckpt.bad' 'ckptlua: continuing from job.ckpt.1, saved '
    expect_same damaged job.ckpt.bad
    only_scripts_and good good.1 damaged job.ckpt job.ckpt.1 job.ckpt.bad
    rm job.ckpt*
done
# Cut short anywhere.
for length in 1 16 100 $((size - 1)); do
    head -c "$length" good >job.ckpt
    cp good.1 job.ckpt.1
    expect_exit 9 "$CKPTLUA" job.lua
    expect_output 'from	9'
    expect_message 'set aside as job.ckpt.bad'
    rm job.ckpt*
done
# Something behind its end.
{ cat good; echo; } >job.ckpt
cp good.1 job.ckpt.1
expect_exit 9 "$CKPTLUA" job.lua
expect_output 'from	9'
rm job.ckpt*

# The newest two of three.
cp good job.ckpt
cp good job.ckpt.1
cp good.1 job.ckpt.2
damage job.ckpt 100
damage job.ckpt.1 100
expect_exit 9 "$CKPTLUA" --generations 3 job.lua
expect_output 'from	9'
expect_message 'continuing from job.ckpt.2'
rm job.ckpt*

# All of them: exit 3, and everything stays as it is.
cp good job.ckpt
cp good.1 job.ckpt.1
damage job.ckpt 100
damage job.ckpt.1 100
cp job.ckpt damaged
cp job.ckpt.1 damaged.1
expect_exit 3 "$CKPTLUA" job.lua
expect_message 'ckptlua: job.ckpt is damaged (' 'and there is no good older generation; --fresh starts over'
expect_same damaged job.ckpt
expect_same damaged.1 job.ckpt.1
[ ! -s "$out" ] || fail 'it ran'
only_scripts_and good good.1 damaged damaged.1 job.ckpt job.ckpt.1
expect_exit 9 "$CKPTLUA" --fresh job.lua
expect_output 'from	0'
expect_same damaged job.ckpt.old
rm job.ckpt* damaged*

# FILE is missing, FILE.1 is there: a fresh start, which says so in one line.
cp good.1 job.ckpt.1
expect_exit 9 "$CKPTLUA" job.lua
expect_output 'from	0'
expect_once 'job.ckpt.1 is there'
[ "$(wc -l <"$err")" = 1 ] || fail 'more than one line'
rm job.ckpt*

# An empty one is none.
: >job.ckpt
expect_exit 9 "$CKPTLUA" job.lua
expect_output 'from	0'
expect_silence
rm job.ckpt*
: >job.ckpt
cp good.1 job.ckpt.1
expect_exit 9 "$CKPTLUA" job.lua
expect_output 'from	0'
expect_message 'job.ckpt.1'
rm job.ckpt*

# unusable CODE MESSAGE...: what is in the snapshot's place stays there, and nothing runs.
unusable()
{
    cp -a job.ckpt kept
    expect_exit "$1" "$CKPTLUA" job.lua
    shift
    expect_message "$@"
    [ ! -s "$out" ] || fail 'it ran'
    diff -r kept job.ckpt >&2 || fail 'it was changed'
    only_scripts_and good good.1 kept job.ckpt
    rm -r kept job.ckpt
}
echo 'a text of mine' >job.ckpt
unusable 3 'ckptlua: job.ckpt is not a ckptlua snapshot'
mkdir job.ckpt
echo mine >job.ckpt/file
unusable 3 'ckptlua: job.ckpt is a directory'
head -c 100000 /dev/zero >job.ckpt
unusable 3 'job.ckpt is not a ckptlua snapshot'
# shellcheck disable=SC2016
head -c 16 good >job.ckpt
unusable 3 'job.ckpt is '

# Of another script, with other arguments, a workspace, a newer version.
cp job.lua other.lua
expect_exit 9 "$CKPTLUA" --snapshot job.ckpt other.lua
expect_exit 3 "$CKPTLUA" job.lua
rm job.ckpt.1
unusable 3 'ckptlua: job.ckpt belongs to another job (other.lua); use --snapshot for a different file, or --fresh'
expect_exit 9 "$CKPTLUA" job.lua 5
rm job.ckpt.1
unusable 3 'ckptlua: job.ckpt belongs to job.lua with other arguments (5); use --snapshot'
rm -f job.ckpt*
expect_exit 9 "$CKPTLUA" job.lua "$(printf 'two\nlines')"
rm job.ckpt.1
unusable 3 'ckptlua: job.ckpt belongs to job.lua with other arguments (two?lines); use --snapshot'
echo 'ckpt.save("job.ckpt", { x = 1 })' >workspace.lua
expect_exit 0 "$CKPTLUA" workspace.lua
unusable 3 'ckptlua: job.ckpt was written by ckpt.save and is no job'\''s snapshot'
# The number of the format is where docs/format.md says.
python3 - <<'PYTHON' 2>/dev/null || true
data = bytearray(open("good", "rb").read())
at = data.index(b"ckptlua") + 7
assert data[at] == 1
data[at] = 99
open("job.ckpt", "wb").write(data)
PYTHON
if [ -e job.ckpt ]; then
    cp good.1 job.ckpt.1
    cp job.ckpt kept
    expect_exit 3 "$CKPTLUA" job.lua
    expect_message 'ckptlua: job.ckpt ' 'newer'
    expect_same kept job.ckpt
    expect_no_file job.ckpt.bad
    rm kept job.ckpt*
fi
# Of another folder's script of the same name: the same job.
mkdir there
cp job.lua there
cp good job.ckpt
expect_exit 9 "$CKPTLUA" there/job.lua
expect_output 'from	10'
rm -r there job.ckpt*

# A symbolic link stays one; what it points to is replaced, and the rest is beside that.
mkdir disk
ln -s disk/state job.ckpt
expect_exit 9 "$CKPTLUA" job.lua
[ -L job.ckpt ] || fail 'the link is no link any more'
header disk/state 'generation 5'
[ "$(ls disk | sort | xargs)" = 'state state.1' ] || fail "in disk: $(ls disk)"
expect_exit 9 "$CKPTLUA" job.lua
expect_output 'from	5'
echo 'if ckpt.resumed == 0 then ckpt.exit() end' >end.lua
ln -s disk/end end.ckpt
expect_exit 85 "$CKPTLUA" end.lua
expect_exit 0 "$CKPTLUA" end.lua
[ "$(ls disk | sort | xargs)" = 'state state.1' ] || fail "in disk: $(ls disk)"
rm -r disk job.ckpt* end.ckpt
ln -s job.ckpt job.ckpt
expect_exit 2 "$CKPTLUA" job.lua
expect_message 'ckptlua: cannot follow job.ckpt'
rm job.ckpt
only_scripts_and good good.1

# Its permissions are kept.
expect_exit 9 "$CKPTLUA" job.lua
chmod 600 job.ckpt
expect_exit 9 "$CKPTLUA" job.lua
[ "$(stat -c %a job.ckpt)" = 600 ] || fail 'its permissions were changed'
rm job.ckpt*

# A folder that is not there, or has no name.
expect_exit 2 "$CKPTLUA" --snapshot no/where.ckpt job.lua
expect_message 'no/where.ckpt.lock'
expect_exit 2 "$CKPTLUA" --snapshot '' job.lua
expect_exit 2 "$CKPTLUA" --snapshot ./ job.lua
[ ! -s "$out" ] || fail 'it ran'
only_scripts_and good good.1

# An end that is good takes all generations away, whatever their number, but not .bad and .old.
expect_exit 85 "$CKPTLUA" end.lua
for number in 1 2 3; do
    cp end.ckpt end.ckpt.$number
done
cp end.ckpt end.ckpt.bad
cp end.ckpt end.ckpt.old
cp end.ckpt end.ckpt@mark
expect_exit 0 "$CKPTLUA" end.lua
only_scripts_and good good.1 end.ckpt.bad end.ckpt.old end.ckpt@mark
