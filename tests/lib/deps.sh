#!/bin/bash
# Installs what is missing for the named purposes: build, test, clients, bench, lint.
# Debian packages by apt-get (with sudo when not root), the client tests' packages by npm.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages() {
    case $1 in
    build) echo gcc libc6-dev make pkg-config libmicrohttpd-dev libnghttp2-dev libssl-dev \
        libjansson-dev libyaml-dev libcurl4-openssl-dev libsqlite3-dev python3 ;;
    test) echo check curl openssl iproute2 procps ;;
    clients) echo golang-go golang-google-api-dev golang-google-cloud-compute-metadata-dev \
        docker-compose nghttp2-client chromium libnss3-tools ;;
    bench) echo wrk haproxy nginx-light nghttp2-client gnuplot-nox ;;
    lint) echo clang clang-format clang-tidy cppcheck pmccabe ;;
    *) echo "deps.sh: unknown purpose '$1'" >&2; exit 2 ;;
    esac
}

# A tool that is there by another way than Debian's package is as good.
provided() {
    case $1 in
    python3 | gcc | make | curl | openssl | clang | clang-format | clang-tidy | cppcheck | wrk | \
        haproxy | docker-compose | chromium) command -v "$1" >/dev/null ;;
    golang-go) command -v go >/dev/null ;;
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    nginx-light) command -v nginx >/dev/null ;;
    nghttp2-client) command -v h2load >/dev/null ;;
    libnss3-tools) command -v certutil >/dev/null ;;
    gnuplot-nox) command -v gnuplot >/dev/null ;;
    *) false ;;
    esac
}

installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

wanted=()
for purpose in "$@"; do
    for p in $(packages "$purpose"); do wanted+=("$p"); done
    [ "$purpose" = clients ] && wanted+=(nodejs npm)
done

missing=()
for p in "${wanted[@]}"; do
    provided "$p" || installed "$p" || missing+=("$p")
done

if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "deps: this is not a Debian-like system; please install what these Debian packages hold:" >&2
        printf '  %s\n' "${missing[@]}" >&2
        exit 1
    fi
    sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "deps: run as root: apt-get install ${missing[*]}" >&2; exit 1; }
        sudo=(sudo)
    fi
    echo "deps: installing ${missing[*]}"
    # Services that a package would start are not wanted: only its programs are.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

case " $* " in *" clients "*)
    if [ -f tests/clients/package.json ] &&
        ! cmp -s tests/clients/package.json tests/clients/node_modules/.installed 2>/dev/null; then
        echo "deps: npm packages of the client tests"
        (cd tests/clients && npm ci --no-audit --no-fund --silent)
        cp tests/clients/package.json tests/clients/node_modules/.installed
    fi
    ;;
esac
