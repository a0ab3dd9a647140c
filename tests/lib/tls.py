"""TLS clients that trust the emulator's authority and nobody else."""

import os
import ssl

from tests.lib.process import ca_folder


def ca_file():
    return os.path.join(ca_folder(), "ca.pem")


def context(protocols=("http/1.1",), **settings):
    """settings are attributes of the context (maximum_version=…)."""
    made = ssl.create_default_context(cafile=ca_file())
    if protocols:
        made.set_alpn_protocols(list(protocols))
    for name, value in settings.items():
        setattr(made, name, value)
    return made


def wrapper(name, made=None):
    """What Client(wrap=…) takes: a handshake that names `name` and checks the certificate for it."""
    return lambda sock: (made or context()).wrap_socket(sock, server_hostname=name)
