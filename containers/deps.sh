#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The one list of Debian 12 packages that Steno builds with, runs with and is tested with.
#
#   containers/deps.sh [runtime|build|test|bench ...]   install the groups (default: all but bench)
#   containers/deps.sh --list [group ...]               print the packages instead, one a line
#   containers/deps.sh --check [group ...]              exit 0 when nothing is missing
#
# Runs as root, or as an ordinary user with sudo.
set -euo pipefail

# What a worker needs at run time.
runtime=(
    ca-certificates
    chromium
    chromium-sandbox
    curl
    fonts-dejavu-core
    fonts-noto-cjk
    fonts-noto-color-emoji
    fonts-noto-core
    glib-networking
    gstreamer1.0-libav
    gstreamer1.0-plugins-bad
    gstreamer1.0-plugins-base
    gstreamer1.0-plugins-good
    gstreamer1.0-plugins-ugly
    libavformat59
    libcairo2
    libjson-glib-1.0-0
    libmpg123-0
    libopus0
    libpangocairo-1.0-0
    libsodium23
    libsoup-3.0-0
    libsqlite3-0
    libswscale6
    libwebsockets17
    libxau6
    libxcb-damage0
    libxcb-shm0
    tini
    xvfb
)

# What compiles it.
build=(
    build-essential
    git
    libavcodec-dev
    libavformat-dev
    libavutil-dev
    libcairo2-dev
    libglib2.0-dev
    libgstreamer-plugins-bad1.0-dev
    libgstreamer-plugins-base1.0-dev
    libgstreamer1.0-dev
    libjson-glib-dev
    libmpg123-dev
    libopus-dev
    libpango1.0-dev
    libsodium-dev
    libsoup-3.0-dev
    libsqlite3-dev
    libssl-dev
    libswscale-dev
    libwebsockets-dev
    libxau-dev
    libxcb-damage0-dev
    libxcb-shm0-dev
    libxcb1-dev
    meson
    ninja-build
    pkg-config
    zlib1g-dev
)

# What the tests, the test meeting, the demo and the linters need on top.
test=(
    clang
    clang-format
    clang-tidy
    codespell
    espeak-ng
    ffmpeg
    gstreamer1.0-nice
    gstreamer1.0-tools
    libclang-rt-14-dev
    node-ws
    nodejs
    openssl
    procps
    python3
    python3-aiohttp
    python3-jsonschema
    python3-numpy
    python3-pil
    python3-swift
    python3-yaml
    shellcheck
    sox
)

# Other builds of Node.js than Debian's bring npm with them, and exclude its package.
command -v npm >/dev/null || test+=(npm)

# What `./dev bench recording` compares with, and `./dev soak image` builds with.
bench=(
    debootstrap
    pulseaudio
)

mode=install
case "${1:-}" in
--list | --check)
    mode=${1#--}
    shift
    ;;
esac

packages=()
for group in "${@:-all}"; do
    case "$group" in
    runtime) packages+=("${runtime[@]}") ;;
    build) packages+=("${build[@]}") ;;
    test) packages+=("${test[@]}") ;;
    bench) packages+=("${bench[@]}") ;;
    all) packages+=("${runtime[@]}" "${build[@]}" "${test[@]}") ;;
    *)
        echo "deps.sh: unknown group '$group'; there are: runtime, build, test, bench" >&2
        exit 2
        ;;
    esac
done

missing() {
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
        awk '$1 == "ii" { print $2 }' | sort -u) || true # unknown names are missing too
    printf '%s\n' "$@" | sort -u | grep -vxF "$installed" || true
}

if [ "$mode" = list ]; then
    printf '%s\n' "${packages[@]}"
    exit 0
fi

# Without /dev/fd, which a root file system in the making does not have.
mapfile -t wanted <<<"$(missing "${packages[@]}")"
if [ -z "${wanted[0]}" ]; then
    exit 0
fi
if [ "$mode" = check ]; then
    printf 'missing: %s\n' "${wanted[*]}" >&2
    exit 1
fi

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "deps.sh: needs root to install: ${wanted[*]}" >&2
        echo "deps.sh: run it as root, or install sudo" >&2
        exit 1
    fi
}

echo "installing ${#wanted[@]} packages: ${wanted[*]}" >&2
as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    "${wanted[@]}" >&2
