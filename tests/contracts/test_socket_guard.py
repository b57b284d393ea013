"""The tests themselves reach nothing beyond this machine."""

import socket
import threading

import pytest
from pytest_socket import SocketConnectBlockedError

pytestmark = pytest.mark.filterwarnings("ignore:A test tried to use")
ELSEWHERE = ("192.0.2.1", 80)  # set aside for documentation, nobody's address (RFC 5737)


def test_a_connection_to_another_machine_is_refused_before_it_is_made():
    with socket.socket() as client, pytest.raises(SocketConnectBlockedError):
        client.connect(ELSEWHERE)


def test_so_is_one_from_another_thread():
    caught: list[BaseException] = []

    def connect() -> None:
        try:
            socket.create_connection(ELSEWHERE, timeout=1)
        except SocketConnectBlockedError as blocked:
            caught.append(blocked)

    thread = threading.Thread(target=connect)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_a_socket_within_this_machine_is_open():
    left, right = socket.socketpair(socket.AF_UNIX)
    with left, right:
        left.sendall(b"x")
        assert right.recv(1) == b"x"
