"""The proxies that people would otherwise configure, each with one worker in front of the same
upstream, and that upstream."""

import pathlib
import subprocess

from program import Program, free_port, wait_port

CURL_S = 10


def nginx(folder, name, http):
    """Starts nginx with one worker and the given http block."""
    conf = pathlib.Path(folder, f"{name}.conf")
    conf.write_text(f"""
daemon off; worker_processes 1; pid {folder}/{name}.pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 3600s;
  client_max_body_size 0; client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy; fastcgi_temp_path {folder}/{name}-f;
  uwsgi_temp_path {folder}/{name}-u; scgi_temp_path {folder}/{name}-s; {http} }}
""", encoding="ascii")
    return Program(["nginx", "-e", "/dev/null", "-p", folder, "-c", str(conf)], tree=True)


def upstream(folder):
    port = free_port()
    program = nginx(folder, "upstream", f"""server {{ listen 127.0.0.1:{port} reuseport;
        location / {{ return 200 "hello from the upstream\\n"; }} }}""")
    wait_port(port)
    return program, port


PROXY_PASS = """proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection "";
  proxy_request_buffering off; proxy_buffering off;"""
PROXY_WEBSOCKET = """proxy_pass http://u; proxy_http_version 1.1; proxy_read_timeout 1h;
  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"""
PROXY_GRPC = "grpc_pass grpc://u;"


def nginx_proxy(folder, upstream_port, location=PROXY_PASS, h2=False):
    """h2: callers speak HTTP/2 by prior knowledge."""
    port = free_port()
    program = nginx(folder, f"proxy-{port}", f"""
upstream u {{ server 127.0.0.1:{upstream_port}; keepalive 64; keepalive_requests 100000000; }}
server {{ listen 127.0.0.1:{port}{" http2" if h2 else ""}; location / {{ {location} }} }}""")
    wait_port(port)
    return program, port


def haproxy(folder, upstream_port, rules=(), h2=False, upstream_h2=False):
    """maxconn stays modest: twice as many descriptors have to be allowed, or it does not start."""
    port = free_port()
    conf = pathlib.Path(folder, f"haproxy-{port}.cfg")
    lines = "\n    ".join(rules)
    conf.write_text(f"""
global
    nbthread 1
    maxconn 400
defaults
    mode http
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
    timeout connect 5s
    http-reuse always
frontend f
    bind 127.0.0.1:{port}{" proto h2" if h2 else ""}
    {lines}
    default_backend b
backend b
    server s 127.0.0.1:{upstream_port}{" proto h2" if upstream_h2 else ""}
""", encoding="ascii")
    program = Program(["haproxy", "-db", "-f", str(conf)])
    wait_port(port)
    return program, port


def jwt_rules(public_key, audience, email):
    """The nearest thing to the invoker check: signature, issuer, audience and e-mail by ACLs."""
    return [
        "http-request set-var(txn.bearer) http_auth_bearer",
        "http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')",
        "http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss')",
        "http-request set-var(txn.aud) http_auth_bearer,jwt_payload_query('$.aud')",
        "http-request set-var(txn.email) http_auth_bearer,jwt_payload_query('$.email')",
        "http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')",
        "http-request set-var(txn.now) date()",
        "http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }",
        "http-request deny deny_status 401 unless "
        f"{{ var(txn.bearer),jwt_verify(txn.alg,\"{public_key}\") -m int 1 }}",
        "http-request deny deny_status 401 unless "
        "{ var(txn.iss) -m str https://accounts.google.com }",
        f"http-request deny deny_status 401 unless {{ var(txn.aud) -m str {audience} }}",
        "http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }",
        f"http-request deny deny_status 403 unless {{ var(txn.email) -m str {email} }}"]


def curl(url, *options, h2=False):
    """Head, body and trailers of an answer."""
    argv = ["curl", "-s", "-i", "--max-time", str(CURL_S), *options, url]
    if h2:
        argv.insert(1, "--http2-prior-knowledge")
    return subprocess.run(argv, capture_output=True, check=False).stdout.decode("latin-1")


def status(url, token=None, h2=False):
    options = ["-H", f"Authorization: Bearer {token}"] if token else []
    words = curl(url, *options, h2=h2).split(None, 2)
    return words[1] if len(words) > 1 else "none"


def must_judge(url, good, bad, h2=False):
    """A contender that lets anything through would win for nothing."""
    if (got := status(url, good, h2)) != "200":
        raise RuntimeError(f"{url} does not take the good token: {got}")
    for what, token in {"no token": None, **bad}.items():
        if (got := status(url, token, h2)) not in ("401", "403"):
            raise RuntimeError(f"{url} lets through: {what}: {got}")
