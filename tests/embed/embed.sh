#!/bin/sh
# Installs into a folder of its own, builds a C program against what is there, through pkg-config
# and through find_package, with the shared and with the static library, and runs a job in each.
# Then loads a Lua module written in C into the installed program.
# usage: embed.sh BUILD-FOLDER C-COMPILER CMAKE
build=$1
compiler=$2
cmake=$3
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib.sh
. "$here/../lib.sh"

prefix=$scratch/prefix
expect_exit 0 "$cmake" --install "$build" --prefix "$prefix"
for file in bin/ckptlua include/ckptlua.h; do
    expect_file "$prefix/$file"
done
[ "$(ls "$prefix/include")" = ckptlua.h ] || fail "more than one header is installed"
expect_exit 0 "$prefix/bin/ckptlua" --version

libdir=$(dirname "$(find "$prefix" -name libckptlua.a)")
PKG_CONFIG_PATH=$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH

# shellcheck disable=SC2046 # flags are words
expect_exit 0 "$compiler" -Wall -Wextra -Werror "$here/main.c" -o pc_shared \
    $(pkg-config --cflags --libs ckptlua) -Wl,-rpath,"$libdir"
# shellcheck disable=SC2046
expect_exit 0 "$compiler" -Wall -Wextra -Werror "$here/main.c" -o pc_static \
    $(pkg-config --static --cflags --libs ckptlua | sed 's/-lckptlua/-l:libckptlua.a/')

expect_exit 0 "$cmake" -S "$here" -B cmake -DCMAKE_C_COMPILER="$compiler" \
    -DCMAKE_PREFIX_PATH="$prefix"
expect_exit 0 "$cmake" --build cmake

ldd cmake/with_shared | grep -q libckptlua.so.0 || fail "with_shared has no libckptlua.so.0"
for program in pc_static cmake/with_static; do
    ! ldd "$program" | grep -q libckptlua || fail "$program has a shared libckptlua"
done

cp "$here/job.lua" .
for program in ./pc_shared ./pc_static cmake/with_shared cmake/with_static; do
    expect_exit 85 "$program" job.lua
    expect_file job.ckpt
    expect_exit 0 "$program" job.lua
    expect_output "sum	55	continued	1"
    expect_no_file job.ckpt
done

# os.exit: the script is unwound, its state closed; what a finalizer writes counts.
cat >ends.lua <<'LUA'
f = f or assert(io.open(arg[2], "w"))
if ckpt.resumed == 0 then checkpoint(true) end
local object = setmetatable({}, { __gc = function() f:write("last\n") end })
f:write("first\n")
coroutine.wrap(function() pcall(os.exit, tonumber(arg[1])) end)()
f:write(tostring(object))
LUA
expect_exit 0 ./pc_static ends.lua 0 written
[ "$(cat written)" = "$(printf 'first\nlast')" ] || fail "not what was written: $(cat written)"
expect_no_file ends.ckpt ends.ckpt.lock
expect_exit 9 ./pc_static ends.lua 9 written
expect_file ends.ckpt
rm ends.ckpt*
if [ -c /dev/full ]; then
    expect_exit 4 ./pc_static ends.lua 0 /dev/full
    expect_message 'writing /dev/full failed' 'keeps the last state'
    rm ends.ckpt*
fi

# What objects have outside of Lua's memory makes the collector work, whoever decides when.
cat >blocks.lua <<'LUA'
local most, kept = 0, {}
local function make(count)
  for _ = 1, count do
    block(1000000)
    most = math.max(most, blocks())
  end
end
make(5000)
for i = 1, 100 do kept[i] = block(1000000) end
make(5000)
print(most < 1000 or most)
os.exit(0)
LUA
for deterministic in yes no; do
    expect_exit 0 env DETERMINISTIC=$deterministic ./pc_shared blocks.lua
    expect_output 'true'
done

# shellcheck disable=SC2046
expect_exit 0 "$compiler" -shared -fPIC "$here/module.c" -o module.so \
    $(pkg-config --cflags ckptlua)
cat >use.lua <<'LUA'
local box = require("module").box(7.5)
package.loaded.module = nil -- nothing but the value refers to the module
ckpt.exit()
print(box())
LUA
LUA_CPATH="$PWD/?.so"
export LUA_CPATH
expect_exit 85 "$prefix/bin/ckptlua" --resume exact use.lua
expect_exit 0 "$prefix/bin/ckptlua" --resume exact use.lua
expect_output '7.5'
unset LUA_CPATH

# Those that come with ckptlua are found from where the program is now.
mv "$prefix" "$prefix.moved"
echo 'local num = require "num"; print(num.describe(num.gallery("poisson", 2)))' >num.lua
expect_exit 0 "$prefix.moved/bin/ckptlua" num.lua
expect_output 'sparse matrix 4x4, 12 nonzeros'
