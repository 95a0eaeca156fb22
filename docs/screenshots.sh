#!/usr/bin/env bash
# Makes the pictures of README.md anew, by walking through the product in a real browser.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build Gateway.sln -c Release -v q -nologo
TOLLGATE_SCREENSHOTS="$PWD/docs/images" dotnet test tests/Tollgate.E2ETests -c Release --no-build --filter "FullyQualifiedName~A_developer|FullyQualifiedName~An_admin"
