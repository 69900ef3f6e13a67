#!/bin/sh
# Builds usher/static/dist with the Node.js of this machine, or with the one that comes as a Python package.
set -eu

fits() {
    command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1 &&
        [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge 20 ]
}

fits || uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements/node.txt
fits || { echo "Usher needs Node.js 20 or newer to build its look, and could not install it." >&2; exit 1; }

# What npm ci would install is named by the lock file; its copy is there when all went well.
if ! cmp --quiet package-lock.json node_modules/.usher-lock; then
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.usher-lock
fi
node assets/build.mjs
