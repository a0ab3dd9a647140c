# One image for both emulator processes and the four samples. Debian only; plain Dockerfile syntax.
FROM debian:bookworm-slim AS build
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends gcc libc6-dev make pkg-config \
       libmicrohttpd-dev libssl-dev libjansson-dev libyaml-dev libcurl4-openssl-dev libsqlite3-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Makefile ./
COPY emulator emulator
COPY samples samples
RUN make -j2 all && strip build/invoker build/samples/*

FROM debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends libmicrohttpd12 libssl3 libjansson4 \
       libyaml-0-2 libcurl4 libsqlite3-0 curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin invoker \
    && install -d -o invoker -m 0700 /keys /data
COPY --from=build /src/build/invoker /usr/local/bin/invoker
COPY --from=build /src/build/samples /usr/local/lib/invoker/samples
COPY policies /etc/invoker
USER invoker
ENTRYPOINT ["/usr/local/bin/invoker"]
CMD ["help"]
