# figment serve in a container: docker build -t figment . && docker run -p 8000:8000 -v ./runs/cats:/runs/cats:ro figment /runs/cats
FROM python:3.12-slim AS build
WORKDIR /figment
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
# torch without CUDA, which is gigabytes: what serves draws on the CPU.
RUN python -m venv /opt/figment \
 && /opt/figment/bin/pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch \
 && /opt/figment/bin/pip install --no-cache-dir '.[serve]'

FROM python:3.12-slim
# Nothing is written but the cache of ONNX files; runs are mounted to be read only.
RUN useradd --create-home --uid 1000 figment && mkdir /cache && chown figment /cache
COPY --from=build /opt/figment /opt/figment
ENV PATH=/opt/figment/bin:$PATH FIGMENT_CACHE=/cache PYTHONUNBUFFERED=1
USER figment
VOLUME /cache
EXPOSE 8000
HEALTHCHECK --interval=30s --start-period=120s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz')"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["figment", "serve", "--host", "0.0.0.0"]
