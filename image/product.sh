# What is ours on the box, staged as a tree that is laid over Debian's. Sourced by build.sh.

# stage_product FOLDER
stage_product() {
  local to=$1
  rm -rf "$to"
  mkdir -p "$to"/usr/{bin,lib/sipair,lib/systemd/system}
  if [ -x "$ROOT/dist/sipair" ]; then
    install -m 0755 "$ROOT/dist/sipair" "$to/usr/lib/sipair/sipair"
    [ ! -d "$ROOT/dist/native" ] || cp -r "$ROOT/dist/native" "$to/usr/lib/sipair/native"
  else
    stand_in "$to"
  fi
  ln -s ../lib/sipair/sipair "$to/usr/bin/sipair"
  cp "$ROOT"/systemd/*.{service,target,socket,timer,path} "$to/usr/lib/systemd/system/" 2>/dev/null || true
  [ -f "$ROOT/systemd/sipair.service" ] || stand_in_units "$to/usr/lib/systemd/system"
}

stand_in_units() {
  local name
  for name in serve system monitor; do
    printf '[Unit]\nConditionPathExists=/run/sipair/box.json\n[Service]\nExecStart=/usr/bin/sipair %s\n' "$name" \
      >"$1/sipair-$name.service"
  done
  mv "$1/sipair-serve.service" "$1/sipair.service"
  printf '%s\n' '[Unit]' 'DefaultDependencies=no' 'After=local-fs.target' '[Service]' \
    "ExecStart=/bin/sh -c 'while :; do printf \"\\\\nsipair login: \"; read line; done'" \
    'Restart=always' 'StandardInput=tty-force' 'StandardOutput=tty' 'TTYPath=/dev/%I' >"$1/sipair-console@.service"
}

# Node and the sources, as they run from the repository.
stand_in() {
  local to=$1/usr/lib/sipair package
  say "there is no dist/sipair: the image runs the sources"
  mkdir -p "$to/app/node_modules" "$to/app/build"
  install -m 0755 "$NODE" "$to/node"
  cp -r "$ROOT/src" "$ROOT/package.json" "$to/app/"
  cp "$ROOT"/build/*.node "$to/app/build/"
  for package in $("$NODE" -p "Object.keys(require('$ROOT/package.json').dependencies).join(' ')") bindings file-uri-to-path \
    asn1-ber smart-buffer; do
    [ ! -d "$ROOT/node_modules/$package" ] || cp -r "$ROOT/node_modules/$package" "$to/app/node_modules/"
  done
  rm -rf "$to"/app/node_modules/better-sqlite3/{deps,src} "$to"/app/node_modules/*/build/Release/obj*
  printf '#!/bin/sh\nexec /usr/lib/sipair/node /usr/lib/sipair/app/src/main.ts "$@"\n' >"$to/sipair"
  chmod 0755 "$to/sipair"
}
