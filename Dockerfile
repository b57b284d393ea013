# One image for every process: Airflow's, Celery's and MLflow's. The lock is the only list of versions, as in `make setup`.
FROM python:3.12.12-slim-bookworm AS built

COPY requirements-uv.lock requirements.lock /build/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /build/requirements-uv.lock \
    && /opt/venv/bin/uv pip install --no-cache --python /opt/venv/bin/python --compile-bytecode --require-hashes \
        -r /build/requirements.lock

FROM python:3.12.12-slim-bookworm

# LightGBM is linked against OpenMP's runtime.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 50000 --gid 0 --home-dir /opt/airflow --no-create-home airflow \
    && install --directory --owner 50000 --group 0 --mode 0775 \
        /opt/airflow /opt/airflow/.updraft /opt/airflow/logs /opt/airflow/inbox

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/opt/airflow \
    UPDRAFT_HOME=/opt/airflow/.updraft \
    UPDRAFT_INBOX=/opt/airflow/inbox \
    UPDRAFT_USE_CASES=/opt/airflow/include/use_cases

COPY --from=built /opt/venv /opt/venv
WORKDIR /opt/airflow
COPY pyproject.toml README.md ./
COPY include include
COPY plugins plugins
COPY dags dags
RUN uv pip install --no-cache --python /opt/venv/bin/python --no-deps --no-build-isolation --editable . \
    && python -m compileall -q include plugins dags

ARG UPDRAFT_CODE_VERSION=unversioned
ENV UPDRAFT_CODE_VERSION=$UPDRAFT_CODE_VERSION

USER 50000:0
CMD ["airflow", "version"]
