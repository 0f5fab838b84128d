#!/bin/sh
# Checks that the files of each layer include only what the layer may use.
# usage: includes.sh FOLDER, where FOLDER is host/
set -euf
cd "$1"

lua='lua.h lauxlib.h lualib.h luaconf.h'
descriptors='fcntl.h unistd.h dirent.h sys/file.h sys/stat.h sys/uio.h'
# host/exact looks at what kind of file a name is
files='dirent.h sys/file.h'
threads='pthread.h threads.h signal.h sys/wait.h'

# layer | layers it may use | other libraries it may use | headers of the system it may not use
table="
base  |                        |                 | $descriptors $threads
store | base                   | xxhash.h xxh3.h | $threads
value | base                   | $lua msgpack.h msgpack/* | $descriptors $threads
zone  |                        | lua.h           | $descriptors $threads
exact | base value zone        | $lua            | $files $threads
job   | base store value zone exact include | $lua    |
num   | base value include     | $lua            | sys/wait.h
cli   | include                | $lua            | pthread.h threads.h
"
libraries="$lua msgpack.h msgpack.hpp msgpack/* xxhash.h xxh3.h cblas.h"
status=0
checked=0

complain()
{
    echo "host/$1: $2" >&2
    status=1
}

# one_of WORD PATTERN-LIST
one_of()
{
    # shellcheck disable=SC2086 # a list of words
    for pattern in $2; do
        # shellcheck disable=SC2254 # a pattern
        case $1 in $pattern) return 0 ;; esac
    done
    return 1
}

# check_own PLACE HEADER
check_own()
{
    case $2 in
    *.c)
        complain "$1" "includes a .c file"
        return ;;
    ckptlua.h) folder=include ;;
    */*) folder=${2%%/*} ;;
    *)
        complain "$1" "includes \"$2\"; write it with its folder"
        return ;;
    esac
    one_of "$folder" "$layer $layers" ||
        complain "$1" "includes $2; $layer may use of the others: ${layers:-none}"
    [ -f "$2" ] || [ -f "include/$2" ] || complain "$1" "includes $2, which is not there"
}

# check_system PLACE HEADER
check_system()
{
    if one_of "$2" "ckptlua.h base/* store/* value/* zone/* exact/* job/* cli/*"; then
        complain "$1" "includes <$2>; write it with \"\""
    elif one_of "$2" "$libraries" && ! one_of "$2" "$known"; then
        complain "$1" "includes <$2>; $layer does not know that library"
    elif one_of "$2" "$forbidden"; then
        complain "$1" "includes <$2>; that is not for $layer"
    fi
}

for layer in $(find . -mindepth 1 -maxdepth 1 -type d ! -name include | sed 's|^\./||'); do
    row=$(printf '%s\n' "$table" | grep "^$layer ") || {
        complain "$layer" "a layer that tests/includes.sh does not know"
        continue
    }
    layers=$(printf '%s' "$row" | cut -d'|' -f2 | xargs)
    known=$(printf '%s' "$row" | cut -d'|' -f3)
    forbidden=$(printf '%s' "$row" | cut -d'|' -f4)
    [ -z "$(find "$layer" -mindepth 1 -type d)" ] || complain "$layer" "a layer has no subfolders"

    lines=$(find "$layer" -name '*.[ch]' -exec grep -Hn '^[[:space:]]*#[[:space:]]*include' {} + |
        sed 's/^\([^:]*:[0-9]*\):[^"<]*\(["<]\)\([^">]*\).*/\1 \2 \3/')
    while read -r place quote header; do
        case $quote in
        '"') check_own "$place" "$header" ;;
        '<') check_system "$place" "$header" ;;
        *) continue ;;
        esac
        checked=$((checked + 1))
    done <<END
$lines
END
done

echo "$checked includes checked"
[ "$checked" -gt 0 ] || exit 1
exit $status
