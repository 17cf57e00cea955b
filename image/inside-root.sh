# Sourced by inside.sh: the root tree. Everything here changes /b/root.

# modules: only those that image/modules names, and what they depend on, unpacked (squashfs packs them better)
modules() {
  local from wanted try missing name file
  K=$(ls $R/.kernel/usr/lib/modules)
  from=$R/.kernel/usr/lib/modules/$K
  M=$R/usr/lib/modules/$K
  mkdir -p "$M"
  cp "$from"/modules.order "$from"/modules.builtin* "$M/"
  wanted=$(words /b/image/modules | tr -s ' \n' '|' | sed 's/^|//; s/|$//')
  (cd "$from" && find kernel -name '*.ko*' | grep -E "^kernel/($wanted)" | cpio -pdm --quiet "$M")
  unpack_modules
  for try in 1 2 3 4; do
    depmod -b $R "$K" 2>/dev/null || true
    missing=$(cd "$M" && find kernel -name '*.ko' -print0 | xargs -0 modinfo -F depends | tr ',' '\n' | sort -u | sed '/^$/d')
    missing=$(for name in $missing; do
      grep -qE "/${name//_/[-_]}\.ko:" "$M/modules.dep" || echo "$name"
    done)
    [ -n "$missing" ] || break
    for name in $missing; do
      file=$(cd "$from" && find kernel -name '*.ko*' | grep -E "/${name//_/[-_]}\.ko" | head -n 1)
      [ -z "$file" ] || (cd "$from" && echo "$file" | cpio -pdm --quiet "$M")
    done
    unpack_modules
  done
  mkdir -p $R/boot
  cp $R/.kernel/boot/vmlinuz-* $R/boot/vmlinuz
  cp $R/.kernel/boot/config-* $O/kernel-config
}

unpack_modules() { find "$M" -name '*.ko.xz' -print0 | xargs -0 -r -P2 -n64 xz -d; }

# slim: what installs packages, what is documentation, what is written at run time
slim() {
  cd $R
  cp var/lib/dpkg/status $O/dpkg-status
  cat .kernel/package >$O/kernel-package
  rm -rf $O/licences && mkdir $O/licences
  local file
  for file in usr/share/doc/*/copyright; do cp -L "$file" "$O/licences/$(basename "$(dirname "$file")")" 2>/dev/null || true; done
  cp .kernel/usr/share/doc/linux-image-*/copyright $O/licences/linux-image 2>/dev/null || true
  cp -a usr/share/common-licenses $O/licences/common-licenses
  rm -rf .kernel
  rm -rf usr/share/{man,locale,info,lintian,bash-completion,zsh,bug,menu,i18n,perl,perl5,pixmaps,applications} usr/games
  # the licences come beside the image; /usr/share/doc would only make the slot larger
  rm -rf usr/share/doc usr/share/common-licenses
  rm -rf var/cache/* var/lib/apt var/lib/dpkg var/log/* usr/lib/x86_64-linux-gnu/{gconv,perl,perl-base,perl5} usr/bin/perl*
  rm -rf etc/apt usr/lib/apt usr/bin/apt* usr/bin/dpkg* usr/sbin/dpkg* usr/lib/dpkg usr/share/dpkg usr/share/debconf
  rm -rf usr/share/zoneinfo/right usr/share/zoneinfo/posix usr/lib/udev/hwdb.d usr/lib/udev/hwdb.bin usr/share/dbus-1/interfaces
  rm -rf usr/lib/x86_64-linux-gnu/perl* etc/cron.* etc/init.d etc/rc?.d etc/update-motd.d etc/motd etc/kernel
  find usr/lib -name '*.a' -delete
  find . -xdev \( -name '*.pyc' -o -name '*.dpkg-*' -o -name '*-' -path './etc/*' \) -delete
  rm -rf tmp/* run/* etc/resolv.conf etc/machine-id var/lib/dbus/machine-id etc/snmp/snmpd.conf etc/chrony/chrony.conf
  rm -rf etc/ssl/private etc/default/{chrony,snmpd}
  ln -s /run/resolv.conf etc/resolv.conf
  mkdir -p data boot/efi media
  rm -f etc/localtime etc/timezone
  ln -s /run/sipair/localtime etc/localtime
  # an empty file: systemd mounts the id of this box over it
  : >etc/machine-id
}

# lay: our files. No password is in the image and no account can log in by one: the console asks for its own.
lay() {
  cp -a /b/image/root/. $R/
  cp -a /b/product/. $R/
  mkdir -p $R/etc/rauc
  cp /b/keys/ca.pem $R/etc/rauc/keyring.pem
  chown -R 0:0 $R/etc/systemd $R/etc/rauc $R/usr/lib/sipair $R/etc/hostname $R/etc/hosts
  sed -i -E 's/^([^:]+):[^:]*:/\1:!*:/' $R/etc/shadow
  sed -i 's/^\(root:.*\):[^:]*$/\1:\/usr\/sbin\/nologin/' $R/etc/passwd
  chmod 0640 $R/etc/shadow
}

# units: what Debian enables and we do not want is masked, ours are enabled by their own [Install]
units() {
  local kind name names target
  rm -rf $R/etc/systemd/system/{getty.target.wants,timers.target.wants}
  words /b/image/masked | while read -r kind names; do
    for name in $names; do
      case $kind in
        generator) rm -f "$R/usr/lib/systemd/system-generators/$name" ;;
        rule) rm -f "$R/usr/lib/udev/rules.d/$name.rules" ;;
        unit) ln -sfn /dev/null "$R/etc/systemd/system/$name" ;;
      esac
    done
  done
  ln -sfn /usr/lib/systemd/system/multi-user.target $R/etc/systemd/system/default.target
  # They wait for the system agent's configuration in /run.
  for name in $(words /b/image/disabled); do rm -f $R/etc/systemd/system/*.wants/"$name"; done
  for name in $(words /b/image/enabled); do
    [ -e "$R$(unit_path "$name")" ] || { say "there is no unit $name"; exit 1; }
    target=multi-user.target
    [[ $name != *.socket ]] || target=sockets.target
    mkdir -p "$R/etc/systemd/system/$target.wants"
    ln -sfn "$(unit_path "$name")" "$R/etc/systemd/system/$target.wants/$name"
  done
}

unit_path() {
  local file=$1
  case $1 in *@*.*) file=${1%%@*}@.${1##*.} ;; esac
  if [ -e "$R/etc/systemd/system/$file" ]; then echo "/etc/systemd/system/$file"; else echo "/usr/lib/systemd/system/$file"; fi
}

release() {
  cat >>$R/usr/lib/os-release <<RELEASE
IMAGE_ID=sipair-appliance
IMAGE_VERSION=$VERSION
RELEASE
}
