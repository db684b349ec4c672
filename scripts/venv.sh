#!/bin/sh
# Makes a virtual environment with the first Python on this machine that is new enough.
#
#     scripts/venv.sh FOLDER
#
# PYTHON=/path/to/python names one to use instead.
set -eu

folder=$1
here=$(dirname "$0")

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        if new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

if ! python=$(find_python); then
    cat >&2 <<'TEXT'
Chatsubo needs Python 3.11 or later, and none was found.
    Debian, Ubuntu:  apt-get install python3 python3-venv
    Fedora:          dnf install python3
    elsewhere:       see python.org; then  make PYTHON=/path/to/python3 ...
TEXT
    exit 1
fi

if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    exec "$here/quietly.sh" "Making a virtual environment in $folder with $python" "$python" -m venv --clear "$folder"
fi

# Debian ships Python without ensurepip; a pip on the machine can fill the environment just as well.
if "$python" -c 'import pip, venv' >/dev/null 2>&1; then
    "$here/quietly.sh" "Making a virtual environment in $folder with $python" \
        "$python" -m venv --clear --without-pip "$folder"
    exec "$here/quietly.sh" "Putting pip into $folder" "$python" -m pip --python "$folder/bin/python" install pip
fi

echo "$python cannot make virtual environments.  Debian, Ubuntu:  apt-get install python3-venv" >&2
exit 1
