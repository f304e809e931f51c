# syntax=docker/dockerfile:1
# Nakama with Sallyport's runtime plugin. A Go plugin loads only into a server that was built by exactly the same toolchain, so the
# plugin is built in Heroic Labs' own builder of the same release. Build it from the repository's root, as the other image.
#
# Nakama's image has a base system that changes with its tag; give BUILDER and SERVER with their digests to hold both still.
ARG BUILDER=heroiclabs/nakama-pluginbuilder:3.40.0
ARG SERVER=heroiclabs/nakama:3.40.0

# hadolint ignore=DL3006
FROM ${BUILDER} AS build
ARG SOURCE_DATE_EPOCH=0
ENV CGO_ENABLED=1 GOWORK=off GOTOOLCHAIN=local GOFLAGS=-buildvcs=false
WORKDIR /src
COPY . .
RUN cd nakama && go build -trimpath -buildmode=plugin -o /rootfs/nakama/data/modules/sallyport.so ./plugin
RUN cd deploy/docker && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -buildid=" -o /rootfs/start ./start
RUN install -d -m 0755 /rootfs/run && install -d -m 0700 -o 65532 -g 65532 /rootfs/run/sallyport
RUN find /rootfs -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

# hadolint ignore=DL3006
FROM ${SERVER}
ARG SOURCE_DATE_EPOCH=0
COPY --from=build /rootfs/ /
# Nakama writes nothing but what it is told to: start it with --read-only, and a tmpfs at /tmp.
USER 65532:65532
VOLUME ["/run/sallyport"]
ENV NAKAMA_TELEMETRY=0
EXPOSE 7350
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["/nakama/nakama", "healthcheck", "7350"]
ENTRYPOINT ["/usr/bin/tini", "--", "/nakama/nakama"]
CMD ["--name", "nakama", "--runtime.path", "/nakama/data/modules", "--logger.level", "info"]
