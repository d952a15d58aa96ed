#!/usr/bin/env bash
# Runs the suite as the inputs of action.yml say: COMMAND or ADMIN, and OPTIONS. Also for other CI systems.
set -euo pipefail

reports=(--report drachtio-conformance-report)
if [[ -n "${GITHUB_ACTIONS:-}" ]]; then reports+=(--github); fi
eval "options=(${OPTIONS:-})"
if [[ -n "${COMMAND:-}" ]]; then
  eval "command=($COMMAND)"
  exec drachtio-conformance client "${options[@]}" "${reports[@]}" -- "${command[@]}"
elif [[ -n "${ADMIN:-}" ]]; then
  exec drachtio-conformance server --admin "$ADMIN" "${options[@]}" "${reports[@]}"
fi
echo 'expected the input command (client libraries) or admin (servers)' >&2
exit 2
