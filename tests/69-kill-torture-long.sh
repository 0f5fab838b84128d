#!/bin/sh
# The same as 60-kill-torture, with ten times the kills.
# label: long
export torture_kills=400
exec sh "$(dirname "$0")/60-kill-torture.sh"
