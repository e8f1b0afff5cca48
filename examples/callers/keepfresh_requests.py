"""`requests` with a token that Keepfresh keeps fresh. A 401 is reported once, and the call repeated with another token.
When nothing is fresh, Keepfresh answers with an error, `raise_for_status` raises it, and the call is not made."""
import os

import requests
from requests.auth import AuthBase

BASE = os.environ.get("KEEPFRESH_URL", "http://127.0.0.1:7420")


class Keepfresh(AuthBase):
    def __init__(self, connection, key=None, min_ttl=60):
        self.url = f"{BASE}/api/v1/connections/{connection.replace('/', '~')}"
        self.keepfresh = requests.Session()
        self.keepfresh.headers["Authorization"] = f"Bearer {key or os.environ['KEEPFRESH_KEY']}"
        self.min_ttl = min_ttl

    def __call__(self, request):
        token = self._ask("GET", "token", params={"min_ttl": self.min_ttl})
        self._present(request, token)
        request.register_hook("response", lambda answer, **kwargs: self._again(answer, token, **kwargs))
        return request

    def _again(self, answer, token, **kwargs):
        if answer.status_code != 401 or answer.history:
            return answer
        answer.close()
        request = answer.request.copy()
        self._present(request, self._ask("POST", "rejected", json={"generation": token["generation"]}))
        second = answer.connection.send(request, **kwargs)
        second.history.append(answer)
        return second

    def _ask(self, method, path, **kwargs):
        answer = self.keepfresh.request(method, f"{self.url}/{path}", timeout=60, **kwargs)
        answer.raise_for_status()
        return answer.json()

    def _present(self, request, token):
        request.headers["Authorization"] = f"{token['token_type']} {token['token']}"
