"""The proxies that people would otherwise configure, each with one worker in front of the same
upstream, and that upstream."""

import pathlib
import urllib.error
import urllib.request

from measure import Program, free_port, wait_port


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


def nginx_proxy(folder, upstream_port):
    port = free_port()
    program = nginx(folder, f"proxy-{port}", f"""
upstream u {{ server 127.0.0.1:{upstream_port}; keepalive 64; keepalive_requests 100000000; }}
server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; proxy_http_version 1.1;
  proxy_set_header Connection ""; proxy_request_buffering off; proxy_buffering off; }} }}""")
    wait_port(port)
    return program, port


def haproxy(folder, name, upstream_port, rules=""):
    """maxconn stays modest: twice as many descriptors have to be allowed, or it does not start."""
    port = free_port()
    conf = pathlib.Path(folder, f"{name}.cfg")
    conf.write_text(f"""
global
    nbthread 1
    maxconn 400
defaults
    mode http
    timeout client 1h
    timeout server 1h
    timeout connect 5s
    http-reuse always
frontend f
    bind 127.0.0.1:{port}
    {rules}
    default_backend b
backend b
    server s 127.0.0.1:{upstream_port}
""", encoding="ascii")
    program = Program(["haproxy", "-db", "-f", str(conf)])
    wait_port(port)
    return program, port


def haproxy_jwt(folder, upstream_port, public_key, audience, email):
    """The nearest thing to the invoker check: signature, issuer, audience and e-mail by ACLs."""
    rules = "\n    ".join([
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
        f"http-request deny deny_status 403 unless {{ var(txn.email) -m str {email} }}",
    ])
    return haproxy(folder, "haproxy-jwt", upstream_port, rules)


def status(url, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers),
                                    timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        e.close()
        return e.code


def must_judge(url, good, bad):
    """A contender that lets anything through would win for nothing."""
    if status(url, good) != 200:
        raise RuntimeError(f"{url} does not take the good token")
    for what, token in {"no token": None, **bad}.items():
        if status(url, token) not in (401, 403):
            raise RuntimeError(f"{url} lets through: {what}")
