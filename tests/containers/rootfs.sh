#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds what the worker's image holds without a container engine, as a folder, by the steps of
# containers/worker.Dockerfile and with its deps.sh; then a bot that lives in that folder, as the
# image's user, joins a test meeting outside it (tests/containers/bot_inside.py). Needs root,
# debootstrap, and a mirror, which is the one that this machine installs from.
#
#   tests/containers/rootfs.sh [FOLDER]     default: a temporary one, removed at the end
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

root=${1:-$(mktemp -d)}
given=$#

leave() {
    local path
    for path in dev proc sys; do
        umount -R "$root/$path" 2>/dev/null || true
    done
    [ "$given" -gt 0 ] || rm -rf --one-file-system "$root"
}
trap leave EXIT

say() { printf '\n== %s\n' "$*" >&2; }

if [ ! -e "$root/etc/debian_version" ]; then
    say "debootstrap"
    # shellcheck disable=SC2016 # apt's own placeholder
    mirror=$(apt-get indextargets --format '$(SITE)' | sort | uniq -c | sort -rn |
        awk 'NR == 1 { print $2 }')
    debootstrap --variant=minbase bookworm "$root" "$mirror" >&2
fi
# What this machine knows about its mirror, for apt inside.
cp -r /etc/apt/. "$root/etc/apt/"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || true

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"

say "packages (deps.sh runtime)"
install -D containers/deps.sh "$root/usr/local/lib/steno/deps.sh"
chroot "$root" /usr/local/lib/steno/deps.sh runtime
chroot "$root" sh -c 'id steno >/dev/null 2>&1 || useradd --uid 10001 --create-home steno'

say "programs"
install -m 755 build/bot/steno-worker build/orchestrator/steno-orchestrator "$root/usr/local/bin/"
for program in steno-worker steno-orchestrator; do
    if chroot "$root" ldd "/usr/local/bin/$program" | grep -F 'not found'; then
        echo "rootfs.sh: deps.sh runtime lacks a library of $program" >&2
        exit 1
    fi
    chroot --userspec=10001 "$root" "/usr/local/bin/$program" --help >/dev/null
done

say "a bot inside joins a meeting outside"
/usr/bin/python3 tests/containers/bot_inside.py "$root"
