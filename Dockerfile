# The server as an image, without a GPU or for one; it brings the demonstration model and no other.
#
#   docker build --target cpu --build-arg TORCH_INDEX=URL -t glm-tts:cpu .
#   docker build --target cuda -t glm-tts:cuda .
#
# URL is the index for CPU that pytorch.org/get-started names; PyPI's torch, which brings CUDA, is the other's.
# EXTRA=cluster adds Ray (docs/scaling.md).
# BASE is any Debian or Ubuntu with a python3 of 3.11 to 3.13 and its venv module. `--secret id=pip,src=FILE` hands in
# a pip.conf (a mirror, certificates) for as long as pip runs.
ARG BASE=python:3.11-slim

# What both build and run need.
FROM ${BASE} AS python
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tini wget \
 && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1

# Every dependency but torch, at the versions that the release was tested with.
FROM python AS packages
RUN python3 -m venv /opt/venv
WORKDIR /src
COPY pyproject.toml constraints.txt ./
ARG EXTRA=
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -c "import sys, tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
needs = project['dependencies'] + project['optional-dependencies'].get(sys.argv[1], []); \
print(*(need for need in needs if not need.startswith('torch>')), sep='\n')" "$EXTRA" > requirements.txt \
 && pip install -c constraints.txt -r requirements.txt

FROM packages AS torch-cpu
ARG TORCH_INDEX=
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip install -c constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch \
 && python -c "import sys, torch; sys.exit(torch.version.cuda and 'This torch brings CUDA: set TORCH_INDEX.')"

FROM packages AS torch-cuda
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip install -c constraints.txt torch

FROM packages AS wheel
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip wheel --no-deps -w /dist .

# The server's user and folder. tini is PID 1: it hands SIGTERM on even before the server listens for it, and buries
# what a killed server leaves behind.
FROM python AS service
RUN useradd --uid 10001 --create-home --home-dir /srv/glm-tts --shell /usr/sbin/nologin glm-tts \
 && install -d -o glm-tts -g glm-tts /srv/glm-tts/data /srv/glm-tts/data/prompts
WORKDIR /srv/glm-tts
ENV LOG_FILE=/dev/null
VOLUME /srv/glm-tts/data/prompts
EXPOSE 8049
HEALTHCHECK --interval=30s --timeout=10s --start-period=10m --start-interval=2s \
    CMD ["sh", "-c", "wget -q -T 8 --tries 1 -O /dev/null http://127.0.0.1:${PORT:-8049}/api/v1/health"]
ENTRYPOINT ["tini", "--", "glm-tts"]
CMD ["serve"]

FROM service AS cpu
# Compiles the decoder's kernels while the server starts.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
COPY --from=torch-cpu /opt/venv /opt/venv
RUN --mount=type=bind,from=wheel,source=/dist,target=/dist \
    pip install --no-cache-dir --no-deps --no-index /dist/*.whl && pip check
USER 10001

FROM service AS cuda
# Triton compiles the decoder's kernels with these while the server starts.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev python3-dev \
 && rm -rf /var/lib/apt/lists/*
COPY --from=torch-cuda /opt/venv /opt/venv
RUN --mount=type=bind,from=wheel,source=/dist,target=/dist \
    pip install --no-cache-dir --no-deps --no-index /dist/*.whl && pip check
# NVIDIA's container toolkit brings the driver's libraries.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001
