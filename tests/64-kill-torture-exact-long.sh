#!/bin/sh
# The same as 63-kill-torture-exact, with a thousand kills.
# label: long
export torture_kills=1000
exec sh "$(dirname "$0")/63-kill-torture-exact.sh"
