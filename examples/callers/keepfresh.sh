#!/usr/bin/env bash
# curl with a token that Keepfresh keeps fresh: keepfresh.sh CONNECTION CURL-ARGUMENTS...
# A 401 is reported once, and the call repeated with another token. When nothing is fresh, it says why and exits with 1.
set -euo pipefail
base="${KEEPFRESH_URL:-http://127.0.0.1:7420}/api/v1/connections/${1//\//\~}"
shift

# Keys and tokens go to curl by a file descriptor, never by its arguments, which other users can see.
ask() { curl -sS -K <(printf 'header = "Authorization: Bearer %s"\n' "$KEEPFRESH_KEY") "$@"; }
member() { python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$1"; }

token_of() {
    local token
    token=$(member token <<<"$1")
    [ -n "$token" ] || { echo "$(member code <<<"$1"): $(member detail <<<"$1")" >&2; exit 1; }
    printf 'header = "Authorization: %s %s"\n' "$(member token_type <<<"$1")" "$token"
}

body=$(mktemp)
trap 'rm -f "$body"' EXIT
answer=$(ask "$base/token?min_ttl=60")
header=$(token_of "$answer")
status=$(curl -sS -o "$body" -w '%{http_code}' -K <(echo "$header") "$@")
if [ "$status" = 401 ]; then
    answer=$(ask -H 'Content-Type: application/json' -d "{\"generation\":$(member generation <<<"$answer")}" "$base/rejected")
    header=$(token_of "$answer")
    status=$(curl -sS -o "$body" -w '%{http_code}' -K <(echo "$header") "$@")
fi
cat "$body"
[ "$status" -lt 400 ]
