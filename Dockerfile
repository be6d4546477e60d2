# The service alone: one static program on nothing, for a user without a name. What is done here is done by scripts/image.sh, which
# `make test-image` runs too, with another profile.
#
#   docker build --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" --tag chatbridge:0.1.0 .

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends binutils ca-certificates cmake file g++ make python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# When the source was written, in seconds since 1970, for the bill of materials: the same source gives the same one.
ARG SOURCE_DATE_EPOCH=0
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    --mount=type=cache,target=/build/.tools \
    SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" scripts/image.sh root /root-of-image release

FROM scratch
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="Chatbridge" \
    org.opencontainers.image.description="Hands chats to human agents of an 8x8 contact centre over gRPC" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION" \
    org.opencontainers.image.created="$CREATED" \
    org.opencontainers.image.base.name="scratch"
COPY --from=build /root-of-image /
# A number, so that Kubernetes can tell that it is not root.
USER 65532:65532
# gRPC, webhooks, metrics and health. Each listens on loopback unless settings say otherwise.
EXPOSE 50051 8080 9090
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["/chatbridge", "health", "--server", "http://127.0.0.1:9090"]
ENTRYPOINT ["/chatbridge"]
CMD ["serve"]
