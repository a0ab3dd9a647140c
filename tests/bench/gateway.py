"""The gateway against HAProxy and nginx: CPU for each request, throughput, latency."""

import os
import statistics

import emulator as invoker
import peers
from measure import compare, figure, load, median, rounds


def bad_tokens(emulator):
    head, payload, signature = emulator.token.split(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return {"a broken signature":
            f"{head}.{payload}.{signature[:middle]}{other}{signature[middle + 1:]}",
            "another audience": invoker.get(emulator.identity + "http://other.example.test")}


def print_costs(results):
    print("authorised GET, 32 connections, one worker each (CPU µs per request; requests/s):")
    for name in results:
        figure(name, f"{median(results, name, 0):.1f}; {median(results, name, 1):.0f}")
    for name, title in (("invoker", "log off"), ("invoker, logging", "log all")):
        compare(f"{title}: CPU per request vs plain HAProxy", results, name, "haproxy", 0,
                "<= 1.1x")
        compare(f"{title}: CPU per request vs HAProxy with jwt_verify and ACLs", results, name,
                "haproxy jwt", 0, "<= 0.5x")
        compare(f"{title}: requests/s vs HAProxy with jwt_verify and ACLs", results, name,
                "haproxy jwt", 1, ">= 1.8x")
    compare("CPU per request, log all vs log off", results, "invoker, logging", "invoker", 0, "")


def print_latency(results):
    """Other work on the machine only ever adds to a p99, so the quieter rounds count: the lower
    quartile of each."""
    ours, theirs = (statistics.quantiles((r[2] for r in results[name]), n=4)[0]
                    for name in ("invoker", "nginx"))
    figure("p99 at low load (2 connections): invoker; nginx", f"{ours:.0f}; {theirs:.0f} µs")
    figure("p99 at low load vs nginx proxy_pass", f"{ours / theirs:.2f}x", "<= 1.0x")


def bench(folder, upstream_port, emulator, logging, count, seconds):
    plain, plain_port = peers.haproxy(folder, "haproxy", upstream_port)
    key = emulator.public_key(os.path.join(folder, "public.pem"))
    jwt, jwt_port = peers.haproxy_jwt(folder, upstream_port, key, emulator.url, invoker.CALLER)
    web, web_port = peers.nginx_proxy(folder, upstream_port)
    jwt_url = f"http://127.0.0.1:{jwt_port}/"
    web_url = f"http://127.0.0.1:{web_port}/"
    for url in (emulator.url + "/", jwt_url):
        peers.must_judge(url, emulator.token, bad_tokens(emulator))

    def contender(program, url, headers=emulator.auth, connections=32, seconds=seconds):
        return lambda: load(program, url=url, headers=headers, connections=connections,
                            seconds=seconds)

    print_costs(rounds(count, {
        "invoker": contender(emulator.gateway, emulator.url + "/"),
        "haproxy": contender(plain, f"http://127.0.0.1:{plain_port}/"),
        "invoker, logging": contender(logging.gateway, logging.url + "/", logging.auth),
        "haproxy jwt": contender(jwt, jwt_url),
        "nginx": contender(web, web_url)}))
    print_latency(rounds(2 * count, {
        "invoker": contender(emulator.gateway, emulator.url + "/", connections=2, seconds=1),
        "nginx": contender(web, web_url, connections=2, seconds=1)}))
    for program in (plain, jwt, web):
        program.stop()
