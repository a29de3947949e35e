#!/usr/bin/env bash
# Run the tests of the QGIS side in the QGIS of another Debian, which is made once, in some minutes, in
# a folder of its own (about 3 GB):
#
#   scripts/test_qgis.sh RELEASE SUITE ROOT [arguments of pytest]
#
# QGIS comes from SUITE, such as trixie-backports; everything else comes from RELEASE. Needs root and
# Linux. Nothing outside of ROOT changes: mounts live in a namespace that ends with this script.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

COPY=/srv/hyp3_stack
PACKAGES=(qgis python3-qgis python3-venv python3-pytest python3-pytest-xdist git)
LOCKS=(requirements.lock requirements-dev.lock)

say() { printf '== %s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
inside() {
    env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
        chroot "$ROOT" "$@" </dev/null
}

if [[ ${1:-} != --in-namespace ]]; then
    [[ $# -ge 3 ]] || fail "Usage: scripts/test_qgis.sh RELEASE SUITE ROOT [arguments of pytest]"
    [[ $(id -u) -eq 0 ]] || fail "A second Debian needs root: run it with sudo."
    if ! command -v debootstrap >/dev/null; then
        say "installing debootstrap with apt"
        apt-get -qq update && apt-get -qq install -y --no-install-recommends debootstrap >/dev/null
    fi
    exec unshare --mount --propagation private bash "$0" --in-namespace "$@"
fi
RELEASE=$2
SUITE=$3
ROOT=$(realpath --canonicalize-missing "$4")
STAMP=$ROOT/complete
shift 4

# The mirror that this machine already uses, so that no other one has to be reachable.
mirror() {
    apt-cache policy | sed -nE 's|^ *[0-9]+ (https?://[^ ]+) [a-z]+/main .*|\1|p' |
        grep -m 1 '/debian$' || echo http://deb.debian.org/debian
}

mount_system() {
    mkdir -p "$ROOT"/{proc,dev/shm}
    mount -t proc proc "$ROOT/proc" 2>/dev/null || mount --rbind /proc "$ROOT/proc"
    mount -t tmpfs tmpfs "$ROOT/dev/shm"
}

build() {
    local url option
    url=$(mirror)
    say "making a Debian $RELEASE from $url"
    rm -rf "$ROOT"
    mkdir -p "$ROOT"
    # A release may be too new for debootstrap to know its name; they are all made alike.
    debootstrap --variant=minbase --include=ca-certificates "$RELEASE" "$ROOT" "$url" \
        /usr/share/debootstrap/scripts/sid >"$ROOT.log" || fail "debootstrap failed; see $ROOT.log."
    if [[ $SUITE != "$RELEASE" ]]; then
        echo "deb $url $SUITE main" >"$ROOT/etc/apt/sources.list.d/qgis.list"
    fi
    # The mirror may be frozen at a day, or lie behind a proxy.
    for option in Check-Valid-Until http https; do
        apt-config dump "Acquire::$option"
    done >"$ROOT/etc/apt/apt.conf.d/99this-machine"
    cp -L /etc/resolv.conf "$ROOT/etc/resolv.conf"
    cp -L /etc/hosts "$ROOT/etc/hosts"
}

packages() {
    if [[ -f $STAMP && $(<"$STAMP") == "${PACKAGES[*]}" ]]; then return 0; fi
    say "installing QGIS of $SUITE"
    inside apt-get -qq update
    inside apt-get -qq install -y --no-install-recommends -t "$SUITE" "${PACKAGES[@]}" >>"$ROOT.log" 2>&1 ||
        fail "QGIS cannot be installed; see $ROOT.log."
    inside apt-get -qq clean
    printf '%s\n' "${PACKAGES[*]}" >"$STAMP"
}

# Packages are fetched by this machine's pip, which knows how to reach its index.
environment() {
    local sums version lock
    sums=$(sha256sum "${LOCKS[@]}")
    if [[ -f $ROOT/srv/lock.sha256 && $(<"$ROOT/srv/lock.sha256") == "$sums" ]]; then return 0; fi
    version=$(inside python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "installing the core environment for Python $version"
    rm -rf "$ROOT/srv/wheels" "$ROOT/srv/venv"
    for lock in "${LOCKS[@]}"; do
        .venv/bin/python -m pip download --quiet --quiet --disable-pip-version-check --no-input --no-deps \
            --require-hashes --only-binary :all: --python-version "$version" \
            --dest "$ROOT/srv/wheels" --requirement "$lock"
        cp "$lock" "$ROOT/srv/"
    done
    inside python3 -m venv /srv/venv
    inside /srv/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
        --no-index --find-links /srv/wheels --require-hashes "${LOCKS[@]/#/--requirement=/srv/}"
    rm -rf "$ROOT/srv/wheels"
    printf '%s\n' "$sums" >"$ROOT/srv/lock.sha256"
}

copy_checkout() {
    rm -rf "${ROOT:?}$COPY"
    mkdir -p "$ROOT$COPY"
    git ls-files -z --cached --others --exclude-standard |
        while IFS= read -r -d '' file; do
            [[ -e $file ]] && printf '%s\0' "$file"
        done | tar --create --null --files-from - | tar --extract --directory "$ROOT$COPY"
}

run_tests() {
    local failed=0
    say "$(inside qgis_process --version 2>/dev/null | head -n 1), GDAL $(inside python3 -c \
        'from osgeo import gdal; print(gdal.__version__)')"
    # What the tests of qgis_process start has to find the core, those in QGIS's Python as well.
    # A test that ends QGIS ends a process of its own, which pytest-xdist replaces.
    inside env -C "$COPY" QT_QPA_PLATFORM=offscreen HYP3_STACK_PYTHON=/srv/venv/bin/python \
        QGIS_CUSTOM_CONFIG_PATH=/srv/profile python3 -m pytest -n 1 tests/processing "$@" || failed=1
    inside env -C "$COPY" QT_QPA_PLATFORM=offscreen HYP3_STACK_PYTHON=/srv/venv/bin/python \
        /srv/venv/bin/python -m pytest tests/process -m "not slow" "$@" || failed=1
    return "$failed"
}

[[ -f $STAMP ]] || build
mount_system
packages
environment
copy_checkout
run_tests "$@"
