#!/bin/sh
# The same as 61-kill-in-every-system-call, at every one of them.
# label: long
export fault_stride=1
exec sh "$(dirname "$0")/61-kill-in-every-system-call.sh"
