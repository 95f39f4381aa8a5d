# SPDX-License-Identifier: Apache-2.0
# One bot: docker build -f containers/worker.Dockerfile -t steno-worker .
# For both architectures: docker buildx build --platform linux/amd64,linux/arm64 …
FROM debian:12 AS build
WORKDIR /src
COPY containers/deps.sh containers/deps.sh
RUN containers/deps.sh build
COPY . .
RUN meson setup build --buildtype=release -Dstrip=true \
    && ninja -C build bot/steno-worker orchestrator/steno-orchestrator

FROM debian:12-slim AS worker
COPY containers/deps.sh /usr/local/lib/steno/deps.sh
RUN /usr/local/lib/steno/deps.sh runtime \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home steno \
    && install -d -o steno -g steno /data
COPY --from=build /src/build/bot/steno-worker /usr/local/bin/steno-worker
USER 10001
WORKDIR /data
# tini reaps what Chromium leaves behind; signals go to the worker.
ENTRYPOINT ["tini", "--", "steno-worker"]
CMD ["--config", "-"]
