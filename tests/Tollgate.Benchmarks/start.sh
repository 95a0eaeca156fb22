#!/usr/bin/env bash
# Reports how long the all-in-one takes from process start to the first proxied 200, and how much memory it holds when idle.
# Builds first; prints one line a run. A report, not a test: these figures belong to the machine.
#   tests/Tollgate.Benchmarks/start.sh [runs, default 5]
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-5}
dotnet build host/Tollgate.Host -c Release -v q -nologo >/dev/null
data=$(mktemp -d)
process=
stop() { [ -z "$process" ] || kill "$process" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$data"; }
trap stop EXIT
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || shuf -i 20000-40000 -n 1; }
gateway=$(port) portal=$(port) internal=$(port)

for run in $(seq 0 "$runs"); do
  started=$(date +%s%N)
  dotnet host/Tollgate.Host/bin/Release/net10.0/Tollgate.Host.dll --Data "$data" \
    --Listen:Gateway "http://127.0.0.1:$gateway" --Listen:Portal "http://127.0.0.1:$portal" --Listen:Internal "http://127.0.0.1:$internal" >"$data/out" 2>&1 &
  process=$!
  if [ "$run" = 0 ]; then
    # The first start makes the database and the demo's key; it is not counted.
    until grep -q 'X-Api-Key' "$data/out"; do kill -0 $process; sleep 0.05; done
    echo "first start (makes the databases): $(( ($(date +%s%N) - started) / 1000000 )) ms until the curl line is printed"
  else
    until [ "$(curl -s -o /dev/null -w '%{http_code}' -H "X-Api-Key: $(cat "$data/demo-key")" "http://127.0.0.1:$gateway/weather/v1/current?city=berlin")" = 200 ]; do sleep 0.02; done
    first=$(( ($(date +%s%N) - started) / 1000000 ))
    sleep 15
    echo "run $run: first proxied 200 after $first ms; idle after 15 s: $(awk '/^Pss:/ { printf "%.0f", $2 / 1024 }' /proc/$process/smaps_rollup) MiB PSS"
  fi
  kill $process
  wait $process || true
  process=
done
