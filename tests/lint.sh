#!/bin/sh
# Runs a formatter or linter over the project.
# usage: lint.sh format|lua|shell, or lint.sh tidy LAYER BUILD-FOLDER
set -eu
cd "$(dirname "$0")/.."

folders=
for folder in .ci bench examples host lua scripts tests; do
    [ ! -d "$folder" ] || folders="$folders $folder"
done

files()
{
    # shellcheck disable=SC2086 # a list of words
    find $folders "$@" -type f | LC_ALL=C sort
}

case $1 in
format)
    files -name '*.[ch]' | xargs clang-format --dry-run -Werror
    ;;
lua)
    files -name '*.lua' | xargs luacheck --quiet --codes --no-cache --no-color
    ;;
shell)
    files | xargs grep -lE '^#!/bin/(ba)?sh$' | xargs shellcheck -x -P SCRIPTDIR --exclude=SC2016,SC2119,SC2120
    ;;
tidy)
    # with assertions, which tell it what is never NULL
    set -- "$2" -p "$3" --extra-arg=-UNDEBUG
    case $1 in
    base | store) ;;
    *) set -- "$@" --extra-arg=-include --extra-arg="$PWD/tests/noreturn.h" ;;
    esac
    layer=$1
    shift
    files -path "host/$layer/*.c" | xargs -r clang-tidy --quiet --warnings-as-errors='*' "$@"
    ;;
*)
    echo "lint.sh: what is '$1'?" >&2
    exit 2
    ;;
esac
