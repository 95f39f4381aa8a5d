# SPDX-License-Identifier: Apache-2.0
# The HTTP APIs and the workers that they run, in one container:
#   docker build -f containers/worker.Dockerfile -t steno-worker .
#   docker build -f containers/worker.Dockerfile --target build -t steno-build .
#   docker build -f containers/orchestrator.Dockerfile -t steno-orchestrator .
FROM steno-build AS build

FROM steno-worker
COPY --from=build /src/build/orchestrator/steno-orchestrator /usr/local/bin/steno-orchestrator
COPY containers/orchestrator.json /etc/steno/orchestrator.json
USER 10001
EXPOSE 8080
VOLUME ["/data"]
HEALTHCHECK --interval=10s --timeout=3s CMD ["curl", "-fsS", "http://127.0.0.1:8080/health"]
ENTRYPOINT ["tini", "--", "steno-orchestrator"]
CMD ["--config", "/etc/steno/orchestrator.json"]
