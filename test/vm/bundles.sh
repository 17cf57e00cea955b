#!/bin/bash
# The bundles of the upgrade trials: the image that was built, with one file exchanged. bundles.sh VERSION, then in build/vm-bundles:
#   next.raucb      the same with version 0.2.0            stranger.raucb  the same as next, signed by somebody else's key
#   no-boot.raucb   its init ends at once: the kernel panics        no-step.raucb   it boots, its agent runs, its service never does
#   no-agent.raucb  it boots, and its system agent never runs       torn.raucb      next with some octets of its system changed
#   stick.img       a USB stick with next (as sipair-0.2.0.raucb), stranger, torn and no-boot
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VERSION=${1:?version}
IMAGE=$ROOT/dist/sipair-$VERSION.img
KEYS=$ROOT/build/keys
OUT=$ROOT/build/vm-bundles
export LC_ALL=C TZ=UTC
die() { echo "bundles: $*" >&2; exit 1; }

[ -f "$IMAGE" ] || die "$IMAGE is missing: ./build.sh image"
TOOLS=$(ls "$ROOT"/build/image-cache/tools-*.tar | head -n 1)
key=$(cat "$ROOT/dist/sipair-$VERSION.inputs" "${BASH_SOURCE[0]}" | sha256sum)
if [ "$(cat "$OUT/.key" 2>/dev/null)" = "$key" ]; then exit 0; fi
rm -rf "$OUT"
mkdir -p "$OUT"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/sipair-bundles.XXXXXX")
remove_work() {
  local device
  for device in null zero urandom random; do umount "$WORK/dev/$device" 2>/dev/null || true; done
  umount "$WORK/proc" 2>/dev/null || true
  rm -rf --one-file-system "$WORK"
}
trap remove_work EXIT
tar -C "$WORK" --anchored --exclude='./dev/*' -xf "$TOOLS"
mkdir -p "$WORK"/{dev,proc} "$WORK/b/out" "$WORK/b/work"
cp -a "$ROOT/image" "$WORK/b/image"
cp -a "$KEYS" "$WORK/b/keys"
dd if="$IMAGE" of="$WORK/b/now.squashfs" bs=1M skip=39 count=256 conv=sparse status=none
for device in null zero urandom random; do
  : >"$WORK/dev/$device"
  mount --bind "/dev/$device" "$WORK/dev/$device"
done
mount --bind /proc "$WORK/proc"
cat >"$WORK/b/inside.sh" <<'INSIDE'
set -euo pipefail
R=/b/root O=/b/out T=/b/work
stamp() { find "$1" -xdev -print0 | xargs -0 touch -hd "@$SOURCE_DATE_EPOCH"; }
. /b/image/inside-boot.sh
unsquashfs -q -no-progress -d $R /b/now.squashfs >/dev/null

# as NAME: the root tree as it is now, bundled
as() {
  sed -i "s/^IMAGE_VERSION=.*/IMAGE_VERSION=$VERSION/" $R/usr/lib/os-release
  rm -f $O/root.squashfs
  mksquashfs $R $O/root.squashfs -comp gzip -Xcompression-level 1 -b 256K -noappend -all-root -no-xattrs -no-exports \
    -quiet -no-progress >/dev/null
  signed "$1"
}
signed() {
  rm -rf $T/bundle
  bundle
  mv $O/bundle.raucb "$O/$1.raucb"
}
# dropin UNIT: it ends at once
dropin() {
  mkdir -p "$R/etc/systemd/system/$1.d"
  printf '[Service]\nExecStart=\nExecStart=/bin/false\n' >"$R/etc/systemd/system/$1.d/90-trial.conf"
}

VERSION=0.2.0
as next
# the payload is not covered by the signature itself but by the hash tree that is
cp $O/next.raucb $O/torn.raucb
printf 'torn' | dd of=$O/torn.raucb bs=1 seek=50000000 conv=notrunc status=none
mv /b/keys /b/ours
mv /b/ours/stranger /b/keys
signed stranger
mv /b/keys /b/ours/stranger
mv /b/ours /b/keys

VERSION=0.2.1
dropin sipair.service
as no-step
rm -r $R/etc/systemd/system/sipair.service.d

VERSION=0.2.2
dropin sipair-system.service
as no-agent
rm -r $R/etc/systemd/system/sipair-system.service.d

VERSION=0.2.3
rm $R/usr/sbin/init
printf '#!/bin/sh\nexit 1\n' >$R/usr/sbin/init
chmod 0755 $R/usr/sbin/init
as no-boot

truncate -s 640M $O/stick.img
mkfs.vfat -F32 -n UPDATES $O/stick.img >/dev/null
mcopy -i $O/stick.img $O/next.raucb ::sipair-0.2.0.raucb
mcopy -i $O/stick.img $O/stranger.raucb $O/torn.raucb $O/no-boot.raucb ::
INSIDE
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=1764000000 VERSION="$VERSION" \
  chroot "$WORK" /bin/bash /b/inside.sh
mv "$WORK"/b/out/{*.raucb,stick.img} "$OUT/"
echo "$key" >"$OUT/.key"
