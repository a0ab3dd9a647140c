# One image for both emulator processes and the four samples. Debian only; plain Dockerfile syntax.
FROM debian:bookworm-slim AS build
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends gcc libc6-dev make pkg-config \
       libmicrohttpd-dev libnghttp2-dev libssl-dev libjansson-dev libyaml-dev \
       libcurl4-openssl-dev libsqlite3-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Makefile ./
COPY emulator emulator
COPY samples samples
COPY policies/lessons policies/lessons
RUN make -j2 all && strip build/invoker build/samples/*
COPY policies policies
RUN chmod -R a+rX policies

FROM debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends libmicrohttpd12 libnghttp2-14 libssl3 \
       libjansson4 libyaml-0-2 libcurl4 libsqlite3-0 curl \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin invoker \
    && install -d -o invoker -g invoker -m 0700 /keys /data \
    && install -d -o invoker -g invoker -m 0755 /ca
COPY --from=build /src/build/invoker /usr/local/bin/invoker
COPY --from=build /src/build/samples /usr/local/lib/invoker/samples
COPY --from=build /src/policies /etc/invoker
USER 10001:10001
ENTRYPOINT ["/usr/local/bin/invoker"]
CMD ["help"]
