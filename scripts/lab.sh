#!/bin/sh
# Installs what the tests against real servers need, on Debian or Ubuntu, as root. A second run does nothing.
#
# Nothing is configured and nothing that runs already is touched: the tests start servers of their own, in network
# namespaces of their own, and stop them.
set -eu

packages="
    bubblewrap
    busybox-static
    chromium
    docker.io
    fonts-liberation
    iproute2
    iputils-ping
    netavark
    netcat-openbsd
    nftables
    openssh-client
    openvpn
    podman
    postgresql
    wireguard-go
    wireguard-tools
"

installed() {
    dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

if ! command -v apt-get >/dev/null; then
    echo "make lab knows Debian and Ubuntu only. Elsewhere install the like of:" $packages >&2
    exit 1
fi

missing=
for package in $packages; do
    installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "==> The lab is there: every package is installed." >&2
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "make lab installs packages and needs root (sudo make lab). Missing:$missing" >&2
    exit 1
fi

quietly=$(dirname "$0")/quietly.sh
export DEBIAN_FRONTEND=noninteractive
"$quietly" "Asking for the list of Debian packages" apt-get update
# shellcheck disable=SC2086 # a list of words
"$quietly" "Installing$missing" apt-get install -y --no-install-recommends $missing
