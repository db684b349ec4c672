#!/bin/sh
# Says in one line what is done, and does it without a word; a failure shows everything the command said.
#
#     scripts/quietly.sh "What is done" COMMAND [ARGUMENT...]
#
# All of it goes to standard error: standard output belongs to what a person asked make for.
set -u

message=$1
shift
echo "==> $message" >&2
log=$(mktemp "${TMPDIR:-/tmp}/chatsubo-step.XXXXXX") || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM

"$@" >"$log" 2>&1
status=$?
if [ "$status" -ne 0 ]; then
    cat "$log" >&2
    echo "==> Failed ($status): $*" >&2
fi
exit "$status"
