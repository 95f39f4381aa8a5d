#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone.
set -uo pipefail
packages="glib-2.0 gio-2.0 gio-unix-2.0 json-glib-1.0 libsoup-3.0 libwebsockets opus zlib
gstreamer-1.0 gstreamer-app-1.0 gstreamer-audio-1.0 gstreamer-video-1.0 gstreamer-webrtc-1.0
gstreamer-sdp-1.0 gstreamer-rtp-1.0 libavformat libavcodec libavutil pangocairo sqlite3 libsodium"
# shellcheck disable=SC2086
flags=$(pkg-config --cflags $packages) || exit 1
status=0
while read -r header; do
    # shellcheck disable=SC2086
    if ! printf '#include "%s"\n' "$header" |
        cc -std=gnu11 -fsyntax-only -I. -DGST_USE_UNSTABLE_API -Werror -x c $flags -; then
        echo "$header does not compile alone"
        status=1
    fi
done < <(git ls-files '*.h')
exit "$status"
