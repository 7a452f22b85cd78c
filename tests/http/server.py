#!/usr/bin/env python3
"""The server that the HTTP tests talk to. Standard library only; it listens on loopback addresses alone.

    server.py FOLDER

It makes certificates in FOLDER with openssl where that is present, prints its ports as shell assignments, an empty line when it is ready, and
ends when its standard input does. MAIN is the server that tests allow; CANARY is the one that no request may reach (on 127.0.0.1, 127.0.0.2 and ::1);
TLS has a certificate of the test's own authority (CA), STRANGER one for another host. GET /__hits on MAIN lists what all of them were
asked since the last time.
"""
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

hits = []
lock = threading.Lock()
pattern = bytes(range(256)) * 256


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server_version, sys_version = "test", ""

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *args):
        pass

    def handle(self):
        with lock:
            self.server.connections_seen += 1
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError, ValueError):
            pass

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            data = b""
            while True:
                size = int(self.rfile.readline(), 16)
                data += self.rfile.read(size)
                self.rfile.readline()
                if not size:
                    return data
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def reply(self, status, data=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def raw(self, data):
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def answer(self):
        body = self.body()
        path = urlsplit(self.path)
        record = "%s %s %s" % (self.server.name, self.command, self.path)
        for name, value in self.headers.items():
            record += "\x1f%s:%s" % (name.lower(), value)
        if path.path == "/__hits":
            with lock:
                data = "\n".join(hits).encode()
                hits.clear()
            return self.reply(200, data)
        with lock:
            hits.append(record)
            self.server.requests_seen += 1
        if self.server.name != "MAIN":
            return self.reply(200, b"canary", [("Content-Type", "text/plain")])
        words = path.path.split("/")[1:]
        page = getattr(self, "page_" + words[0], None)
        if page:
            return page(words[1:], parse_qs(path.query), body)
        self.reply(404, b"no such page")

    # What each page does with the rest of the path, the query and the body.

    def page_echo(self, rest, query, body):
        self.reply(200, body, [("X-Method", self.command), ("X-Path", self.path), ("Content-Type", self.headers.get("content-type") or "none")])

    def page_headers(self, rest, query, body):
        self.reply(200, "".join("%s:%s\n" % (k, v) for k, v in self.headers.items()).encode())

    def page_status(self, rest, query, body):
        self.reply(int(rest[0]))

    def page_bytes(self, rest, query, body):
        left = int(rest[0])
        self.send_response(200)
        self.send_header("Content-Length", str(left))
        self.end_headers()
        while left:
            n = min(left, len(pattern))
            self.wfile.write(pattern[:n])
            left -= n

    def page_chunked(self, rest, query, body):
        left, size = int(rest[0]), int(rest[1]) if len(rest) > 1 else 5000
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        at = 0
        while left:
            n = min(left, size)
            self.chunk((pattern[at % 256:] + pattern)[:n])
            at += n
            left -= n
        self.wfile.write(b"0\r\nX-Trailer: late\r\n\r\n")

    def page_slow(self, rest, query, body):
        time.sleep(int(rest[0]) / 1000)
        self.reply(200, b"slow")

    def page_drip(self, rest, query, body):
        self.send_response(200)
        self.send_header("Content-Type", query.get("type", ["text/plain"])[0])
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for i in range(int(rest[0])):
            self.chunk(b"drip %d\n" % i)
            self.wfile.flush()
            time.sleep(int(rest[1]) / 1000)
        self.wfile.write(b"0\r\n\r\n")

    def page_truncated(self, rest, query, body):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")

    def page_badchunk(self, rest, query, body):
        self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\nzzz\r\n")

    def page_closed(self, rest, query, body):
        self.raw(b"")

    def page_garbage(self, rest, query, body):
        self.raw(b"\x16\x03\x01 this is no HTTP\r\n\r\n")

    def page_until_close(self, rest, query, body):
        self.raw(b"HTTP/1.0 200 OK\r\n\r\nup to the end")

    def page_interim(self, rest, query, body):
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
        self.reply(200, b"final", [("X-Final", "yes")])

    def page_bighead(self, rest, query, body):
        self.raw(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"v" * 1000) for i in range(int(rest[0]))) + b"Content-Length: 0\r\n\r\n")

    def page_folded(self, rest, query, body):
        self.raw(b"HTTP/1.1 200 OK\r\n  c: continues no line\r\nContent-Length: 0\r\n\r\n")

    def page_multi(self, rest, query, body):
        self.reply(200, b"", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Colons", "a:b:c"), ("X-Latin", "caf\xe9") if query.get("latin") else ("X-Empty", "")])

    def page_redirect(self, rest, query, body):
        self.reply(int(query.get("code", ["302"])[0]), b"moved", [("Location", query["to"][0])])

    def page_chain(self, rest, query, body):
        n = int(rest[0])
        self.reply(302, b"", [("Location", "/chain/%d" % (n - 1))]) if n else self.reply(200, b"arrived")

    def page_seen(self, rest, query, body):
        with lock:
            text = "%d %d" % (self.server.requests_seen, self.server.connections_seen)
        self.reply(200, text.encode())


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = False
    requests_seen = connections_seen = 0
    context = None

    def __init__(self, name, address, port=0, family=socket.AF_INET):
        self.address_family, self.name = family, name
        super().__init__((address, port), Handler)

    def server_bind(self):
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request, client_address):
        pass

    def finish_request(self, request, client_address):
        if self.context:
            request.settimeout(10)
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                return
        super().finish_request(request, client_address)


def certificate(folder, name, subject):
    """A certificate for `subject`, signed by the folder's authority."""
    run = lambda *args: subprocess.run(args, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    if not os.path.exists(os.path.join(folder, "ca.pem")):
        run("openssl", "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "2")
    with open(os.path.join(folder, name + ".ext"), "w") as f:
        f.write("subjectAltName=%s\n" % subject)
    run("openssl", "req", *key, "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
    run("openssl", "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", name + ".pem", "-days", "2", "-extfile", name + ".ext")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key"))
    return context


def start(server, variable=None):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if variable:
        print("%s=%d" % (variable, server.server_address[1]))
    return server.server_address[1]


def main(folder):
    start(Server("MAIN", "127.0.0.1"), "MAIN")
    port = start(Server("CANARY", "127.0.0.1"), "CANARY")
    for address, family in (("127.0.0.2", socket.AF_INET), ("::1", socket.AF_INET6)):
        try:
            start(Server("CANARY", address, port, family), "CANARY6" if family == socket.AF_INET6 else None)
        except OSError:
            pass
    try:
        for variable, name, subject in (("TLS", "main", "DNS:localhost,IP:127.0.0.1"), ("STRANGER", "stranger", "DNS:stranger.test")):
            server = Server(variable, "127.0.0.1")
            server.context = certificate(folder, name, subject)
            start(server, variable)
        print("CA=%s" % os.path.join(folder, "ca.pem"))
    except (OSError, subprocess.CalledProcessError):
        pass
    print(flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
