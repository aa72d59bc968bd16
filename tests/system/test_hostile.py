"""What nobody honest sends, over raw sockets: ambiguous, endless, huge and silent requests."""
import json
import re
import socket
import ssl
import time

import pytest

from kit.agent import Agent
from kit.base import SLOWNESS, wait_until
from kit.certificates import Authority

pytestmark = pytest.mark.simulator
LIMITS = "web: {limits: {header_timeout: 1s, idle_timeout: 3s, connections: 700, connections_per_address: 256}}"
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
GOOD = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def target(build, tmp_path_factory):
    """One agent for all of them: each attack is also a test that the ones before did no harm."""
    one = Agent(build, tmp_path_factory.mktemp("hostile"), LIMITS).start()
    yield one
    try:
        assert one.get("/health/live").status == 200
        one.stop()
    finally:
        one.end()


def connect(one, address="127.0.0.1"):
    client = socket.socket()
    client.settimeout(10 * SLOWNESS)
    client.bind((address, 0))
    client.connect(("127.0.0.1", one.port))
    return client


def read_all(client, wait=10):
    """What comes until the other side closes, and whether it did."""
    client.settimeout(wait * SLOWNESS)
    received = b""
    try:
        while chunk := client.recv(65536):
            received += chunk
    except ConnectionResetError:
        return received, True
    except TimeoutError:
        return received, False
    return received, True


def exchange(one, data):
    """Statuses of all answers to `data` followed by one good request, and whether the connection was closed."""
    with connect(one) as client:
        try:
            client.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        received, closed = read_all(client, wait=5)
    return [int(status) for status in STATUS.findall(received)], closed, received


def get(headers=b"Host: x\r\n", target=b"/health/live", method=b"GET", version=b"HTTP/1.1", body=b""):
    return method + b" " + target + b" " + version + b"\r\n" + headers + b"\r\n" + body


# Each is answered so and the connection closed: what follows a request that can be read in two ways is not trusted.
REFUSED = {
    "length and coding": (get(b"Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", method=b"POST",
                              target=b"/-/log-level", body=b"0\r\n\r\n"), {400}),
    "length and coding on GET": (get(b"Host: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n"), {400}),
    "two lengths": (get(b"Host: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n", method=b"POST", target=b"/-/log-level",
                        body=b"abcdef"), {400}),
    "two equal lengths": (get(b"Host: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n", method=b"POST",
                              target=b"/-/log-level", body=b"{}"), {400}),
    "a list of lengths": (get(b"Host: x\r\nContent-Length: 2, 2\r\n", method=b"POST", target=b"/-/log-level", body=b"{}"), {400}),
    "a word as length": (get(b"Host: x\r\nContent-Length: abc\r\n", method=b"POST", target=b"/-/log-level"), {400}),
    "negative length": (get(b"Host: x\r\nContent-Length: -1\r\n", method=b"POST", target=b"/-/log-level"), {400}),
    "signed length": (get(b"Host: x\r\nContent-Length: +2\r\n", method=b"POST", target=b"/-/log-level", body=b"{}"), {400}),
    "hexadecimal length": (get(b"Host: x\r\nContent-Length: 0x2\r\n", method=b"POST", target=b"/-/log-level", body=b"{}"), {400}),
    "empty length": (get(b"Host: x\r\nContent-Length:\r\n", method=b"POST", target=b"/-/log-level"), {400}),
    "one word": (b"GET\r\n\r\n", {400, 505}),
    "words behind the version": (get(version=b"HTTP/1.1 x"), {400, 505}),
    "4000 cookies": (get(b"Host: x\r\nCookie: " + b"a=b;" * 4000 + b"\r\n"), {431}),
    "1000 parameters": (get(target=b"/?" + b"&".join([b"a=b"] * 1000)), {400}),
    "length beyond 64 bits": (get(b"Host: x\r\nContent-Length: 99999999999999999999\r\n", method=b"POST",
                                  target=b"/-/log-level"), {400, 413}),
    "chunked body": (get(b"Host: x\r\nTransfer-Encoding: chunked\r\n", method=b"POST", target=b"/-/log-level",
                         body=b"2\r\n{}\r\n0\r\n\r\n"), {411}),
    "unknown coding": (get(b"Host: x\r\nTransfer-Encoding: xchunked\r\n", method=b"POST", target=b"/-/log-level"), {400, 411, 501}),
    "body on GET": (get(b"Host: x\r\nContent-Length: 3\r\n", body=b"abc"), {400}),
    "space before colon": (get(b"Host : x\r\n"), {400}),
    "space in a name": (get(b"Host: x\r\nX Y: 1\r\n"), {400}),
    "no host": (get(b"X: y\r\n"), {400}),
    "two hosts": (get(b"Host: x\r\nHost: y\r\n"), {400}),
    "empty host": (get(b"Host:\r\n"), {400}),
    "host with a path": (get(b"Host: x/y\r\n"), {400}),
    "NUL in a value": (get(b"Host: x\r\nX: a\0b\r\n"), {400}),
    "NUL in a name": (get(b"Host: x\r\nX\0Y: a\r\n"), {400}),
    "NUL in the target": (get(target=b"/health\0/live"), {400}),
    "control character in a value": (get(b"Host: x\r\nX: a\x01b\r\n"), {400}),
    "folded header": (get(b"Host: x\r\nX: a\r\n b\r\n"), {400}),
    "header without colon": (get(b"Host: x\r\nnonsense\r\n"), {400}),
    "64 KiB header": (get(b"Host: x\r\nX: " + b"a" * 65536 + b"\r\n"), {400, 431}),
    "5000 headers": (get(b"Host: x\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(5000))), {431}),
    "101 headers": (get(b"Host: x\r\n" + b"X: y\r\n" * 100), {431}),
    "long query": (get(target=b"/health/live?a=" + b"x" * 5000), {414}),
    "huge query": (get(target=b"/health/live?a=" + b"x" * 100000), {414, 431}),
    "33 parameters": (get(target=b"/alerts/history?" + b"&".join(b"a%d=1" % i for i in range(33))), {400}),
    "%00 in the path": (get(target=b"/health/checks/a%00b"), {400}),
    "%00 in the query": (get(target=b"/alerts/history?limit=1%00"), {400}),
    "half an escape": (get(target=b"/health/checks/%4"), {400}),
    "no hexadecimal escape": (get(target=b"/health/checks/%zz"), {400}),
    "byte beyond ASCII": (get(target=b"/health/\xff"), {400}),
    "target without slash": (get(target=b"health"), {400}),
    "HTTP/2.0": (get(version=b"HTTP/2.0"), {400, 505}),
    "HTTP/3.0": (get(version=b"HTTP/3.0"), {400, 505}),
    "HTTP/x.y": (get(version=b"HTTP/x.y"), {400, 505}),
    "HTTP/0.9": (b"GET /health/live\r\n\r\n", {400, 505}),
    "method in lower case": (get(method=b"get"), {400, 405}),
    "10 MB announced": (get(b"Host: x\r\nContent-Length: 10485760\r\n", method=b"POST", target=b"/-/log-level"), {413}),
    "10 MB, asked first": (get(b"Host: x\r\nContent-Length: 10485760\r\nExpect: 100-continue\r\n", method=b"POST",
                               target=b"/-/log-level"), {413}),
}


def is_contract_s(received):
    """One answer with our headers and a JSON error."""
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    return (STATUS.match(received) and {b"content-type: application/json", b"cache-control: no-store",
                                        b"x-content-type-options: nosniff", b"connection: close",
                                        b"content-length: %d" % len(body)} <= set(lines)
            and {"error", "message", "timestamp"} == json.loads(body).keys())


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(target, name):
    data, allowed = REFUSED[name]
    statuses, closed, received = exchange(target, data + GOOD)
    assert len(statuses) == 1 and set(statuses) <= allowed and is_contract_s(received), received[:400]
    assert closed, "what follows such a request must not be answered"
    assert target.get("/health/live").status == 200


# These are within our limits: what refuses them is the library's memory for a connection, which 1.0 uses otherwise.
LATER = {"4000 cookies": {200, 431}, "1000 parameters": {400, 431}}
# Well-formed, so that every version of the library brings them to us, on any connection.
OURS = {"two lengths", "body on GET", "space in a name", "two hosts", "empty host", "host with a path",
        "control character in a value", "64 KiB header", "101 headers", "long query", "33 parameters", "1000 parameters",
        "%00 in the path", "%00 in the query", "half an escape", "no hexadecimal escape", "target without slash",
        "method in lower case", "10 MB announced", "10 MB, asked first"}
# libmicrohttpd 0.9.75 sends the head of its answer twice.
TWO_HEADS = {"4000 cookies", "a list of lengths", "a word as length", "negative length", "signed length", "hexadecimal length",
             "empty length", "length beyond 64 bits"}


def ask_well(client):
    """A request whose connection stays open; a head and a body may be two records of TLS."""
    client.sendall(GOOD)
    received = b""
    while b"alive" not in received:
        received += (chunk := client.recv(65536))
        assert chunk, received
    assert received.startswith(b"HTTP/1.1 200 ")


def expect_refusal(name, client, data):
    """Where libmicrohttpd reads first, it refuses some of these itself: no answer or one, in HTML, and the end."""
    try:
        client.sendall(data + GOOD)
    except OSError:
        pass
    received, closed = read_all(client, wait=5)
    statuses = [int(status) for status in STATUS.findall(received)]
    assert set(statuses) <= LATER.get(name, REFUSED[name][1]), received[:400]
    if 200 in statuses:
        return
    assert closed and b"alive" not in received
    assert len(statuses) <= (2 if name in TWO_HEADS else 1), received[:400]
    assert name not in OURS or is_contract_s(received), received[:400]


@pytest.mark.parametrize("name", REFUSED)
def test_the_same_later_on_a_connection_is_refused_too(target, name):
    with connect(target) as client:
        ask_well(client)
        expect_refusal(name, client, REFUSED[name][0])


def connect_tls(one):
    context = ssl.create_default_context(cafile=one.folder / "ca.pem")
    return context.wrap_socket(connect(one), server_hostname="localhost")


@pytest.fixture(scope="module")
def tls_target(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile-tls")
    Authority(folder).issue("web")
    one = Agent(build, folder, f"{LIMITS[:-1]}, tls: {{cert_file: {folder}/web.pem, key_file: {folder}/web.key}}}}")

    def is_served():
        try:
            with connect_tls(one) as client:
                ask_well(client)
                return True
        except OSError:
            return False

    one.start(wait=False)
    try:
        wait_until(is_served, 10, "HTTPS")
        yield one
        assert is_served()
        one.stop()
    finally:
        one.end()


@pytest.mark.parametrize("kept", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("name", REFUSED)
def test_the_same_inside_tls_is_refused_too(tls_target, name, kept):
    with connect_tls(tls_target) as client:
        if kept:
            ask_well(client)
        expect_refusal(name, client, REFUSED[name][0])


def test_a_refusal_is_read_by_who_goes_on_sending(target):
    """A socket closed with bytes unread takes the answer back."""
    with connect(target) as client:
        client.sendall(b"GET / HTTP/1.1\r\nnonsense\r\n\r\n")
        for _ in range(20):
            client.sendall(b"x" * 10000)
            time.sleep(0.01)
        received, _ = read_all(client)
    assert is_contract_s(received), received[:200]


def test_a_head_of_a_refused_request_has_no_body(target):
    _, _, received = exchange(target, b"HEAD / HTTP/1.1\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400 ") and received.endswith(b"\r\n\r\n")


def test_requests_in_single_bytes_and_in_halves_are_answered(target):
    for step in (1, 7, 20):
        with connect(target) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(GOOD), step):
                client.sendall(GOOD[at:at + step])
                time.sleep(0.002)
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
            client.sendall(GOOD)
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_half_a_head_and_an_end_is_closed_at_once(target):
    with connect(target) as client:
        client.sendall(b"GET /health/live HTTP/1.1\r\nHo")
        client.shutdown(socket.SHUT_WR)
        began = time.monotonic()
        assert read_all(client) == (b"", True) and time.monotonic() - began < 0.7 * SLOWNESS
    with connect(target) as client:
        client.sendall(GOOD)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client)[0].startswith(b"HTTP/1.1 200 ")


def test_connections_that_wait_for_a_request_survive_a_reload(agent):
    one = agent("web: {limits: {header_timeout: 20s}}")
    with connect(one) as silent, connect(one) as half:
        half.sendall(GOOD[:20])
        time.sleep(0.2)
        one.write_config("web: {limits: {header_timeout: 19s}}")
        assert one.post("/-/reload").status == 200
        half.sendall(GOOD[20:])
        assert half.recv(65536).startswith(b"HTTP/1.1 200 ")
        silent.sendall(GOOD)
        assert silent.recv(65536).startswith(b"HTTP/1.1 200 ")
    with connect(one) as silent, connect(one) as half:
        half.sendall(GOOD[:20])
        time.sleep(0.2)
        one.stop()


ANSWERED = {
    "bare LF": (b"GET /health/live HTTP/1.1\nHost: x\n\n", {200, 400}),  # libmicrohttpd takes it until 1.0
    "HTTP/1.0 without host": (b"GET /health/live HTTP/1.0\r\n\r\n", {200}),
    "absolute target": (get(target=b"http://x/health/live"), {200}),
    "encoded slash stays in its word": (get(target=b"/health%2Flive"), {404}),
    "dots are names": (get(target=b"/health/../info"), {404}),
    "double slash": (get(target=b"//health/live"), {404}),
    "deep path": (get(target=b"/a" * 500), {404}),
    "unknown method": (get(method=b"BREW"), {405}),
    "TRACE": (get(method=b"TRACE"), {405}),
}


@pytest.mark.parametrize("name", ANSWERED)
def test_what_is_only_odd_is_answered(target, name):
    data, allowed = ANSWERED[name]
    with connect(target) as client:
        client.sendall(data)
        assert int(STATUS.match(client.recv(65536))[1]) in allowed


def test_garbage_gets_no_answer_but_an_error(target):
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), bytes(range(256)) * 8, b"\r\n" * 2000,
                    b"\0" * 4096, b" " * 4096, b"GET " + b"A" * 200000):
        statuses, closed, received = exchange(target, garbage)
        assert closed and all(400 <= status < 500 or status == 505 for status in statuses), received[:200]
        assert not received or is_contract_s(received), received[:400]
    assert target.get("/health/live").status == 200


def test_a_10_mb_body_is_not_taken(target):
    with connect(target) as client:
        client.sendall(get(b"Host: x\r\nContent-Length: 10485760\r\n", method=b"POST", target=b"/-/log-level"))
        sent = 0
        try:
            while sent < 10 << 20:
                sent += client.send(b"x" * 65536)
        except OSError:
            pass
        received, closed = read_all(client)
    # The kernel may drop the answer when the sender does not stop; it must be the right one when it comes.
    assert closed and STATUS.findall(received) in ([b"413"], [])
    assert sent < 10 << 20, "the whole body was read"


def test_pipelined_requests_are_answered_in_order(target):
    paths = [b"/health/live", b"/no-such-path", b"/info", b"/alerts/history?limit=x"] * 5
    with connect(target) as client:
        client.sendall(b"".join(get(target=path) for path in paths[:-1]) +
                       get(b"Host: x\r\nConnection: close\r\n", target=paths[-1]))
        received, closed = read_all(client)
    assert closed
    assert [int(status) for status in STATUS.findall(received)] == [200, 404, 200, 400] * 5


def closing_time(client):
    """Seconds until the other side closes."""
    began = time.monotonic()
    _, closed = read_all(client)
    assert closed, "it is still open"
    return time.monotonic() - began


@pytest.mark.parametrize("begin", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"], ids=["silent", "line", "header"])
def test_a_request_that_does_not_go_on_is_cut(target, begin):
    with connect(target) as client:
        client.sendall(begin)
        assert 0.5 < closing_time(client) < 3.5 * SLOWNESS


def test_a_slow_trickle_is_cut(target):
    """A byte each 100 ms keeps every timer of inactivity happy."""
    with connect(target) as client:
        began = time.monotonic()
        client.settimeout(0.1)
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: ")
        closed = False
        while not closed and time.monotonic() - began < 8 * SLOWNESS:
            try:
                client.sendall(b"a")
                closed = client.recv(1000) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
    assert closed and time.monotonic() - began < 3.5 * SLOWNESS


def test_a_body_that_trickles_is_cut(target):
    with connect(target) as client:
        client.sendall(get(b"Host: x\r\nContent-Length: 1000\r\n", method=b"POST", target=b"/-/log-level", body=b"{"))
        assert closing_time(client) < 6 * SLOWNESS


def test_a_keep_alive_connection_ends_when_idle(target):
    with connect(target) as client:
        client.sendall(GOOD)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert 1 < closing_time(client) < 8 * SLOWNESS


def test_500_half_open_connections_of_one_address_leave_others_served(target):
    hostile = []
    try:
        for _ in range(500):
            client = socket.socket()
            client.bind(("127.0.0.2", 0))
            client.connect(("127.0.0.1", target.port))
            hostile.append(client)
            try:
                client.sendall(b"GET / HTTP/1.1\r\nX: ")
            except OSError:
                pass  # one too many of its address: closed at once
        began = time.monotonic()
        for _ in range(50):
            assert target.get("/health/live").status == 200
        assert time.monotonic() - began < 3 * SLOWNESS
        # All are gone by the deadline, with nobody's help.
        wait_until(lambda: target.metric("kafka_ops_active_connections") <= 2, 6, "the half-open ones being cut")
        reasons = {name: target.metric(f'kafka_ops_http_rejected_requests_total{{reason="{name}"}}')
                   for name in ("connections_per_address", "header_timeout")}
        assert reasons["connections_per_address"] >= 500 - 256, reasons
        assert reasons["header_timeout"] >= 200, reasons
    finally:
        for client in hostile:
            client.close()


def test_the_limit_of_an_address(agent):
    one = agent("web: {limits: {connections_per_address: 3}}")
    held = [connect(one, "127.0.0.3") for _ in range(3)]
    for client in held:
        client.sendall(GOOD)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    with connect(one, "127.0.0.3") as fourth:
        assert read_all(fourth) == (b"", True)
    assert one.get("/health/live").status == 200
    held.pop().close()

    def again():
        with connect(one, "127.0.0.3") as client:
            client.sendall(GOOD)
            return client.recv(65536).startswith(b"HTTP/1.1 200 ")

    wait_until(again, 5, "a place being free again")
    for client in held:
        client.close()
    one.stop()


def test_when_all_places_are_taken_the_one_idle_longest_makes_room(agent):
    one = agent("web: {limits: {connections: 4}}")
    held = []
    for number in range(4):
        client = connect(one, f"127.0.0.{10 + number}")
        client.sendall(GOOD)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        held.append(client)
        time.sleep(0.02)
    assert one.get("/health/live").status == 200
    assert read_all(held[0]) == (b"", True)
    held[3].sendall(GOOD)
    assert held[3].recv(65536).startswith(b"HTTP/1.1 200 ")
    for client in held:
        client.close()
    one.stop()
