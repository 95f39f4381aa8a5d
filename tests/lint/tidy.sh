#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over the product's sources, with the build's own flags; unchanged files are not asked
# again (a stamp a file, named by the contents of all headers and of the file itself).
set -uo pipefail
stamps=build/tidy
mkdir -p "$stamps"
headers=$(git ls-files '*.h' .clang-tidy | xargs cat | sha256sum)
todo=()
while read -r file; do
    key=$({ echo "$headers"; cat "$file"; } | sha256sum | cut -c1-32)
    [ -e "$stamps/$key" ] || todo+=("$file:$key")
done < <(git ls-files 'base/*.c' 'bot/*.c' 'media/*.c' 'platforms/*.c' 'streaming/*.c' 'orchestrator/*.c')
[ "${#todo[@]}" -eq 0 ] && exit 0
# GCC's own flags mean nothing to clang.
rm -rf build/tidy-db && mkdir -p build/tidy-db
sed -e 's/-fstack-protector-strong//g' -e 's/-Werror[^ "]*//g' build/compile_commands.json \
    >build/tidy-db/compile_commands.json
one() {
    local file=${1%%:*} key=${1##*:} out
    if out=$(clang-tidy --quiet -p build/tidy-db "$file" 2>/dev/null) &&
        ! grep -q 'error:' <<<"$out"; then
        : >"build/tidy/$key"
    else
        grep -E '(error|warning):' <<<"$out"
        return 1
    fi
}
export -f one
# shellcheck disable=SC2016 # the inner shell expands it
printf '%s\0' "${todo[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'one "$1"' _
