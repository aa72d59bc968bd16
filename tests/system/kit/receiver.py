"""A webhook receiver that can be good, slow, failing or deaf."""
import http.server
import json
import socket
import threading


class Receiver:
    """Records every request. `answers` is a list of (status, headers); the last one repeats."""

    def __init__(self, answers=((200, {}),)):
        self.requests, self.answers, self.gate = [], list(answers), threading.Event()
        self.gate.set()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((dict(self.headers), body, self.path))
                receiver.gate.wait(60)
                status, headers = receiver.answers[min(len(receiver.requests), len(receiver.answers)) - 1]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def bodies(self):
        return [json.loads(body) for _, body, _ in self.requests]

    def hang(self):
        self.gate.clear()

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


class Deaf:
    """A port whose backlog is full: connecting to it never ends."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    def close(self):
        for filler in self.fillers:
            filler.close()
        self.listener.close()
