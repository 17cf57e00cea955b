# Sourced by inside.sh: initramfs, boot loader, disk, bundle.

# initramfs: busybox, the early modules, our init
initramfs() {
  local tree=$T/initramfs program names
  mkdir -p $tree/{bin,dev,proc,sys,root,run} "$tree/lib/modules/$K"
  cp /bin/busybox $tree/bin/
  for program in sh mkdir mount modprobe cat sort xargs sleep switch_root reboot readlink ln; do ln -s busybox $tree/bin/$program; done
  cp /b/image/init $tree/init
  names=$(words /b/image/modules-early | tr -s ' \n' '|' | sed 's/^|//; s/|$//; s/_/[-_]/g')
  (
    cd "$M"
    grep -E "/($names)\.ko:" modules.dep | tr ': ' '\n\n' | sed '/^$/d' | sort -u | cpio -pdm --quiet "$tree/lib/modules/$K"
    cp modules.order modules.builtin modules.builtin.modinfo "$tree/lib/modules/$K/"
  )
  depmod -b $tree "$K"
  stamp $tree
  (cd $tree && find . -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc --quiet --reproducible --owner 0:0) |
    zstd -q -19 -T1 >$R/boot/initrd.img
  cp /b/image/slot.cfg $R/boot/slot.cfg
}

# loader: GRUB for BIOS and UEFI with its configuration inside
loader() {
  local modules='configfile true part_gpt fat squash4 gzio xzio lzopio linux loadenv test echo normal serial terminal regexp
    reboot sleep boot minicmd'
  mkdir -p $T/memdisk/boot/grub
  cp /b/image/grub.cfg $T/memdisk/boot/grub/grub.cfg
  printf 'set bootroot=$root\nset prefix=(memdisk)/boot/grub\n' >$T/early.cfg
  (cd $T/memdisk && tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=ustar \
    -cf $T/memdisk.tar boot)
  # shellcheck disable=SC2086
  grub-mkimage -O x86_64-efi -o $T/BOOTX64.EFI -m $T/memdisk.tar -p /x -c $T/early.cfg memdisk tar $modules efi_gop
  # shellcheck disable=SC2086
  grub-mkimage -O i386-pc -o $T/core.img -m $T/memdisk.tar -p /x -c $T/early.cfg memdisk tar biosdisk $modules vga_text
}

# number VALUE OCTETS OFFSET: little-endian into the disk
number() {
  local value=$1 octets=$2 i text=
  for ((i = 0; i < octets; i++)); do text+=$(printf '\\x%02x' $((value >> (8 * i) & 255))); done
  printf '%b' "$text" | dd of="$DISK" bs=1 seek="$3" conv=notrunc status=none
}
put() { dd if="$1" of="$DISK" bs=1M seek="$2" conv=notrunc,sparse status=none; }

# disk: bios | esp | env | root-A | root-B; data is made in the rest of the disk at first boot
disk() {
  DISK=$O/disk.img
  truncate -s 36M $T/esp.img
  mkfs.vfat -F32 -i 5150A001 -n ESP --invariant $T/esp.img >/dev/null
  mmd -i $T/esp.img ::EFI ::EFI/BOOT
  touch -d "@$SOURCE_DATE_EPOCH" $T/BOOTX64.EFI
  mcopy -m -i $T/esp.img $T/BOOTX64.EFI ::EFI/BOOT/BOOTX64.EFI
  { printf '# GRUB Environment Block\nORDER=A B\nA_OK=1\nA_TRY=0\nB_OK=0\nB_TRY=0\nA_PROVED=0\nB_PROVED=0\nRESET=0\nMACHINE=\n'
    head -c 1024 /dev/zero | tr '\0' '#'; } | head -c 1024 >$T/grubenv || true
  truncate -s 1M $T/env.img
  mkfs.vfat -F12 -i 5150A003 -n ENV --invariant $T/env.img >/dev/null
  touch -d "@$SOURCE_DATE_EPOCH" $T/grubenv
  mcopy -m -i $T/env.img $T/grubenv ::grubenv
  truncate -s $((1 + 1 + 36 + 1 + 2 * SLOT_MB + 2))M "$DISK"
  sfdisk -q "$DISK" <<TABLE
label: gpt
label-id: 5150A000-0000-4000-8000-000000000000
first-lba: 34
start=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649, name=bios, uuid=5150A000-0000-4000-8000-000000000001
start=2MiB, size=36MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp, uuid=5150A000-0000-4000-8000-000000000002
start=38MiB, size=1MiB, type=5150A003-0000-4000-8000-000000000003, name=env, uuid=5150A000-0000-4000-8000-000000000003
start=39MiB, size=${SLOT_MB}MiB, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root-A, uuid=5150A000-0000-4000-8000-00000000000A
start=$((39 + SLOT_MB))MiB, size=${SLOT_MB}MiB, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root-B, uuid=5150A000-0000-4000-8000-00000000000B
TABLE
  put $T/core.img 1
  put $T/esp.img 2
  put $T/env.img 38
  put $O/root.squashfs 39
  # What grub-bios-setup would do with a mounted disk: the boot sector's code and the pointers to core.img.
  dd if=/usr/lib/grub/i386-pc/boot.img of="$DISK" bs=440 count=1 conv=notrunc status=none
  number 2048 8 $((0x5c))
  printf '\x90\x90' | dd of="$DISK" bs=1 seek=$((0x66)) conv=notrunc status=none
  number 2049 8 $((1048576 + 0x1f4))
}

# bundle: the same root file system, signed
bundle() {
  mkdir -p $T/bundle
  cp $O/root.squashfs $T/bundle/rootfs.img
  cat >$T/bundle/manifest.raucm <<MANIFEST
[update]
compatible=sipair-appliance
version=$VERSION
build=$SOURCE_DATE_EPOCH

[bundle]
format=verity

[image.rootfs]
filename=rootfs.img
MANIFEST
  stamp $T/bundle
  rm -f $O/bundle.raucb
  rauc --cert=/b/keys/cert.pem --key=/b/keys/key.pem --keyring=/b/keys/ca.pem --mksquashfs-args="-comp zstd -no-progress" \
    bundle $T/bundle $O/bundle.raucb >$T/rauc.log 2>&1 || { cat $T/rauc.log; exit 1; }
}

sizes() {
  {
    echo "{"
    echo "  \"rootSquashfs\": $(stat -c %s $O/root.squashfs),"
    echo "  \"rootTree\": $(du -sb --apparent-size $R | cut -f1),"
    echo "  \"kernelModules\": $(du -sb --apparent-size "$M" | cut -f1),"
    echo "  \"initramfs\": $(stat -c %s $R/boot/initrd.img),"
    echo "  \"kernel\": $(stat -c %s $R/boot/vmlinuz),"
    echo "  \"disk\": $(stat -c %s $O/disk.img),"
    echo "  \"bundle\": $(stat -c %s $O/bundle.raucb)"
    echo "}"
  } >$O/sizes.json
}
