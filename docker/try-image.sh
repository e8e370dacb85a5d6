#!/usr/bin/env bash
# Runs the built image read-only, without capabilities and as nobody, asks it, and says what it measured.
#   docker/try-image.sh FOLDER      the folder that build-without-engine.sh was given
set -euo pipefail
cd "$(dirname "$0")/.."
work=$1
engine=(podman --root "$work/store" --runroot "$work/run" --storage-driver vfs --runtime runc --cgroup-manager cgroupfs)
configuration=$(mktemp -d)
trap '[ -z "${container:-}" ] || "${engine[@]}" rm --force --time 0 "$container" >/dev/null; rm -r "$configuration"' EXIT
chmod 755 "$configuration"
free() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }
port=$(free); management=$(free)
cat >"$configuration/freebusy.yaml" <<END
listen: { port: $port }
management: { port: $management }
callers: [{ name: client, usernames: [client@corp.example], passwordHash: 'env:CALLER_HASH' }]
backends: { exchange: { type: ews, url: 'https://127.0.0.1:1/EWS/Exchange.asmx', username: svc, password: 'env:BACKEND_PASSWORD' } }
addressSpaces: [{ domain: corp.example, backend: exchange }]
END
# No systemd here that could run health checks on time; the command itself is tried below.
options=(--no-healthcheck --network host --read-only --read-only-tmpfs=false --cap-drop ALL --security-opt no-new-privileges --ulimit nofile=4096:4096 --ulimit nproc=2048:2048)
hash=$(printf demo | "${engine[@]}" run --rm -i "${options[@]}" localhost/freebusy-gateway hash-password)
run=(run --detach "${options[@]}" --volume "$configuration:/etc/freebusy:ro" --env "CALLER_HASH=$hash" --env BACKEND_PASSWORD=none localhost/freebusy-gateway)

bytes() { "${engine[@]}" image inspect "$1" --format '{{.Size}}'; }
echo "size: $(($(bytes localhost/freebusy-gateway) / 1000000)) MB, of it the base $(($(bytes localhost/freebusy-base) / 1000000)) MB"
for try in 1 2 3; do
  [ -z "${container:-}" ] || "${engine[@]}" rm --force --time 0 "$container" >/dev/null
  # From just before the container is made: engine, file system and process included.
  container=$("${engine[@]}" create "${run[@]:2}")
  begun=$(date +%s%N)
  "${engine[@]}" start "$container" >/dev/null
  until curl -so "$configuration/answer" -w '%{http_code}' -u client@corp.example:demo "http://127.0.0.1:$port/v1/availability?mailbox=alice@corp.example&from=2026-07-01&to=2026-07-02" >"$configuration/status" 2>/dev/null; do
    sleep 0.02
    [ $((($(date +%s%N) - begun) / 1000000000)) -lt 30 ] || { "${engine[@]}" logs "$container" >&2; exit 1; }
  done
  echo "start to first answer: $((($(date +%s%N) - begun) / 1000000)) ms (HTTP $(cat "$configuration/status"), $(head -c 150 "$configuration/answer")…)"
done
sleep 5
process=$("${engine[@]}" inspect --format '{{.State.Pid}}' "$container")
echo "idle memory: $(awk '/^VmRSS/ {printf "%.0f MB", $2 / 1024}' "/proc/$process/status"), as $(awk '/^Uid/ {print "user " $2}' "/proc/$process/status"), capabilities $(awk '/^CapEff/ {print $2}' "/proc/$process/status")"
"${engine[@]}" exec "$container" node /app/freebusy.mjs health --config /etc/freebusy/freebusy.yaml
if "${engine[@]}" exec "$container" node -e 'require("fs").writeFileSync("/app/x", "")' 2>/dev/null; then echo "the file system can be written"; exit 1; else echo "the file system cannot be written"; fi
"${engine[@]}" stop --time 10 "$container" >/dev/null
echo "stopped by SIGTERM with exit code $("${engine[@]}" inspect --format '{{.State.ExitCode}}' "$container")"
