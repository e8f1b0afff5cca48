"""`httpx` with a token that Keepfresh keeps fresh. A 401 is reported once, and the call repeated with another token.

When nothing is fresh, Keepfresh answers with an error, `raise_for_status` raises it, and the call is not made.
"""
import os

import httpx

BASE = os.environ.get("KEEPFRESH_URL", "http://127.0.0.1:7420")


class Keepfresh(httpx.Auth):
    requires_response_body = True

    def __init__(self, connection, key=None, min_ttl=60):
        self.url = f"{BASE}/api/v1/connections/{connection.replace('/', '~')}"
        self.headers = {"Authorization": f"Bearer {key or os.environ['KEEPFRESH_KEY']}"}
        self.min_ttl = min_ttl

    def auth_flow(self, request):
        ask = httpx.Request("GET", f"{self.url}/token?min_ttl={self.min_ttl}", headers=self.headers)
        token = self._token((yield ask))
        answer = yield self._present(request, token)
        if answer.status_code == 401:
            said = {"generation": token["generation"]}
            report = httpx.Request("POST", f"{self.url}/rejected", headers=self.headers, json=said)
            yield self._present(request, self._token((yield report)))

    def _token(self, answer):
        answer.raise_for_status()
        return answer.json()

    def _present(self, request, token):
        request.headers["Authorization"] = f"{token['token_type']} {token['token']}"
        return request
