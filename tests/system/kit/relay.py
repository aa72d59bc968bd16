"""A proxy between clients and one server: it delays what the server answers, and cuts what is connected."""
import queue
import socket
import threading
import time


class Relay:
    """Passes bytes between its port and another one. `delay_s` may change at any time; each piece of an answer waits for
    itself, so that answers which come together are late together."""

    def __init__(self, port, to):
        self.port, self.to, self.delay_s, self.pairs = port, to, 0, []
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                client.close()
                continue
            self.pairs += [client, server]
            for source, target, is_answer in ((client, server, False), (server, client, True)):
                pieces = queue.SimpleQueue()
                threading.Thread(target=self.take, args=(source, pieces, is_answer), daemon=True).start()
                threading.Thread(target=self.give, args=(pieces, target), daemon=True).start()

    def take(self, source, pieces, is_answer):
        try:
            while data := source.recv(65536):
                pieces.put((time.monotonic() + (self.delay_s if is_answer else 0), data))
        except OSError:
            pass
        pieces.put(None)
        self.hang_up(source)

    def give(self, pieces, target):
        try:
            while piece := pieces.get():
                time.sleep(max(0, piece[0] - time.monotonic()))
                target.sendall(piece[1])
        except OSError:
            pass
        self.hang_up(target)

    @staticmethod
    def hang_up(end):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for end in pairs:
            self.hang_up(end)

    def close(self):
        self.hang_up(self.listener)
        self.listener.close()
        self.cut()
