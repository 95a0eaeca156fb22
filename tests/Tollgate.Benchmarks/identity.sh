#!/usr/bin/env bash
# Throughput of the identity service: client_credentials, refresh and introspection, with wrk on the same machine (it takes its share of the cores).
# Needs a Release build of the host, wrk, node, and `npm ci --prefix tests/ClientLibraries`.
#   tests/Tollgate.Benchmarks/identity.sh [seconds] [postgres connection string]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-10} postgres=${2:-} connections=16
host=host/Tollgate.Host/bin/Release/net10.0/Tollgate.Host.dll
[ -f "$host" ] || { echo "Build first: dotnet build -c Release host/Tollgate.Host" >&2; exit 1; }
folder=$(mktemp -d); pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; wait 2>/dev/null; rm -rf "$folder"' EXIT
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
url=http://127.0.0.1:$port

cat >"$folder/boot.json" <<'JSON'
{ "users": [{ "email": "ada@example.com", "password": "plum orbit velvet canoe", "confirmed": true }],
  "scopes": [{ "name": "read", "audience": "https://api.example" }],
  "clients": [
    { "clientId": "worker", "secret": "worker-secret", "grants": ["client_credentials"], "scopes": ["read"] },
    { "clientId": "elliptic", "secret": "elliptic-secret", "grants": ["client_credentials"], "scopes": ["read"], "signingAlgorithm": "ES256" },
    { "clientId": "api", "secret": "api-secret", "grants": [], "scopes": ["read"], "introspect": true },
    { "clientId": "web", "secret": "web-secret", "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "offline_access", "read"], "redirectUris": ["http://127.0.0.1:9/cb"] } ] }
JSON
dotnet "$host" --roles identity --urls "$url" --Data "$folder/data" --Identity:Issuer "$url" --Identity:Bootstrap "$folder/boot.json" \
  --Identity:TokenLimits:RequestsPerClientPerMinute 100000000 ${postgres:+--ConnectionStrings:Postgres "$postgres"} >"$folder/host.log" 2>&1 &
pid=$!
for _ in $(seq 120); do grep -q 'Tollgate is up' "$folder/host.log" && break; sleep 0.5; done

cat >"$folder/tokens.mjs" <<JS
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { Browser } from '$PWD/tests/ClientLibraries/browser.mjs'
const person = new Browser({ email: 'ada@example.com', password: 'plum orbit velvet canoe' })
const post = async (path, id, body) => (await fetch('$url' + path, { method: 'POST', headers: { authorization: 'Basic ' + Buffer.from(id).toString('base64') }, body: new URLSearchParams(body) })).json()
const all = []
for (let i = 0; i < $connections; i++) {
  const verifier = randomBytes(32).toString('base64url')
  const ask = new URLSearchParams({ client_id: 'web', response_type: 'code', redirect_uri: 'http://127.0.0.1:9/cb', scope: 'openid offline_access read', code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' })
  const { url } = await person.walk('$url/connect/authorize?' + ask, 'http://127.0.0.1:9/cb')
  all.push(await post('/connect/token', 'web:web-secret', { grant_type: 'authorization_code', code: url.searchParams.get('code'), redirect_uri: 'http://127.0.0.1:9/cb', code_verifier: verifier }))
}
writeFileSync('$folder/refresh.txt', all.map((t) => t.refresh_token).join('\n') + '\n')
writeFileSync('$folder/person.txt', all[0].access_token)
writeFileSync('$folder/machine.txt', (await post('/connect/token', 'worker:worker-secret', { grant_type: 'client_credentials' })).access_token)
JS
node "$folder/tokens.mjs"

lua() { # name, client:secret, body
  cat >"$folder/$1.lua" <<LUA
wrk.method, wrk.body = "POST", "$3"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["Authorization"] = "Basic $(printf %s "$2" | base64 -w0)"
LUA
}
lua credentials worker:worker-secret 'grant_type=client_credentials'
lua elliptic elliptic:elliptic-secret 'grant_type=client_credentials'
lua machine api:api-secret "token=$(cat "$folder/machine.txt")"
lua person api:api-secret "token=$(cat "$folder/person.txt")"
lua refresh web:web-secret ''
cat >>"$folder/refresh.lua" <<LUA
-- Each thread has one connection and one token, which every answer replaces.
local tokens, next = {}, 0
for line in io.lines("$folder/refresh.txt") do tokens[#tokens + 1] = line end
function setup(thread) next = next + 1; thread:set("token", tokens[next]) end
function request() return wrk.format(nil, "/connect/token", nil, "grant_type=refresh_token&refresh_token=" .. token) end
function response(status, headers, body) token = body:match('"refresh_token":"([^"]+)"') or token end
LUA

run() { # label, path, script, threads
  local before after taken
  before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
  wrk -t"$4" -c"$connections" -d"${seconds}s" --latency -s "$folder/$3.lua" "$url$2" >"$folder/wrk.txt"
  after=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
  taken=$(awk '/requests in/ { print $1 }' "$folder/wrk.txt")
  printf '%-34s %8s/s   p50 %-9s p99 %-9s not 2xx: %-6s server CPU %s us each\n' "$1" "$(awk '/Requests\/sec/ { print int($2) }' "$folder/wrk.txt")" \
    "$(awk '$1 == "50%" { print $2 }' "$folder/wrk.txt")" "$(awk '$1 == "99%" { print $2 }' "$folder/wrk.txt")" \
    "$(awk '/Non-2xx/ { n = $NF } END { print n + 0 }' "$folder/wrk.txt")" "$(( (after - before) * 10000 / (taken > 0 ? taken : 1) ))"
}
run 'warm-up' /connect/token credentials 2
run 'client_credentials, RS256' /connect/token credentials 2
run 'client_credentials, ES256' /connect/token elliptic 2
run "introspection, a program's token" /connect/introspect machine 2
run "introspection, a person's token" /connect/introspect person 2
run 'refresh' /connect/token refresh "$connections"
