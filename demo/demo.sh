#!/usr/bin/env bash
# The main job in a minute: two providers on this machine, one with tokens that live 15 seconds.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
bin="$here/../target/debug"
home="$(mktemp -d -t keepfresh-demo-XXXXXX)"
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$home"
}
trap cleanup EXIT

step() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
show() { printf '\033[2m$ keepfresh %s\033[0m\n' "$*"; "$bin/keepfresh" "$@" || true; }

# Starts a fake provider on a free port and leaves its address in $address.
start() {
    "$bin/fake-provider" "$@" >"$home/$1.out" 2>&1 &
    pids+=($!)
    for _ in $(seq 100); do
        address="$(sed -n 's|^listening on http://||p' "$home/$1.out")"
        [ -n "$address" ] && return
        sleep 0.05
    done
    echo "the fake $1 did not start: $(cat "$home/$1.out")" >&2
    exit 1
}

export ESKIZ_EMAIL=demo@example.uz ESKIZ_PASSWORD=demo-password
export JIBIT_API_KEY=demo-key JIBIT_SECRET_KEY=demo-secret

step "Two providers on this machine: Eskiz with tokens that live 30 days, Jibit with rotating tokens that live 15 seconds"
start eskiz --email "$ESKIZ_EMAIL" --password "$ESKIZ_PASSWORD"; eskiz="$address"
start jibit --lifetime 15 --class strict --api-key "$JIBIT_API_KEY" --secret-key "$JIBIT_SECRET_KEY"; jibit="$address"
echo "eskiz at $eskiz, jibit at $jibit"

mkdir "$home/plugins"
cp "$here"/../target/plugins/{eskiz,jibit}.wasm "$home/plugins/"
sed -e "s/127.0.0.1:ESKIZ_PORT/$eskiz/" -e "s/127.0.0.1:JIBIT_PORT/$jibit/" "$here/keepfresh.toml" >"$home/keepfresh.toml"
cd "$home"

step "Create a key, and check the manifest and the plugins"
show init
show check

step "Before: nothing has been refreshed yet"
show status

step "Refresh everything: each plugin logs in from its sandbox"
show refresh --all

step "After"
show status

step "Again: a fresh token is not refreshed, and the output says why"
show refresh eskiz

step "Run the daemon: Jibit's token lives 15 seconds, and is refreshed before it expires"
"$bin/keepfresh" serve >"$home/serve.log" 2>&1 &
daemon=$!
pids+=("$daemon")
for _ in 1 2 3; do
    sleep 7
    show status jibit
done
show log --provider jibit --limit 4

step "Get a token for a script that is valid for at least 2 more seconds"
show token get jibit --min-ttl 2s | cut -c1-60
kill "$daemon"
wait "$daemon" && echo "the daemon has stopped cleanly"

step "Next steps"
cat <<'TEXT'
  target/debug/keepfresh init                  start with a manifest of your own
  target/debug/keepfresh plugin inspect target/plugins/eskiz.wasm
  README.md                                      a first real provider in five minutes
TEXT
