# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# Two environments: what builds bridge stays behind, and what runs it has no pip, which is of no use on a read-only root.
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/bridge
COPY requirements/build.txt requirements/run.txt requirements/
RUN /opt/build/bin/pip install --require-hashes -r requirements/build.txt
# Bytecode is compiled here: nothing can write it later, and a start without it takes twice as long.
RUN /opt/build/bin/pip --python /opt/bridge/bin/python install --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY bridge bridge
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/build/bin/pip --python /opt/bridge/bin/python install --no-deps --no-index dist/*.whl

FROM python:3.13-slim
RUN groupadd --gid 10001 bridge && useradd --uid 10001 --gid bridge --no-create-home --home-dir /data --shell /usr/sbin/nologin bridge \
 && install --directory --owner=bridge --group=bridge --mode=0700 /data
COPY --from=build /opt/bridge /opt/bridge
COPY deploy/healthcheck.py /opt/bridge/healthcheck.py
COPY routes.yaml /etc/bridge/routes.yaml
COPY templates /etc/bridge/templates
ENV PATH=/opt/bridge/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    BRIDGE_ROUTES=/etc/bridge/routes.yaml \
    BRIDGE_DATA=/data \
    BRIDGE_LISTEN=0.0.0.0:8080
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Through the control socket, so that it holds for every BRIDGE_LISTEN and for TLS; without site-packages, so that it is cheap.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["python3", "-IS", "/opt/bridge/healthcheck.py"]
ENTRYPOINT ["bridge"]
CMD ["run"]
