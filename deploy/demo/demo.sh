#!/bin/sh
# A simulated CRM and a daemon side by side, in a folder that is gone afterwards. Ctrl-C ends both.
# The first argument is the command `bridge`; all others go to `bridge simulate`.
set -eu

bridge=$1
shift
here=$(dirname "$0")
folder=$(mktemp -d "${TMPDIR:-/tmp}/bridge-demo.XXXXXX")
cp "$here/routes.yaml" "$folder/routes.yaml"

BRIDGE_LOG_LEVEL=warning "$bridge" run --routes "$folder/routes.yaml" --data "$folder/data" --listen 127.0.0.1:0 &
daemon=$!

finish() {
    trap '' INT TERM
    kill "$daemon" 2>/dev/null || :
    wait "$daemon" 2>/dev/null || :
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' INT TERM

until address=$("$bridge" address crm --data "$folder/data" 2>/dev/null); do
    kill -0 "$daemon" 2>/dev/null || exit 1
    sleep 0.2
done
"$bridge" simulate --post-to "$address" --events-per-hour 2400 "$@"
