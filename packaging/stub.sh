#!/bin/sh
# xenon: the program and the Deno runtime in one file. Each is unpacked once into a cache, under the
# name of its SHA-256, and then started from there. XENON_HOME chooses another cache.
program_sum=@PROGRAM_SUM@ program_size=@PROGRAM_SIZE@
runtime_sum=@RUNTIME_SUM@ runtime_size=@RUNTIME_SIZE@
# Small heaps keep an agent beside a database small. One set of flags for every command, because
# each set has a code cache of its own.
v8_flags=--max-old-space-size=96,--max-semi-space-size=1

die() {
  echo "xenon: $*" >&2
  exit 126
}

case $0 in
  */*) self=$0 ;;
  # Started as `sh xenon` or through PATH.
  *) if [ -f "$0" ]; then self=./$0; else self=$(command -v -- "$0"); fi ;;
esac
self=$(readlink -f -- "$self") && [ -r "$self" ] || die "Cannot read its own file \"$0\""

cache=${XENON_HOME:-${CACHE_DIRECTORY:-}}
if [ -z "$cache" ]; then
  if [ "$(id -u)" = 0 ]; then
    cache=/var/cache/xenon
  else
    cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/xenon
  fi
fi
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
program=$cache/xenon-$program_sum.js
runtime=$cache/deno-$runtime_sum

# unpack TARGET SUM MODE SKIP SIZE: SIZE bytes that stand SKIP bytes before the end of this file.
# Written beside the target and renamed, so that whoever starts at the same moment sees all or nothing.
unpack() {
  fresh=$(mktemp "$cache/.new.XXXXXX") || die "Cannot write into \"$cache\": set XENON_HOME"
  tail -c "$(($4 + $5))" -- "$self" | head -c "$5" | gzip -dc >"$fresh" 2>/dev/null
  found=$(sha256sum <"$fresh" | cut -d ' ' -f 1)
  if [ "$found" != "$2" ]; then
    rm -f "$fresh"
    die "Cannot unpack \"$self\" into \"$cache\" as the file is damaged or the disk is full"
  fi
  chmod "$3" "$fresh" && mv -f "$fresh" "$1" || die "Cannot write \"$1\""
}

if [ ! -s "$program" ] || [ ! -x "$runtime" ]; then
  umask 022
  mkdir -p "$cache" 2>/dev/null ||
    die "Cannot create \"$cache\": set XENON_HOME to a folder that may be written and executed"
  fresh=
  trap 'rm -f "$fresh"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # A start that was killed while it unpacked leaves its file behind; nobody unpacks for an hour.
  find "$cache" -maxdepth 1 -type f -name '.new.*' -mmin +60 -exec rm -f {} + 2>/dev/null
  [ -x "$runtime" ] || unpack "$runtime" "$runtime_sum" 755 0 "$runtime_size"
  [ -s "$program" ] || unpack "$program" "$program_sum" 644 "$runtime_size" "$program_size"
  trap - EXIT HUP INT TERM
  "$runtime" --version >/dev/null 2>&1 ||
    die "Cannot execute \"$runtime\" (noexec mount, or another kind of CPU): set XENON_HOME"
fi

export XENON_SELF="$self" DENO_DIR="$cache/code-$(id -u)"
export DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
unset RUST_BACKTRACE
exec "$runtime" run --quiet --no-config --no-lock --no-remote --no-npm --cached-only \
  --v8-flags=$v8_flags -A "$program" "$@"
# Whatever follows is not for the shell.
exit 126
