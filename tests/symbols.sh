#!/bin/sh
# Checks what the libraries and the program export, that a file foo.c has only names foo_* for
# others, and that nothing but constants is global.
# usage: symbols.sh STATIC-LIBRARY SHARED-LIBRARY PROGRAM HEADER OBJECT...
set -eu

static=$1
shared=$2
program=$3
header=$4
shift 4
status=0

complain()
{
    [ -n "$*" ] || return 0
    echo "$*" >&2
    status=1
}

# The names that are defined: names NM-OPTION... FILE
names()
{
    nm --defined-only --format=posix "$@" | sed -n 's/^\([^ ]*\) [A-Za-z] .*/\1/p' | LC_ALL=C sort -u
}

# Complains of the lines of $2 that do not match the pattern $3.
only()
{
    others=$(printf '%s\n' "$2" | grep -Ev "$3" | xargs)
    [ -z "$others" ] || complain "$1 exports $others"
}

# Complains where the list $2 is not that of the header.
same()
{
    [ "$2" = "$declared" ] ||
        complain "$1 and $header differ in $(printf '%s\n' "$2" "$declared" | sort | uniq -u | xargs)"
}

declared=$(sed -n 's/^CKPTLUA_API .*[ *]\(ckptlua_[a-z_]*\)(.*/\1/p' "$header" | LC_ALL=C sort -u)
[ -n "$declared" ] || complain "$header declares nothing"
in_static=$(names --extern-only "$static")
in_shared=$(names --dynamic "$shared")
same "$static" "$in_static"
same "$shared" "$in_shared"

# Data of the C library that the program uses shows up as its own.
of_program=$(names --dynamic "$program")
only "$program" "$of_program" \
    '^(lua_.*|luaL_.*|luaopen_.*|ckptlua_.*|_IO_stdin_used|stdin|stdout|stderr|optarg|opt(ind|err|opt)|(__?)?environ)(@.*)?$'
# Where it has a Lua of its own, a module written in C finds all of it.
case $of_program in
*lua_*)
    for name in lua_rawsetp lua_upvaluejoin luaL_buffinit luaL_ref luaopen_utf8 ckptlua_register; do
        case $of_program in *"$name"*) ;; *) complain "$program does not export $name" ;; esac
    done ;;
esac

# Complains of each line of standard input.
complain_of()
{
    while IFS= read -r line; do
        complain "$line"
    done
}

# For awk: the name of the file in $1, without its folder and endings.
file_of='
    function file_of(text)
    {
        sub(/\.c\.o:.*$/, "", text)
        sub(/^.*\//, "", text)
        return text
    }'

foreign=$(nm --print-file-name --defined-only --extern-only --format=posix "$@" | awk "$file_of"'
    {
        file = file_of($1)
        if (file ~ /^embedded/)
            mine = $2 ~ /^(embedded_files|cli_embedded)$/
        else if (file == "main")
            mine = $2 == "main"
        else if ($2 == "luaopen_num")
            mine = file == "module"
        else
            mine = index($2, file "_") == 1 || index($2, "ckptlua_") == 1
        if (!mine)
            print file ".c exports " $2
    }')
# A signal handler is given nothing, so what it works on cannot be anywhere else. .data.rel.ro is for
# constants with addresses in them.
variables=$(nm --print-file-name --defined-only --format=sysv "$@" | awk -F'|' "$file_of"'
    $4 ~ /OBJECT|TLS/ && $7 ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && $7 !~ /^\.data\.rel\.ro/ {
        file = file_of($1)
        name = $1
        sub(/^.*:/, "", name)
        if (file != "signals" && file != "team") # threads are the process'"'"'s
            print file ".c has a variable: " name
    }')
complain_of <<END
$foreign
$variables
END
[ $# -gt 0 ] || complain "no objects given"
exit $status
