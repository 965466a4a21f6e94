# One image runs the operator, the emulated engine and the load generator.
#   docker build -t cynosure .
# The testbed builds the same file with a Debian base of its own and without Docker.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS dependencies
# Debian's own Python asks for the first; pip compiles what it installs, and nothing can be written at run time.
ENV PIP_BREAK_SYSTEM_PACKAGES=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY requirements.txt /opt/cynosure/
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /opt/cynosure/requirements.txt

FROM dependencies
# The user has no entry in /etc/passwd; kopf asks for its name.
ENV PYTHONPATH=/opt/cynosure USER=cynosure
COPY operator/cynosure /opt/cynosure/cynosure
COPY llm_engine /opt/cynosure/llm_engine
COPY loadgen /opt/cynosure/loadgen
COPY serving /opt/cynosure/serving
COPY testbed/*.py /opt/cynosure/testbed/
RUN printf '#!/bin/sh\nexec python3 -m cynosure.cli "$@"\n' > /usr/local/bin/cynosure \
 && chmod 755 /usr/local/bin/cynosure \
 && python3 -m compileall -q /opt/cynosure
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["cynosure"]
