#!/usr/bin/env bash
# Adds a migration to both sets of a module: deploy/add-migration.sh identity Give_keys_an_expiry
set -euo pipefail
cd "$(dirname "$0")/.."
module=${1:?module: identity, billing or publishing}; name=${2:?a name that says why}
case $module in identity) pascal=Identity ;; billing) pascal=Billing ;; publishing) pascal=Publishing ;; *) echo "module: identity, billing or publishing" >&2; exit 2 ;; esac
dotnet tool restore >/dev/null
dotnet restore deploy/DesignTime -v q
for shape in Sqlite Postgres; do
  dotnet ef migrations add "$name" --project "$module/Tollgate.$pascal" --startup-project deploy/DesignTime \
    --context "$shape${pascal}Db" --output-dir "Storage/Migrations/$shape"
done
