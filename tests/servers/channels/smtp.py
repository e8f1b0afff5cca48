"""A mail server on loopback for the tests: aiosmtpd with STARTTLS and a login, which keeps what it gets.

    smtp.py FOLDER [--plain] [--refuse CODE] [--without MAILBOX] [--until-stdin-ends]

Writes each message to FOLDER/mail-N.json with its sender, recipients, whether it came over TLS, who was logged in, and
its text, and refuses the first with CODE, and MAILBOX always; FOLDER/ca.pem is the authority of its certificate, which is for `localhost`.
"""

import argparse
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = b"mailer", b"mail-password-CANARY"


class Keeper:
    def __init__(self, folder, refuse, without):
        self.folder, self.refuse, self.without, self.count = folder, refuse, without, 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == self.without:
            return "550 no such mailbox CANARYSAID"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            code, self.refuse = self.refuse, None
            return f"{code} not now"
        self.count += 1
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "user": session.auth_data.decode() if session.auth_data else None,
            "text": envelope.content.decode("utf-8", "replace"),
        }
        partial = self.folder / "mail.partial"
        partial.write_text(json.dumps(mail))
        partial.rename(self.folder / f"mail-{self.count}.json")
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    fits = data.login == USER and data.password == PASSWORD
    return AuthResult(success=fits, auth_data=data.login) if fits else AuthResult(success=False, handled=False)


def certificate(folder):
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "s.key", "-out", "s.csr")
    (folder / "s.ext").write_text("subjectAltName=DNS:localhost")
    openssl("x509", "-req", "-in", "s.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650", "-extfile", "s.ext", "-out", "s.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "s.pem", folder / "s.key")
    return context


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--refuse", type=int)
    parser.add_argument("--without")
    parser.add_argument("--until-stdin-ends", action="store_true")
    wanted = parser.parse_args()
    options = {}
    if not wanted.plain:
        options = {
            "tls_context": certificate(wanted.folder),
            "require_starttls": True,
            "authenticator": authenticate,
            "auth_required": True,
        }
    port = free_port()
    controller = Controller(Keeper(wanted.folder, wanted.refuse, wanted.without), hostname="127.0.0.1", port=port, **options)
    controller.start()
    print(f"ready smtp://localhost:{port}", flush=True)
    if wanted.until_stdin_ends:
        sys.stdin.read()
    else:
        threading.Event().wait()
    controller.stop()


main()
