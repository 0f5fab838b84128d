#!/bin/sh
# Builds the exact driver in another release of Debian, whose Lua is another one too, and runs scripts in
# pieces: there, those of later/ too, and then with this machine's own DRIVER and that one taking turns,
# each going on with what the other has saved.
# usage: release.sh RELEASE SECONDS DRIVER [options of differential.py]
# Needs root, debootstrap, and the archive that apt gets this machine's packages from. Without these it
# is skipped (77). The root is made in $TMPDIR or /tmp and takes about 1 GB; its mounts are in a
# namespace of their own, and gone when this ends.
set -eu

release=$1 seconds=$2 driver=$3
shift 3
source=$(cd "$(dirname "$0")/../.." && pwd)

skip()
{
    echo "release.sh: $*; skipped"
    exit 77
}

[ "$(id -u)" = 0 ] || skip 'not root'
command -v debootstrap >/dev/null || skip 'no debootstrap'
[ -e "/usr/share/debootstrap/scripts/$release" ] || skip "debootstrap does not know $release"
unshare --mount true 2>/dev/null || skip 'no mount namespaces'
# shellcheck disable=SC2016 # apt's own names
mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(ORIGIN) $(CREATED_BY)' |
    awk '$2 == "main" && $3 == "Debian" && $4 == "Packages" { print $1; exit }')
[ -n "$mirror" ] || skip 'apt names no archive of Debian'

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root
packages=gcc,libc6-dev,make,cmake,pkgconf,liblua5.4-dev,libmsgpack-c-dev,libxxhash-dev,libcmocka-dev,lua5.4,python3

if ! unshare --mount debootstrap --variant=minbase --include="$packages" "$release" "$root" \
    "$mirror" >"$work/log" 2>&1; then
    tail -n 20 "$work/log"
    skip "no root of $release could be made"
fi

mkdir "$root/source"
(cd "$source" && tar c --exclude=./build --exclude=./.git .) | tar x -C "$root/source"
cat >"$root/pieces.sh" <<'EOF'
set -eu
seconds=$1
shift
export HOME=/root LC_ALL=C.UTF-8
cmake -S /source -B /build -DCKPTLUA_BUILD_TESTS=ON -DCKPTLUA_TEST_EXACT_ONLY=ON >/log
cmake --build /build --target exact-driver --parallel "$(nproc)" >>/log
lua5.4 -v
python3 /source/tests/exact/later.py --driver /build/tests/exact-driver --chains 1 --strict
exec python3 /source/tests/exact/differential.py --lua lua5.4 --driver /build/tests/exact-driver \
    --keep /failures --seconds "$seconds" "$@"
EOF
# shellcheck disable=SC2016 # for the inner shell
unshare --mount sh -eu -c 'mount -t proc proc "$0/proc" 2>/dev/null || mount --bind /proc "$0/proc"
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$0" sh /pieces.sh "$@"' "$root" "$seconds" "$@"

# What was made for the release runs here with its own loader and libraries.
loader=$(echo "$root"/lib64/ld-linux-*)
[ -x "$loader" ] || skip 'the two releases cannot take turns on this architecture'
cat >"$work/other" <<EOF
#!/bin/sh
libraries=\$(echo "$root"/usr/lib/*-linux-gnu)
exec "$loader" --library-path "\$libraries" "$root/build/tests/exact-driver" "\$@"
EOF
chmod +x "$work/other"
python3 "$source/tests/exact/differential.py" --lua lua5.4 --driver "$driver" --other "$work/other" \
    --chains 1 --processes 10 "$@"
