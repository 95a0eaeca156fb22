#!/usr/bin/env bash
# Sets up what the tests need, builds, and runs them all. The last line counts them: N passed, N failed, N skipped.
#   ./test.sh                 everything
#   ./test.sh Unit            one suite: Unit, Functional or E2E
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
configuration=Release
suites=(${1:-Unit Functional E2E})

have_postgres() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
have_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }

missing=()
have_postgres || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
have_chromium || missing+=(chromium fonts-dejavu-core)
command -v setpriv >/dev/null || missing+=(util-linux)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing ${missing[*]}"
    log=$(mktemp)
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
      tail -n 20 "$log" >&2
      echo "Could not install ${missing[*]}." >&2
      exit 1
    fi
  else
    echo "The tests start real servers and a real browser. Please install: ${missing[*]}" >&2
    echo "(on Debian or Ubuntu: sudo apt-get install ${missing[*]})" >&2
    exit 1
  fi
fi

# Certified OAuth clients that the functional tests run, and the accessibility rules that the browser's do, at the versions that the lock file pins.
if [[ " ${suites[*]} " == *" Functional "* || " ${suites[*]} " == *" E2E "* ]] && ! npm ci --prefix tests/ClientLibraries --no-audit --no-fund --silent; then
  echo "The client libraries in tests/ClientLibraries could not be installed: npm must reach its registry." >&2
  exit 1
fi

# The JSON Schema project's own tests, which the unit tests hold the validator against: the data alone of a Debian package.
fetch_schema_suite() {
  local to=artifacts/json-schema-suite from
  export TOLLGATE_SCHEMA_SUITE="$PWD/$to/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests"
  [ -d "$TOLLGATE_SCHEMA_SUITE" ] && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  from=$(mktemp -d)
  chmod 755 "$from"
  local get=(apt-get download -qq -o Acquire::Retries=3 libtest-json-schema-acceptance-perl)
  (cd "$from" && { "${get[@]}" || { apt-get update -qq && "${get[@]}"; }; }) >"$from/log" 2>&1 && mkdir -p "$to" && dpkg-deb -x "$from"/*.deb "$to"
  local status=$?
  rm -rf "$from"
  return $status
}
if [[ " ${suites[*]} " == *" Unit "* ]] && [ -z "${TOLLGATE_SCHEMA_SUITE:-}" ] && ! fetch_schema_suite; then
  echo "The tests of the JSON Schema project could not be fetched. Please name the folder 'tests' of a copy of them in TOLLGATE_SCHEMA_SUITE." >&2
  exit 1
fi

dotnet build Gateway.sln -c $configuration -v q || exit 1

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
status=0
for suite in "${suites[@]}"; do
  dotnet test "tests/Tollgate.${suite}Tests" -c $configuration --no-build \
    --logger "console;verbosity=minimal" --logger "trx;LogFileName=$suite.trx" --results-directory "$results" || status=1
  [ -f "$results/$suite.trx" ] || { echo "The $suite tests did not run." >&2; status=1; }
done

# The counters of each suite's result file: <Counters total="…" executed="…" passed="…" failed="…" … notExecuted="…" />
sum() { cat "$results"/*.trx 2>/dev/null | grep -o '<Counters [^>]*' | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ n += $1 } END { print n + 0 }'; }
total=$(sum total) passed=$(sum passed)
failed=$(( $(sum failed) + $(sum error) + $(sum timeout) + $(sum aborted) ))
skipped=$(( total - passed - failed ))
[ "$total" -gt 0 ] || status=1
if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
echo "$passed passed, $failed failed, $skipped skipped"
exit $status
