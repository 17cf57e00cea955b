#!/bin/bash
# Makes the image out of the root tree. Runs in the tools tree (chroot), so that every tool is of the image's own release. No loop
# device, no mount: file systems are written by programs that write files.
#   /b/root      the target's tree, kernel package unpacked in .kernel      /b/image     this folder of the repository
#   /b/product   what is ours: usr/... to be laid over the tree             /b/keys      certificate and key of the bundle
#   /b/out       what comes out
set -euo pipefail
R=/b/root
O=/b/out
T=/b/work
SLOT_MB=256
mkdir -p "$O" "$T"
say() { echo "image: $*"; }
words() { sed 's/#.*//' "$1"; }
stamp() { find "$1" -xdev -print0 | xargs -0 touch -hd "@$SOURCE_DATE_EPOCH"; }

. /b/image/inside-root.sh
. /b/image/inside-boot.sh

say "kernel modules"; modules
say "root tree"; slim; lay; units; release
say "initramfs"; initramfs
stamp "$R"
say "root file system"
# -no-xattrs: nothing here has any, and the host's would differ
# gzip: what GRUB reads too (it knows neither zstd nor lz4)
mksquashfs "$R" "$O/root.squashfs" -comp gzip -Xcompression-level "$LEVEL" -b 256K -noappend -all-root -no-xattrs -no-exports \
  -reproducible -processors 2 -quiet -no-progress >/dev/null
[ "$(stat -c %s "$O/root.squashfs")" -le $((SLOT_MB * 1048576)) ] || { say "the root file system is larger than its slot"; exit 1; }
say "boot loader"; loader
say "disk"; disk
say "bundle"; bundle
sizes
