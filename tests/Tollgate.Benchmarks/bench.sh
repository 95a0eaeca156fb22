#!/usr/bin/env bash
# CPU per call: nginx, a plain YARP and the gateway side by side, with the same upstream and load generator (wrk) in one run. Rounds take turns, so that
# what else happens on the machine hits all alike; what counts is the ratio. The CPU is utime + stime of each proxy's own processes.
#   tests/Tollgate.Benchmarks/bench.sh [quick]
#   ALLOCATED=1 also says how many bytes a call allocates; the gateway's metrics are then on, which costs it some.
#   ROUNDS=5 SECONDS_EACH=3 WARM=12 BODIES="2 1024 102400" TARGETS="yarp/plain tollgate/limit" CONNECTIONS=32   change what is run
set -euo pipefail
cd "$(dirname "$0")/../.."
quick=${1:-}
rounds=${ROUNDS:-$([ "$quick" = quick ] && echo 3 || echo 5)}
seconds=${SECONDS_EACH:-$([ "$quick" = quick ] && echo 1 || echo 3)}
warm=${WARM:-12}
bodies=${BODIES:-$([ "$quick" = quick ] && echo 2 || echo 2 1024 102400)}
targets=${TARGETS:-nginx/plain nginx/limit yarp/plain tollgate/plain tollgate/key tollgate/limit tollgate/jwt tollgate10k/plain}
connections=${CONNECTIONS:-32}
for tool in nginx wrk openssl python3; do command -v $tool >/dev/null || PATH=$PATH:/usr/sbin command -v $tool >/dev/null || { echo "bench.sh needs $tool" >&2; exit 1; }; done
PATH=$PATH:/usr/sbin
work=$(mktemp -d); chmod 755 "$work"   # nginx gives up being root
pids=()
stop() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"; }
trap stop EXIT

if [ -z "${NO_BUILD:-}" ]; then
  dotnet build gateway/Tollgate.Gateway -c Release -v q -nologo >/dev/null
  dotnet build tests/Tollgate.Benchmarks/PlainYarp -c Release -v q -nologo >/dev/null
fi
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
declare -A at=([upstream]=$(port) [nginx]=$(port) [yarp]=$(port) [tollgate]=$(port) [tollgate10k]=$(port) [internal]=$(port))

# The upstream and the proxy are nginx both, each a process tree of its own.
head -c 1024 /dev/zero | tr '\0' x >"$work/1024"
head -c 102400 /dev/zero | tr '\0' x >"$work/102400"
printf ok >"$work/2"
key=bench-key-0123456789abcdef
nginx_conf() {
  cat <<CONF
worker_processes 1; pid $work/$1.pid; error_log $work/$1.error; daemon off;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000; client_body_temp_path $work/$1-b; proxy_temp_path $work/$1-p; fastcgi_temp_path $work/$1-f; uwsgi_temp_path $work/$1-u; scgi_temp_path $work/$1-s;
$2
}
CONF
}
nginx_conf upstream "sendfile on; open_file_cache max=10; server { listen 127.0.0.1:${at[upstream]}; root $work; default_type text/plain; }" >"$work/upstream.conf"
nginx_conf nginx "
  upstream up { server 127.0.0.1:${at[upstream]}; keepalive 64; }
  map \$http_x_api_key \$consumer { default ''; '$key' app; }
  limit_req_zone \$consumer zone=plan:1m rate=1000000r/s;
  server {
    listen 127.0.0.1:${at[nginx]};
    proxy_http_version 1.1; proxy_set_header Connection '';
    location /plain/ { proxy_pass http://up/; }
    location /limit/ { if (\$consumer = '') { return 401; } limit_req zone=plan burst=100000 nodelay; proxy_pass http://up/; }
  }" >"$work/nginx.conf"
nginx -c "$work/upstream.conf" 2>/dev/null & pids+=($!)
nginx -c "$work/nginx.conf" 2>/dev/null & nginx_pid=$!; pids+=($!)

dotnet tests/Tollgate.Benchmarks/PlainYarp/bin/Release/net10.0/PlainYarp.dll --urls "http://127.0.0.1:${at[yarp]}" \
  --ReverseProxy:Routes:all:ClusterId=up "--ReverseProxy:Routes:all:Match:Path=/plain/{**rest}" "--ReverseProxy:Routes:all:Transforms:0:PathPattern=/{**rest}" \
  --ReverseProxy:Clusters:up:Destinations:one:Address="http://127.0.0.1:${at[upstream]}/" >"$work/yarp.log" 2>&1 & yarp_pid=$!; pids+=($!)

secret=a-secret-of-thirty-two-bytes-and-more
b64() { openssl base64 -A | tr '+/' '-_' | tr -d =; }
token=$(printf '{"alg":"HS256","typ":"JWT"}' | b64).$(printf '{"sub":"bench","iss":"bench","aud":"api","exp":%d}' $(( $(date +%s) + 3600 )) | b64)
token=$token.$(printf %s "$token" | openssl dgst -sha256 -hmac "$secret" -binary | b64)
route() { printf '{"UpstreamPathTemplate":"%s","DownstreamPathTemplate":"/{rest}","DownstreamScheme":"http","DownstreamHostAndPorts":[{"Host":"127.0.0.1","Port":%d}]%s}' "$1" "${at[upstream]}" "${2:-}"; }
{
  printf '{"Routes":[%s,\n%s,\n%s,\n%s],\n' "$(route '/plain/{rest}')" "$(route '/key/{rest}' ',"Tollgate":{"Product":"free"}')" \
    "$(route '/limit/{rest}' ',"Tollgate":{"Product":"sold"}')" "$(route '/jwt/{rest}' ',"AuthenticationOptions":{"AuthenticationProviderKey":"Bench"}')"
  printf '"Tollgate":{"Authentication":{"Providers":{"Bench":{"HS256Secret":"%s","Issuer":"bench","Audience":"api"}}}}}\n' "$secret"
} >"$work/ocelot.json"
cat >"$work/consumers.json" <<JSON
{ "plans": [ { "name": "open", "products": [ "free" ] },
             { "name": "gold", "products": [ "sold" ], "limits": [ { "name": "second", "calls": 1000000, "window": "1s" }, { "name": "minute", "calls": 50000000, "window": "60s" } ],
               "quotas": [ { "name": "month", "calls": 1000000000000, "period": "month", "hard": true } ] } ],
  "applications": [ { "name": "bench", "organisation": "bench", "subscriptions": [ { "plan": "open" }, { "plan": "gold" } ], "keys": [ { "key": "$key" } ] } ] }
JSON
{ printf '{"Routes":['; for i in $(seq 9999); do printf '%s,\n' "$(route "/service$i/v1/things/{rest}")"; done; printf '%s]}' "$(route '/plain/{rest}')"; } >"$work/ocelot10k.json"
gateway=gateway/Tollgate.Gateway/bin/Release/net10.0/Tollgate.Gateway.dll
dotnet $gateway --config "$work/ocelot.json" --consumers "$work/consumers.json" --data "$work/data" --urls "http://127.0.0.1:${at[tollgate]}" ${ALLOCATED:+--internal "http://127.0.0.1:${at[internal]}"} >"$work/tollgate.log" 2>&1 & tollgate_pid=$!; pids+=($!)
tollgate10k_pid=
if [[ $targets = *10k* ]]; then
  dotnet $gateway --config "$work/ocelot10k.json" --urls "http://127.0.0.1:${at[tollgate10k]}" >"$work/tollgate10k.log" 2>&1 & tollgate10k_pid=$!; pids+=($!)
fi

call() { wrk -t1 -c"$connections" -d"$3s" -H "X-Api-Key: $key" ${4:+-H "$4"} "http://127.0.0.1:${at[${1%/*}]}/${1#*/}/$2"; }
authorization() { [ "${1#*/}" = jwt ] && printf 'Authorization: Bearer %s' "$token" || true; }
answers() { [ "$(curl -s -o /dev/null -w '%{http_code}' -H "X-Api-Key: $key" -H "$(authorization "$1"; [ "${1#*/}" = jwt ] || printf 'X-None: 1')" "http://127.0.0.1:${at[${1%/*}]}/${1#*/}/2")" = 200 ]; }
for target in $targets; do
  for try in $(seq 200); do answers "$target" && break; [ "$try" -lt 200 ] || { echo "$target does not answer 200" >&2; cat "$work"/*.log >&2; exit 1; }; sleep 0.05; done
done

# Warm: each proxy for as long, all at once; the shapes of one proxy share it.
declare -A shapes=()
for target in $targets; do shapes[${target%/*}]="${shapes[${target%/*}]:-} $target"; done
warmers=()
for proxy in "${!shapes[@]}"; do
  set -- ${shapes[$proxy]}
  for target in "$@"; do call "$target" 2 "$warm" "$(authorization "$target")" >/dev/null & warmers+=($!); done
done
wait "${warmers[@]}"

ticks=$(getconf CLK_TCK)
cpu() {
  local pid=${1%/*}_pid; pid=${!pid}
  for each in $pid $(pgrep -P "$pid" || true); do cat "/proc/$each/stat"; done | sed 's/^.*) //' | awk -v ticks="$ticks" '{ used += $12 + $13 } END { printf "%.0f", used * 1000000 / ticks }'
}
for round in $(seq "$rounds"); do
  for body in $bodies; do
    for target in $targets; do
      before=$(cpu "$target")
      said=$(call "$target" "$body" "$seconds" "$(authorization "$target")")
      after=$(cpu "$target")
      calls=$(awk '/requests in/ { print $1 }' <<<"$said")
      failed=$(awk '/Non-2xx/ { print $NF } /Socket errors/ { gsub(",", ""); print $4 + $6 + $8 + $10 }' <<<"$said" | awk '{ n += $1 } END { print n + 0 }')
      echo "$body $target $(( after - before )) $calls $failed $seconds"
    done
  done
done >"$work/rounds"

echo "$(date -u +%F) $(nproc) cores, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), load average $(cut -d' ' -f1 /proc/loadavg); $rounds rounds of $seconds s, $connections connections"
python3 - "$work/rounds" <<'PY'
import sys, statistics
rounds = {}
for line in open(sys.argv[1]):
    body, target, cpu, calls, failed, seconds = line.split()
    rounds.setdefault((int(body), target), []).append((int(cpu) / max(1, int(calls)), int(calls) / float(seconds), int(failed)))
print(f"{'body':>7}  {'target':<18} {'µs/call':>8} {'spread':>13} {'x YARP':>7} {'calls/s':>8}")
for (body, target), seen in rounds.items():
    costs = [cost for cost, _, _ in seen]
    yarp = rounds.get((body, "yarp/plain"))
    ratios = [mine[0] / theirs[0] for mine, theirs in zip(seen, yarp)] if yarp else []
    failed = sum(failed for _, _, failed in seen)
    print(f"{body:>7}  {target:<18} {statistics.median(costs):>8.1f} {min(costs):>6.1f}–{max(costs):<6.1f} {statistics.median(ratios) if ratios else 0:>6.2f} {statistics.median(rate for _, rate, _ in seen):>8.0f}" + (f"  {failed} FAILED" if failed else ""))
PY

if [ -n "${ALLOCATED:-}" ]; then
  echo "bytes allocated a call (2-byte body)"
  allocated() { local door=${1%/*}; [ "$door" = tollgate ] && door=internal; curl -s "http://127.0.0.1:${at[$door]}/metrics" | awk '/^dotnet_gc_heap_total_allocated/ { sum += $NF } END { printf "%.0f", sum }'; }
  for target in $targets; do
    [[ $target = yarp/* || $target = tollgate/* ]] || continue
    before=$(allocated "$target")
    calls=$(call "$target" 2 1 "$(authorization "$target")" | awk '/requests in/ { print $1 }')
    echo "  $target $(( ($(allocated "$target") - before) / calls ))"
  done
fi
