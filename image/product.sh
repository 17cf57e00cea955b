# What is ours on the box, staged as a tree that is laid over Debian's. Sourced by build.sh.

# stage_product FOLDER
stage_product() {
  local to=$1
  rm -rf "$to"
  mkdir -p "$to"/usr/{bin,lib/sipair,lib/systemd/system}
  "$NODE" "$ROOT/image/binary.ts" || die "the binary cannot be made"
  install -m 0755 "$ROOT/dist/sipair" "$to/usr/lib/sipair/sipair"
  # outside of the executable, so that nothing is unpacked at run time: the root is read-only, /data is noexec
  cp -r "$ROOT/dist/native" "$to/usr/lib/sipair/native"
  ln -s ../lib/sipair/sipair "$to/usr/bin/sipair"
  cp "$ROOT"/systemd/*.service "$to/usr/lib/systemd/system/"
}
