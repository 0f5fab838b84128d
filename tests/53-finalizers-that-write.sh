#!/bin/sh
# What finalizers write at the very end is in the files, and safe there, before the snapshot goes; if
# it cannot be, the job has not ended well.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2012 # no odd names here
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
CKPTLUA_SAVE=inline
export CKPTLUA_INTERVAL CKPTLUA_SAVE

# Into a file that was open, one that was closed, new ones that stay open or are closed, one renamed;
# stdout. Ending by the script's end, or os.exit with and without its second argument.
cat >final.lua <<'LUA'
if ckpt.resumed == 0 then
  f = assert(io.open("open", "w"))
  f:write("first\n")
  local closed = assert(io.open("closed", "a"))
  closed:write("first\n")
  closed:close()
  ckpt.exit()
end
local function final()
  assert(f:write("last\n"))
  local closed = assert(io.open("closed", "a"))
  closed:write("last\n")
  closed:close()
  left = assert(io.open("left", "w"))
  left:write("last\n")
  local new = assert(io.open("new.tmp", "w"))
  new:write("last\n")
  new:close()
  os.rename("new.tmp", "new")
  print("last")
end
local object = setmetatable({}, { __gc = function() print(pcall(final)) end }) -- luacheck: ignore
f:write("second\n")
if arg[1] == "exit" then os.exit(0) end
if arg[1] == "close" then os.exit(true, true) end
if arg[1] == "coroutine" then coroutine.wrap(function() os.exit(0, true) end)() end
if arg[1] == "7" then os.exit(7, true) end
LUA
for how in end exit close coroutine 7; do
    for finish in remove keep; do
        expect_exit 85 "$CKPTLUA" --on-finish $finish final.lua $how
        code=0
        [ $how != 7 ] || code=7
        expect_exit $code "$CKPTLUA" --on-finish $finish final.lua $how
        if [ $how = exit ]; then
            # As in stock Lua.
            [ "$(cat open)" = "$(printf 'first\nsecond')" ] || fail "not what was written: $(cat open)"
            [ ! -s "$out" ] || fail 'a finalizer ran'
        else
            expect_output last true
            [ "$(cat open)" = "$(printf 'first\nsecond\nlast')" ] || fail "lost: $(cat open)"
            [ "$(cat closed)" = "$(printf 'first\nlast')" ] || fail "lost: $(cat closed)"
            [ "$(cat left new)" = "$(printf 'last\nlast')" ] || fail "lost: $(cat left new)"
        fi
        if [ $how = 7 ]; then
            # No good end: the snapshot stays, and what was written since goes with the next run.
            header final.ckpt 'generation 1'
            expect_exit 7 "$CKPTLUA" final.lua $how
            [ "$(cat closed)" = "$(printf 'first\nlast')" ] || fail "twice: $(cat closed)"
        elif [ $finish = keep ]; then
            expect_exit 0 "$CKPTLUA" final.lua $how
            expect_message 'has ended already'
        else
            expect_no_file final.ckpt
        fi
        rm -f final.ckpt* open closed left new
    done
done

# It is synced behind the last finalizer, and before the snapshot goes.
if [ "${CKPTLUA_SANITIZED-0}" != 1 ] && can_trace; then
    cat >synced.lua <<'LUA'
f = assert(io.open("synced.out", "w"))
checkpoint(true)
setmetatable({}, { __gc = function() f:write("last\n") end })
LUA
    expect_exit 0 strace -f -y -e trace=write,fsync,unlink -o trace "$CKPTLUA" synced.lua
    sed -n 's/.*write(.*synced\.out>, "last.*/write/p; s/.*fsync(.*synced\.out>.*/fsync/p
        s/.*unlink(".*synced\.ckpt").*/unlink/p' trace | tail -n 3 | xargs >order
    [ "$(cat order)" = 'write fsync unlink' ] || fail "in this order: $(cat order)"
    rm trace order synced.out
fi

# A finalizer that ends the job.
cat >ends.lua <<'LUA'
f = f or assert(io.open("ends.out", "w"))
if ckpt.resumed == 0 then checkpoint(true) end
setmetatable({}, { __gc = function()
  f:write("last\n")
  os.exit(tonumber(arg[1]), arg[2] == "close")
end })
LUA
for close in '' close; do
    # shellcheck disable=SC2086 # none or one
    for finish in remove keep; do
        expect_exit 0 "$CKPTLUA" --on-finish $finish ends.lua 0 $close
        [ "$(cat ends.out)" = last ] || fail 'lost'
        [ $finish = remove ] || expect_exit 0 "$CKPTLUA" ends.lua 0 $close
        [ $finish = remove ] || expect_message 'has ended already'
        rm -f ends.ckpt* ends.out
        expect_exit 9 "$CKPTLUA" --on-finish $finish ends.lua 9 $close
        header ends.ckpt 'generation 1'
        expect_no_file ends.ckpt.tmp
        rm -f ends.ckpt* ends.out
    done
done

# A full disk.
[ ! -c /dev/full ] || cat >device.lua <<'LUA'
if ckpt.resumed == 0 then
  checkpoint(true)
  setmetatable({}, { __gc = function()
    f = io.open("/dev/full", "w")
    f:write("x")
    if arg[1] == "close" then f:close() end
  end })
end
LUA
for how in close open; do
    for finish in remove keep empty; do
        [ -c /dev/full ] || continue
        expect_exit 4 "$CKPTLUA" --on-finish $finish device.lua $how
        expect_message 'writing /dev/full failed: no space left on device; device.ckpt keeps the last state: run the same command again to continue'
        header device.ckpt 'generation 1'
        expect_no_file device.ckpt.tmp
        expect_exit 0 "$CKPTLUA" device.lua $how
        expect_message 'continuing device.lua'
    done
done
mkdir disk
if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=1m none disk 2>/dev/null; then
    echo 'no small file system can be mounted here: nothing was written to one'
    exit 0
fi
trap 'stop_started; umount "$scratch/work/disk"; rm -rf "$scratch"' EXIT
cat >fills.lua <<'LUA'
f = f or assert(io.open("disk/out", "a"))
log = log or "disk/log"
if ckpt.resumed == 0 then checkpoint(true) end
local size = tonumber(os.getenv("SIZE"))
setmetatable({}, { __gc = function()
  if arg[1] == "open" then
    f:write(("x"):rep(size))
  else
    local new = assert(io.open(log, "a"))
    -- What does not fail before it is closed, or left open.
    for i = 1, size // 1000 do new:write(("x"):rep(1000)) end
    if arg[1] == "closed" then new:close() end
  end
end })
if arg[2] == "exit" then os.exit(0, true) end
LUA
for how in open closed left; do
    for end in end exit; do
        for finish in remove keep; do
            export SIZE=3000000
            expect_exit 4 "$CKPTLUA" --on-finish $finish --snapshot state fills.lua $how $end
            expect_message 'ckptlua: writing disk/' ' failed' \
                'state keeps the last state: run the same command again to continue'
            header state 'generation 1'
            SIZE=3000
            expect_exit 0 "$CKPTLUA" --snapshot state fills.lua $how $end
            [ "$(cat disk/* | wc -c)" = 3000 ] || fail "not what was written: $(ls -l disk)"
            rm -f disk/*
            expect_no_file state state.tmp state.lock
        done
    done
done
