# Two trees of Debian packages, each a tar in the cache: the tools and the root. Sourced by build.sh; a tree is made
# again when its package list or this file changes (delete build/image-cache to take newer packages of the suite).

SUITE=trixie
# What a technician does not read on the box. Copyright files stay: they are the licences.
NODOC=(
  --dpkgopt='path-exclude=/usr/share/man/*'
  --dpkgopt='path-exclude=/usr/share/locale/*'
  --dpkgopt='path-exclude=/usr/share/info/*'
  --dpkgopt='path-exclude=/usr/share/lintian/*'
  --dpkgopt='path-exclude=/usr/share/doc/*'
  --dpkgopt='path-include=/usr/share/doc/*/copyright'
  --aptopt='Apt::Install-Recommends "0"'
)

# the_mirror PATTERN: the mirror that this machine already uses
the_mirror() { apt-get indextargets --format '$(REPO_URI)' | sort -u | grep -E "$1" | head -n 1; }

sources_of_suite() {
  local main security
  main=${SIPAIR_MIRROR:-$(the_mirror '/debian/?$')}
  security=${SIPAIR_MIRROR_SECURITY:-$(the_mirror '/debian-security/?$')}
  [ -n "$main" ] && [ -n "$security" ] || die "apt names no Debian mirror; say SIPAIR_MIRROR and SIPAIR_MIRROR_SECURITY"
  SOURCES=("deb $main $SUITE main" "deb $main $SUITE-updates main" "deb $security $SUITE-security main")
}

# packages_in FILE: names only, joined by commas
packages_in() { sed 's/#.*//' "$1" | awk 'NF { print $1 }' | paste -sd,; }

# The kernel's package is unpacked beside the root, without its maintainer scripts: they would make an initramfs.
KERNEL_HOOK='set -e; mkdir -p "$1/.kernel"; cd "$1/.kernel"
k=$(APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-cache depends linux-image-amd64 | awk "/Depends:/ { print \$2; exit }")
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -o APT::Sandbox::User=root download "$k"
for d in *.deb; do dpkg-deb -f "$d" Package Version Architecture > package; dpkg-deb -x "$d" .; rm "$d"; done'

# tree NAME PACKAGE-FILE [hook]: the tar's path in TREE
tree() {
  local name=$1 list key
  shift
  list=$(packages_in "$1")
  shift
  key=$( { echo "$SUITE $list"; declare -p NODOC KERNEL_HOOK; } | sha256sum | cut -c1-12)
  TREE=$CACHE/$name-$SUITE-$key.tar
  if [ -s "$TREE" ]; then return 0; fi
  say "Debian $SUITE packages of the $name tree (a minute or two)"
  sources_of_suite
  rm -f "$CACHE/$name-$SUITE-"*.tar
  mmdebstrap --variant=essential "${NODOC[@]}" --include="$list" "$@" \
    "$SUITE" "$TREE.part.tar" "${SOURCES[@]}" >"$CACHE/$name.log" 2>&1 ||
    { tail -n 20 "$CACHE/$name.log" >&2; die "mmdebstrap failed; all it said: $CACHE/$name.log"; }
  mv "$TREE.part.tar" "$TREE"
}
