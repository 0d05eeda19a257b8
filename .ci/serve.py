#!/usr/bin/env python3
"""Load and rubbish for `gradus serve`: serve.py GRADUS [--requests N] [--connections N] [--rubbish N]

Trains a model of a table, asks for predictions from many connections at once, then sends what no client
should. It fails if an answer is wrong, a refusal is no 4xx, the memory grows, or the server does not end
at a signal with its requests answered. Latencies include those of this client, which has one core.
"""

import argparse
import atexit
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

JSON = "Content-Type: application/json\r\n"
# The memory of a server may grow by this between two of the same loads, in KiB.
GROWTH = 8 * 1024


def table(path, rows):
    draw = random.Random(7)
    with open(path, "w") as file:
        file.write("rooms,town,built,heated,price\n")
        for _ in range(rows):
            rooms, town = draw.randint(1, 9), draw.choice(["Bonn", "Graz", "Oslo", ""])
            built = f"{draw.randint(1950, 2024)}-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}"
            file.write(f"{rooms},{town},{built},{draw.choice(['yes', 'no'])},{100 * rooms + len(town)}.5\n")


def post(body, path="/predict", headers=JSON):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def answer(stream):
    """The status and body of an answer; (None, b"") if the connection was closed."""
    head = b""
    try:
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return None, b""
            head += line
        length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        return int(head.split(b" ")[1]), stream.read(int(length[0].split(b":")[1])) if length else b""
    except (ConnectionError, socket.timeout):
        return None, b""


class Server:
    def __init__(self, gradus, model, *more):
        command = [gradus, "serve", model, "--listen", "127.0.0.1:0", *more]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)  # where a check fails
        first = self.process.stderr.readline()
        self.port = int(first.split(" ")[0].rsplit(":", 1)[1])
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(self, request):
        with self.connect() as connection:
            try:
                connection.sendall(request)
            except ConnectionError:
                pass
            return answer(connection.makefile("rb"))

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def row(n):
    return {"rooms": n % 9 + 1, "town": ["Bonn", "Graz", None][n % 3], "built": f"19{50 + n % 50}-01-02"}


def load(server, requests, connections, wanted):
    """Sends requests of one to three rows from many connections; the seconds of each."""
    bodies = [post(json.dumps({"rows": [row(n), row(n + 1), row(n + 2)][: n % 3 + 1]}).encode()) for n in range(30)]
    taken, wrong = [], []

    def client(number):
        with server.connect() as connection:
            stream = connection.makefile("rb")
            for k in range(requests // connections):
                n = (number + k) % len(bodies)
                start = time.perf_counter()
                connection.sendall(bodies[n])
                status, body = answer(stream)
                taken.append(time.perf_counter() - start)
                if status != 200 or wanted.setdefault(n, body) != body:
                    wrong.append((n, status, body[:200]))

    threads = [threading.Thread(target=client, args=(n,)) for n in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    return sorted(taken), time.perf_counter() - start


def rubbish(draw, n):
    """A request that must be refused, of each kind in turn."""
    values = [b"[1]", b"{}", b"true", b"1e99", b"-1e99", b"1e999", b"NaN", b'"many"', b"\xff"]
    kinds = [
        lambda: post(b'{"rooms": ' + draw.choice(values) + b"}"),
        lambda: post(b'{"rows": [{"room": 1}]}'),
        lambda: post(b'{"rows": [' + b"{}," * 20000 + b"{}]}"),
        lambda: post(b"[" * draw.randint(200, 200000)),
        lambda: post(b'{"a":' * 5000),
        lambda: post(b'{"rows": [' + b"[" * 5000 + b"]" * 5000 + b"]}"),
        lambda: post(b'{"rows": [{"town": "' + b"x" * 1100000 + b'"}]}'),
        lambda: post(bytes(draw.randrange(256) for _ in range(300))),
        lambda: post(b'{"rooms": 3}', headers="Content-Type: text/html\r\n"),
        lambda: post(b"\x93NUMPY\x01\x00\xff\xff{", headers="Content-Type: application/x-npy\r\n"),
        lambda: post(b'{"inputs": [{"name": "rooms", "shape": [99999999999], "datatype": "FP32", "data": []}]}', "/v2/models/run/infer"),
        lambda: post(b'{"rooms": 3}', "/" + "x" * draw.randint(1, 5000)),
        lambda: b"GET /predict HTTP/1.1\r\nHost: x\r\n\r\n",
        lambda: b"PUT /health HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        lambda: b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n",
        lambda: b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        lambda: b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        lambda: bytes(draw.randrange(256) for _ in range(200)) + b"\r\n\r\n",
        lambda: b"GET /health HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
    ]
    return kinds[n % len(kinds)]()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("gradus")
    parser.add_argument("--requests", type=int, default=10000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--rubbish", type=int, default=1000)
    args = parser.parse_args()
    gradus = os.path.abspath(args.gradus)
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        table("houses.csv", 400)
        with open("houses.toml", "w") as file:
            file.write('data.table = "houses.csv"\ndata.target = "price"\ntrain.epochs = 2\n')
            file.write('model = { recipe = "default", hidden = [64, 32] }\n')
        subprocess.run([gradus, "train", "houses.toml", "--out", "run", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        server = Server(gradus, "run", "--timeout", "2", "--max-body", "1")

        answers = {}
        load(server, args.requests // 5, args.connections, answers)  # what is allocated once
        before = server.memory()
        taken, seconds = load(server, args.requests, args.connections, answers)
        after = server.memory()
        at = lambda share: 1000 * taken[int(share * (len(taken) - 1))]
        print(
            f"{len(taken)} requests from {args.connections} connections, each answered right: "
            f"{len(taken) / seconds:.0f} a second, p50 {at(0.5):.2f} ms, p99 {at(0.99):.2f} ms; "
            f"memory {before / 1024:.1f} MiB before, {after / 1024:.1f} MiB after"
        )
        assert after < before + GROWTH, "the memory grows"

        draw = random.Random(3)
        slow = [server.connect() for _ in range(20)]
        for n, connection in enumerate(slow):
            connection.sendall(post(b'{"rooms": 3}')[: -1 - 4 * n])
        statuses = {}
        for n in range(args.rubbish):
            status, body = server.ask(rubbish(draw, n))
            statuses[status] = statuses.get(status, 0) + 1
            assert status is None or 400 <= status < 500, (status, body[:300], n)
        for connection in slow:
            status, _ = answer(connection.makefile("rb"))
            assert status in (None, 408), status
        print(f"{args.rubbish} requests of rubbish and 20 slow clients: {statuses}")
        load(server, args.requests // 5, args.connections, answers)
        print(f"memory {server.memory() / 1024:.1f} MiB after that")

        waiting = server.connect()
        request = post(b'{"rooms": 3}')
        waiting.sendall(request[:-3])
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        waiting.sendall(request[-3:])
        status, _ = answer(waiting.makefile("rb"))
        assert status == 200, status
        assert server.process.wait(timeout=30) == 0
        print("SIGTERM: the request in flight was answered, exit code 0")


if __name__ == "__main__":
    sys.exit(main())
