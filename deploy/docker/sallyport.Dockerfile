# syntax=docker/dockerfile:1
# The image of the sallyport binary: static executables, the certificates of public authorities, nothing else.
# Build it from the repository's root; scripts/deploy does so with the time of the commit:
#
#   docker build -f deploy/docker/sallyport.Dockerfile --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) -t sallyport .
#
# The same commit, builder image and platform give the same bytes: no path (-trimpath), no build id, no version control stamp, and
# one time for every file. To hold the builder still as well, give BUILDER with its digest (golang:1.26.8-bookworm@sha256:…).
ARG BUILDER=golang:1.26.8-bookworm

# hadolint ignore=DL3006
FROM --platform=$BUILDPLATFORM ${BUILDER} AS build
ARG TARGETOS=linux
ARG TARGETARCH=amd64
ARG SOURCE_DATE_EPOCH=0
ENV CGO_ENABLED=0 GOWORK=off GOTOOLCHAIN=local GOFLAGS=-buildvcs=false
WORKDIR /src
COPY . .
RUN cd server && GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags "-s -w -buildid=" -o /rootfs/sallyport ./cmd/sallyport
RUN cd deploy/docker && GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags "-s -w -buildid=" -o /rootfs/start ./start
RUN install -D -m 0444 /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/ca-certificates.crt
RUN install -d -m 0755 /rootfs/run && install -d -m 0700 -o 65532 -g 65532 /rootfs/run/sallyport
RUN find /rootfs -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

FROM scratch
ARG SOURCE_DATE_EPOCH=0
COPY --from=build /rootfs/ /
# 65532 is the user that distroless images call nonroot. Nothing in the image can be written but the volume that /start makes files
# in, whose owner a volume of Fargate takes over: run it with --read-only.
USER 65532:65532
VOLUME ["/run/sallyport"]
ENV SALLYPORT_SERVER=http://127.0.0.1:8080
EXPOSE 8080 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/sallyport", "healthcheck"]
ENTRYPOINT ["/sallyport"]
CMD ["serve", "--config", "/etc/sallyport/sallyport.yaml"]
