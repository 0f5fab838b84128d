#!/bin/sh
# The same as 67-verify-examples, with 20 kills each.
# label: long
export verify_kills=20
exec sh "$(dirname "$0")/67-verify-examples.sh"
