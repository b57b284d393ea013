"""moto's S3 server, with conditional puts that hold.

S3 looks and writes in one step. moto looks, then writes, in a thread per request: of many that create an object at the
same moment, two may be told that they did.

    python tests/s3_server.py PORT
"""

import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def one_put_at_a_time(app: App) -> App:
    """Let no two puts into the server at once."""
    lock = threading.Lock()

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "PUT":
            return app(environ, start)
        with lock:
            return app(environ, start)

    return answer


def main() -> None:
    """Serve until killed."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import run_simple

    os.environ["MOTO_PORT"] = sys.argv[1]  # stands in the addresses of queues
    app: Any = one_put_at_a_time(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main()
