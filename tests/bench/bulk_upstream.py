"""A raw upstream for the 1 GiB figures: swallows any body fast, or sends one of the asked size,
chunked. Prints its port."""

import socket
import sys
import threading

CHUNK = 256 * 1024
BLOCK = b"%x\r\n" % CHUNK + b"x" * CHUNK + b"\r\n"


def head_of(conn):
    data = b""
    while b"\r\n\r\n" not in data:
        got = conn.recv(65536)
        if not got:
            return None, b""
        data += got
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def swallow(conn, rest):
    """Reads a chunked body to its end without looking at it: the end is the last five bytes."""
    view = memoryview(bytearray(1 << 20))
    total, tail = len(rest), rest[-5:]
    while tail != b"0\r\n\r\n":
        n = conn.recv_into(view)
        if n == 0:
            return total
        total += n
        tail = (tail + bytes(view[max(0, n - 5):n]))[-5:]
    return total


def serve(conn):
    with conn:
        while True:
            head, rest = head_of(conn)
            if head is None:
                return
            if head.startswith("GET /down"):
                size = int(head.split(" ")[1].rpartition("/")[2])
                conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(size // CHUNK):
                    conn.sendall(BLOCK)
                conn.sendall(b"0\r\n\r\n")
            else:
                if "chunked" in head.lower():
                    swallow(conn, rest)
                conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def main():
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        print(listener.getsockname()[1])
        sys.stdout.flush()
        while True:
            conn, _ = listener.accept()
            threading.Thread(target=serve, args=(conn,), daemon=True).start()


if __name__ == "__main__":
    main()
