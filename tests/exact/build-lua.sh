#!/bin/sh
# Builds the distribution's Lua out of its source package, with Lua's own assertions on, into FOLDER:
# liblua5.4.a, the headers, and a lua5.4.pc for PKG_CONFIG_PATH. Does nothing if it is there.
# usage: build-lua.sh FOLDER
# The machine's own lists of packages are left alone.
set -eu

folder=$1
[ ! -e "$folder/lua5.4.pc" ] || exit 0
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

give_up()
{
    echo "build-lua.sh: $*" >&2
    exit 1
}

for program in apt-get dpkg-source; do
    command -v "$program" >/dev/null || give_up "there is no $program, which is needed"
done

# Where the packages come from, the sources do too.
mkdir -p "$work/lists/partial"
# shellcheck disable=SC2016 # apt's own names
apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT) $(CREATED_BY)' |
    awk '$4 == "Packages" && !seen[$0]++ { print "deb-src", $1, $2, $3 }' >"$work/sources.list"
[ -s "$work/sources.list" ] || give_up 'apt-get names no place that packages come from; run apt-get update'
apt()
{
    apt-get -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache::PkgCache= -o Dir::Cache::SrcPkgCache= \
        -o APT::Sandbox::User=root "$@" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        give_up "apt-get $* has failed"
    }
}
apt update
version=$(dpkg-query -W -f '${Version}' liblua5.4-dev)
cd "$work"
apt source "lua5.4=${version%+b*}"
source=$(find "$work" -mindepth 2 -maxdepth 3 -name lapi.c -exec dirname {} \; | head -n 1)
[ -n "$source" ] || give_up 'the source package has no lapi.c where it was expected'

cd "$source"
for file in l*.c; do
    case $file in
    lua.c | luac.c | ltests.c) ;;
    *) echo "$file" ;;
    esac
done >"$work/files"
# shellcheck disable=SC2046 # words
gcc -c -O1 -g -fPIC -DLUA_COMPAT_5_3 -DLUA_USE_LINUX -DLUA_USE_APICHECK \
    -include assert.h '-Dlua_assert=assert' $(cat "$work/files")
ar rcs "$folder/liblua5.4.a" ./*.o
cp lua.h luaconf.h lualib.h lauxlib.h "$folder"
release=$(sed -n 's/^#define LUA_VERSION_RELEASE[^0-9]*"\([0-9]*\)"$/\1/p' lua.h)
cat >"$folder/lua5.4.pc" <<EOF
Name: Lua
Description: Lua with its assertions on
Version: 5.4.$release
Libs: -L$folder -llua5.4 -lm -ldl
Cflags: -I$folder
EOF
