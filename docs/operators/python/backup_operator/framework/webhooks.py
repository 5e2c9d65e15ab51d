"""The webhook server, and where the API server is told of it."""

import base64
import copy
import http.server
import json
import os
import ssl
import tempfile
import threading
import urllib.parse

from .log import log, message_of

# Objects have 3 MiB at most; a review has the old and the new one, a conversion up to a hundred.
MAX_BODY_BYTES = 64 * 1024 * 1024


class WebhookServer(http.server.ThreadingHTTPServer):
    """Serves reviews by path, and the probes, with TLS. A handler makes one JSON value of another."""

    daemon_threads = False

    def __init__(self, port, certificate, handlers, is_ready):
        super().__init__(("", port), _Handler)
        self.handlers, self.is_ready = handlers, is_ready
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.set_certificate(certificate)

    def set_certificate(self, certificate):
        # The ssl module reads from files only.
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "tls.pem")
            with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
                file.write(certificate["tls.key"] + certificate["tls.crt"])
            self._context.load_cert_chain(path)

    def get_request(self):
        connection, address = super().get_request()
        # The handshake is done by the connection's own thread: a client that is slow holds up nobody else.
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        pass  # Connections end in many ways; a review that fails is logged where it is answered.

    def start(self):
        threading.Thread(target=self.serve_forever, name="webhooks", daemon=True).start()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10  # An idle connection is closed after that, so that a stop need not wait for longer.

    def do_GET(self):
        if self.path == "/healthz":
            self._send(200, b"ok")
        elif self.path == "/readyz":
            self._send(*((200, b"ok") if self.server.is_ready() else (503, b"not ready")))
        else:
            self._send(404, b"not found")

    def do_POST(self):
        path = urllib.parse.urlsplit(self.path).path
        handler = self.server.handlers.get(path)
        length = self.headers.get("content-length", "")
        if handler is None:
            return self._refuse(404, b"not found")
        if not length.isdigit():
            return self._refuse(411, b"no content-length")
        if int(length) > MAX_BODY_BYTES:
            return self._refuse(413, b"too large")
        body = self.rfile.read(int(length))
        try:
            answer = json.dumps(handler(json.loads(body))).encode()
        except Exception as error:
            log("a review failed", path=path, error=message_of(error))
            return self._send(400, message_of(error).encode())
        self._send(200, answer, "application/json")

    def _refuse(self, code, text):
        self.close_connection = True  # The body was not read.
        self._send(code, text)

    def _send(self, code, body, content_type="text/plain"):
        self.send_response(code)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


def publish_webhooks(dynamic, definition, configuration, address, authority_pem):
    """Writes address and authority into the CustomResourceDefinition and both configurations; whether something was missing."""

    def client_config(path):
        ca_bundle = base64.b64encode(authority_pem).decode()
        if "url" in address:
            return {"url": urllib.parse.urljoin(address["url"], path), "caBundle": ca_bundle}
        return {"service": {**address["service"], "path": path}, "caBundle": ca_bundle}

    def convert(body):
        body["spec"]["conversion"]["webhook"]["clientConfig"] = client_config("/convert")

    def each(path):
        def change(body):
            for webhook in body["webhooks"]:
                webhook["clientConfig"] = client_config(path)

        return change

    changes = [
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", definition, convert),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", configuration, each("/mutate")),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", configuration, each("/validate")),
    ]
    is_changed = False
    for api_version, kind, name, change in changes:
        resource = dynamic.resources.get(api_version=api_version, kind=kind)
        before = resource.get(name=name).to_dict()
        after = copy.deepcopy(before)
        change(after)
        if after != before:
            resource.replace(body=after, name=name)
            is_changed = True
    return is_changed
