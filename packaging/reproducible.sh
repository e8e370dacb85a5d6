#!/usr/bin/env bash
# Builds the tracked and new files twice, in two folders of different names and depth, and compares every file built: the same sources
# give the same bytes, so that whoever has a build can say which sources it is from. Prints one digest of all of them.
#   packaging/reproducible.sh       needs npm ci first; exit code 1 when a file differs
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/dist/reproducible-$$
trap 'rm -rf "$work"' EXIT
built() {
  mkdir -p "$1"
  git ls-files --cached --others --exclude-standard src simulators bench clients lambda packaging package.json package-lock.json tsconfig.json | sort -u | while read -r file; do [ ! -e "$file" ] || echo "$file"; done | tar -cf - -T - | tar -xf - -C "$1"
  cp -al node_modules "$1/node_modules"
  (
    cd "$1"
    TZ=$2 node_modules/.bin/tsc -p tsconfig.json
    TZ=$2 node dist/packaging/bundle.js image
    TZ=$2 LAMBDA_ZIP=$PWD/lambda.zip node dist/lambda/build-zip.js >/dev/null
    find dist image lambda.zip -type f ! -name '.tsbuildinfo*' -print0 | sort -z | xargs -0 sha256sum
  )
}
built "$work/one" UTC >"$work.one"
built "$work/elsewhere/and/deeper" Asia/Kolkata >"$work.two"
trap 'rm -rf "$work" "$work.one" "$work.two"' EXIT
if ! diff "$work.one" "$work.two"; then echo "the builds differ" >&2; exit 1; fi
echo "$(wc -l <"$work.one") files, the same twice: $(sha256sum <"$work.one" | cut -d' ' -f1)"
