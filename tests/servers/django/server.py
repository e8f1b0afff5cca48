"""A real Django on loopback, with the login of one of four packages, set up as its documentation says.

`python server.py FLAVOUR [PORT] [options]` prints `ready http://127.0.0.1:PORT`. DEBUG is off and
APPEND_SLASH has its default, as in production: a path without its slash answers 301. See ../README.md.
"""

import argparse
import secrets
import signal
import sys
import tempfile
import threading
from datetime import timedelta
from pathlib import Path

# Where the login is mounted beside the place that its documentation names.
FLAVOURS = {
    "simplejwt": "api/auth/token",
    "dj-rest-auth": "api/auth/login",
    "dj-rest-auth-jwt": "api/auth/login",
    "oauth-toolkit": "oauth/token",
}
USER = {"username": "ann", "email": "ann@example.com", "password": "correct-horse-9"}
CLIENTS = {
    "svc": ("svc-secret", "client-credentials"),
    "app": ("app-secret", "password"),
}


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("flavour", choices=FLAVOURS)
    parser.add_argument("port", type=int, nargs="?", default=0)
    parser.add_argument("--at", help="the path of the login, without slashes around it")
    parser.add_argument("--access-ttl", type=int, default=300, metavar="SECONDS")
    parser.add_argument("--refresh-ttl", type=int, default=86400, metavar="SECONDS")
    parser.add_argument("--rotate", action="store_true", help="a JWT refresh token lives once")
    parser.add_argument("--refresh-in-body", action="store_true", help="dj-rest-auth-jwt: not in a cookie alone")
    parser.add_argument("--metadata", action="store_true", help="oauth-toolkit: publish RFC 8414 metadata")
    parser.add_argument("--throttle", type=int, metavar="N", help="N requests a minute, then 429; no toolkit")
    parser.add_argument("--until-stdin-ends", action="store_true")
    return parser.parse_args()


def configure(asked, folder):
    from django.conf import settings

    access, refresh = timedelta(seconds=asked.access_ttl), timedelta(seconds=asked.refresh_ttl)
    apps = ["auth", "contenttypes", "sessions", "messages"]
    packages = ["rest_framework", "rest_framework.authtoken", "rest_framework_simplejwt.token_blacklist"]
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": Path(folder, "db.sqlite3"),
                # Requests come on several threads; they wait for each other and do not fail.
                "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
            }
        },
        INSTALLED_APPS=[f"django.contrib.{it}" for it in apps] + packages + ["dj_rest_auth", "oauth2_provider"],
        MIDDLEWARE=[
            f"{__name__}.Recorder",
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        # The tables are made from the models: the steps that led there cost a second.
        MIGRATION_MODULES=dict.fromkeys([*apps, "authtoken", "token_blacklist", "oauth2_provider"]),
        OAUTH2_PROVIDER={
            "ACCESS_TOKEN_EXPIRE_SECONDS": asked.access_ttl,
            "REFRESH_TOKEN_EXPIRE_SECONDS": asked.refresh_ttl,
        },
        # The real one takes a third of a second for each login.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        REST_AUTH={
            "USE_JWT": asked.flavour == "dj-rest-auth-jwt",
            "JWT_AUTH_COOKIE": "access",
            "JWT_AUTH_REFRESH_COOKIE": "refresh",
            "JWT_AUTH_HTTPONLY": not asked.refresh_in_body,
        },
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [authentication(asked.flavour)],
            "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"] if asked.throttle else [],
            "DEFAULT_THROTTLE_RATES": {"anon": f"{asked.throttle}/minute", "dj_rest_auth": None},
        },
        ROOT_URLCONF=__name__,
        SECRET_KEY=secrets.token_hex(32),
        SIMPLE_JWT={
            "ACCESS_TOKEN_LIFETIME": access,
            "REFRESH_TOKEN_LIFETIME": refresh,
            "ROTATE_REFRESH_TOKENS": asked.rotate,
            "BLACKLIST_AFTER_ROTATION": asked.rotate,
        },
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        USE_TZ=True,
    )


def authentication(flavour):
    return {
        "simplejwt": "rest_framework_simplejwt.authentication.JWTAuthentication",
        "dj-rest-auth": "rest_framework.authentication.TokenAuthentication",
        "dj-rest-auth-jwt": "dj_rest_auth.jwt_auth.JWTCookieAuthentication",
        "oauth-toolkit": "oauth2_provider.contrib.rest_framework.OAuth2Authentication",
    }[flavour]


def routes(asked):
    from django.urls import path

    at = (asked.at or FLAVOURS[asked.flavour]).strip("/")
    mounts = {
        "simplejwt": simplejwt,
        "dj-rest-auth": dj_rest_auth,
        "dj-rest-auth-jwt": dj_rest_auth,
        "oauth-toolkit": oauth_toolkit,
    }
    control = [path("__control/requests", requests), path("api/me/", me())]
    return control + mounts[asked.flavour](at, asked)


def simplejwt(at, _):
    from django.urls import path
    from rest_framework_simplejwt import views

    found = []
    for place in ("api/token", at):
        found += [
            path(f"{place}/", views.TokenObtainPairView.as_view()),
            path(f"{place}/refresh/", views.TokenRefreshView.as_view()),
            path(f"{place}/verify/", views.TokenVerifyView.as_view()),
            path(f"{place}/blacklist/", views.TokenBlacklistView.as_view()),
        ]
    return found


def dj_rest_auth(at, _):
    from django.urls import include, path

    return [path(it, include("dj_rest_auth.urls")) for it in (prefix(at, "login"), "dj-rest-auth/")]


def oauth_toolkit(at, asked):
    from django.urls import include, path
    from oauth2_provider import urls

    root = [path("", include((urls.metadata_urlpatterns, "root")))] if asked.metadata else []
    return [path("o/", include(urls)), path(prefix(at, "token"), include(urls, namespace="again")), *root]


def prefix(at, last):
    """The package brings the last part itself."""
    folder, _, name = at.rpartition("/")
    if name != last:
        sys.exit(f"--at: this flavour's login is called `{last}`")
    return f"{folder}/"


def me():
    """Who the caller is: for a token of a client alone, the client."""
    from rest_framework.permissions import BasePermission
    from rest_framework.response import Response
    from rest_framework.views import APIView

    class HasToken(BasePermission):
        def has_permission(self, request, _):
            return bool(request.auth)

    class Me(APIView):
        permission_classes = [HasToken]

        def get(self, request):
            client = getattr(request.auth, "application", None)
            name = request.user.get_username() if request.user else None
            return Response({"username": name, "client": client and client.client_id})

    return Me.as_view()


class Recorder:
    """Notes what was asked and how it was answered, for `/__control/requests`; no bodies."""

    seen = []

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, request):
        response = self.answer(request)
        if not request.path.startswith("/__control/"):
            kind = request.content_type
            noted = {"method": request.method, "path": request.path, "type": kind, "status": response.status_code}
            self.seen.append(noted)
        return response


def requests(_):
    from django.http import JsonResponse

    return JsonResponse(Recorder.seen, safe=False)


def populate():
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", run_syncdb=True, verbosity=0)
    get_user_model().objects.create_user(**USER)
    for client, (secret, grant) in CLIENTS.items():
        Application.objects.create(
            name=client,
            client_id=client,
            client_secret=secret,
            client_type="confidential",
            authorization_grant_type=grant,
        )


def serve(asked):
    import django
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    global urlpatterns
    django.setup()
    # Django looks for this name; the views behind it can be imported only now.
    urlpatterns = routes(asked)
    populate()
    server = ThreadedWSGIServer(("127.0.0.1", asked.port), WSGIRequestHandler)
    server.set_app(WSGIHandler())

    def stop(*_):
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if asked.until_stdin_ends:
        # Whoever started us is gone, however it ended.
        threading.Thread(target=lambda: (sys.stdin.read(), stop()), daemon=True).start()
    print(f"ready http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    asked = options()
    with tempfile.TemporaryDirectory(prefix="keepfresh-django-") as folder:
        configure(asked, folder)
        serve(asked)
