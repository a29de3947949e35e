#!/usr/bin/env bash
# Set up a checkout: QGIS and tools from apt where they are missing, and .venv from the lock files.
# A second run only compares checksums. Nothing that is installed is ever replaced.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

QGIS_PYTHON=${QGIS_PYTHON:-/usr/bin/python3}
PACKAGES=(qgis python3-qgis python3-venv python3-pytest python3-pytest-xdist xvfb)
LOCKS=(requirements.lock requirements-dev.lock)
STAMP=.venv/lock.sha256

say() { printf '== %s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }
as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        env DEBIAN_FRONTEND=noninteractive "$@" </dev/null
    else
        command -v sudo >/dev/null || fail "Installing ${missing[*]} needs root: run 'make setup' as root once."
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

# True if apt offers QGIS 3.40 or newer, from the release itself or from its backports.
offers_qgis() {
    local version
    for version in $(apt-cache madison qgis | cut -d '|' -f 2); do
        if dpkg --compare-versions "$version" ge 3.40; then return 0; fi
    done
    return 1
}

# The mirror that this machine already uses, so that no other one has to be reachable.
add_backports() {
    local codename=$1 mirror
    mirror=$(apt-cache policy | sed -nE "s|^ *[0-9]+ (https?://[^ ]+) $codename/main .*|\1|p" | head -n 1)
    [[ -n $mirror ]] || fail "No apt mirror of $codename was found; install QGIS 3.40 or newer, then run make again."
    say "adding $codename-backports, because $codename has no QGIS 3.40"
    printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\nSigned-By: %s\n' \
        "$mirror" "$codename" /usr/share/keyrings/debian-archive-keyring.gpg |
        as_root_write /etc/apt/sources.list.d/hyp3-stack-backports.sources
    as_root apt-get -qq update
}
as_root_write() {
    if [[ $(id -u) -eq 0 ]]; then cat >"$1"; else sudo tee "$1" >/dev/null; fi
}

system_packages() {
    local missing=() target=() codename package
    if ! command -v apt-get >/dev/null; then
        command -v qgis_process >/dev/null ||
            fail "QGIS is missing: install QGIS 3.40 or newer with this system's package manager, then run make again."
        return 0
    fi
    for package in "${PACKAGES[@]}"; do
        installed "$package" || missing+=("$package")
    done
    if [[ ${#missing[@]} -gt 0 ]]; then
        say "installing ${missing[*]} with apt"
        as_root apt-get -qq update
        if [[ " ${missing[*]} " == *qgis* ]]; then
            codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
            offers_qgis || add_backports "$codename"
            offers_qgis || fail "apt offers no QGIS 3.40 or newer for '$codename'; install one, then run make again."
            if ! dpkg --compare-versions "$(apt-cache policy qgis | sed -n 's/ *Candidate: //p')" ge 3.40; then
                target=(-t "$codename-backports")
            fi
        fi
        as_root apt-get -qq install -y --no-install-recommends "${target[@]}" "${missing[@]}" >/dev/null
    fi
    dpkg --compare-versions "$(dpkg-query -W -f='${Version}' qgis)" ge 3.40 ||
        fail "QGIS $(dpkg-query -W -f='${Version}' qgis) is installed, but the plugin needs 3.40; upgrade the package qgis."
}

environment() {
    local sums
    sums=$(sha256sum "${LOCKS[@]}"; "$QGIS_PYTHON" --version)
    if [[ -f $STAMP && $(<"$STAMP") == "$sums" ]]; then return 0; fi
    say "building .venv from ${LOCKS[*]}"
    rm -rf .venv
    "$QGIS_PYTHON" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --only-binary :all: "${LOCKS[@]/#/--requirement=}"
    printf '%s\n' "$sums" >"$STAMP"
}

system_packages
environment
