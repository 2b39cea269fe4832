# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python3 -m venv /opt/bridge
COPY requirements/run.txt requirements/run.txt
RUN /opt/bridge/bin/pip install --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY bridge bridge
# pip is of no use in an image whose file system is read-only
RUN /opt/bridge/bin/pip install --no-deps . && /opt/bridge/bin/pip uninstall --yes pip

FROM python:3.13-slim
RUN groupadd --gid 10001 bridge && useradd --uid 10001 --gid bridge --no-create-home --home-dir /data --shell /usr/sbin/nologin bridge \
 && install --directory --owner=bridge --group=bridge --mode=0700 /data
COPY --from=build /opt/bridge /opt/bridge
COPY routes.yaml /etc/bridge/routes.yaml
COPY templates /etc/bridge/templates
ENV PATH=/opt/bridge/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BRIDGE_ROUTES=/etc/bridge/routes.yaml \
    BRIDGE_DATA=/data \
    BRIDGE_LISTEN=0.0.0.0:8080
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Through the control socket, so that it holds for every BRIDGE_LISTEN and for TLS.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["bridge", "status"]
ENTRYPOINT ["bridge"]
CMD ["run"]
