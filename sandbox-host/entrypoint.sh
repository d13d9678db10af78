#!/bin/sh
# Gives the data directory to the user `node` and becomes that user; `exec` keeps the process id, so that signals reach the host.
set -eu
mkdir -p "$DATA_DIR"
chown node:node "$DATA_DIR"
exec setpriv --reuid=node --regid=node --init-groups --no-new-privs -- "$@"
