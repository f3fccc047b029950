#!/bin/sh
# Finds a MySQL server for the tests and the demo, or brings one, and prints the path of its mysqld.
#
# A server that is already here is preferred: $XENON_MYSQLD, then PATH, then /usr/sbin. Otherwise the
# packages of Debian's unstable release are unpacked (never installed) into the folder .cache/mysql of
# this repository, or into $XENON_MYSQL_CACHE. They come from the archive that this machine already
# uses, are verified with its own Debian keyring, and run through their own loader, so neither root
# nor a matching libc is needed. Progress goes to stderr; the last line of stdout is the path.
set -eu

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${XENON_MYSQL_CACHE:-$repository/.cache/mysql}
packages="mysql-server-core mysql-client-core"
clients="mysql mysqladmin mysqlbinlog mysqldump"
lock_wait_seconds=1800

main() {
  if [ -n "${XENON_MYSQLD:-}" ]; then
    usable "$XENON_MYSQLD" ||
      fail "Cannot use XENON_MYSQLD as a MySQL server of version 8.0 or later is needed:" \
        "current value is \"$XENON_MYSQLD\", which says \"$(version_of "$XENON_MYSQLD")\""
    print_and_exit "$XENON_MYSQLD"
  fi
  installed=$(command -v mysqld || true)
  for candidate in "$installed" /usr/sbin/mysqld "$cache/bin/mysqld"; do
    if usable "$candidate"; then print_and_exit "$candidate"; fi
  done
  check_tools
  mkdir -p "$cache"
  cache=$(CDPATH='' cd -- "$cache" && pwd)
  take_lock
  # Another run may have finished while this one waited.
  if usable "$cache/bin/mysqld"; then print_and_exit "$cache/bin/mysqld"; fi
  download
  unpack
  publish
  print_and_exit "$cache/bin/mysqld"
}

say() { printf 'fetch_mysql: %s\n' "$*" >&2; }

fail() {
  printf 'fetch_mysql: %s\n' "$*" >&2
  exit 1
}

print_and_exit() {
  case $1 in
  /*) printf '%s\n' "$1" ;;
  *) printf '%s\n' "$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")" ;;
  esac
  exit 0
}

version_of() { LC_ALL=C timeout 20 "$1" --version 2>&1 | head -n 1 | cut -c 1-200 || true; }

# True for an executable whose version is 8.0 or later and that is not MariaDB.
usable() {
  [ -n "$1" ] && [ -x "$1" ] && [ ! -d "$1" ] || return 1
  text=$(version_of "$1")
  case $text in *MariaDB*) return 1 ;; esac
  major=$(printf '%s\n' "$text" | sed -n 's/.*Ver \([0-9][0-9]*\)\.[0-9].*/\1/p')
  [ -n "$major" ] && [ "$major" -ge 8 ]
}

check_tools() {
  for tool in apt-get apt-config dpkg dpkg-deb flock; do
    command -v "$tool" >/dev/null 2>&1 ||
      fail "Cannot bring MySQL without $tool: install a MySQL server 8.0 or later" \
        "and set XENON_MYSQLD to its mysqld, or run this on a Debian machine"
  done
  # apt verifies what it brings with one of them.
  command -v gpgv >/dev/null 2>&1 || command -v sqv >/dev/null 2>&1 ||
    fail "Cannot verify MySQL without gpgv: install the package gpgv"
  architecture=$(dpkg --print-architecture)
  case $architecture in
  amd64 | arm64 | ppc64el | riscv64 | s390x) ;;
  *) fail "Cannot bring MySQL for this CPU as Debian has no build for it: install MySQL 8.0 or" \
    "later and set XENON_MYSQLD: current value is \"$architecture\"" ;;
  esac
  keyring=
  for candidate in /usr/share/keyrings/debian-archive-keyring.pgp \
    /usr/share/keyrings/debian-archive-keyring.gpg; do
    [ -r "$candidate" ] && keyring=$candidate
  done
  [ -n "$keyring" ] || fail "Cannot verify Debian's archive as its keyring is missing:" \
    "install the package debian-archive-keyring, or set XENON_MYSQLD"
}

# Two runs at once would unpack into one folder. The kernel drops the lock when the holder dies.
take_lock() {
  exec 9>"$cache/lock" || fail "Cannot write to \"$cache\": choose another folder" \
    "with XENON_MYSQL_CACHE"
  if ! flock -n 9; then
    say "waiting for another run that is fetching MySQL"
    flock -w "$lock_wait_seconds" 9 || fail "Cannot get the lock \"$cache/lock\"" \
      "within $lock_wait_seconds s: another run still holds it"
  fi
}

# Fills download/archives with the packages and everything they depend on. It is kept after an
# interruption, so the next run goes on with what it already has.
download() {
  work=$cache/download
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/parts"
  : >"$work/status"
  write_apt_config
  archives=$(archive_addresses)
  [ -n "$archives" ] || fail "Cannot bring MySQL as this machine's apt sources name no Debian" \
    "archive: add one, or install MySQL 8.0 or later and set XENON_MYSQLD"
  for archive in $archives; do
    printf 'deb [signed-by=%s] %s sid main\n' "$keyring" "$archive" >"$work/sources.list"
    say "reading the package index of Debian unstable"
    if run_apt update; then
      say "downloading MySQL and its libraries (about 70 MB)"
      # shellcheck disable=SC2086 # The list of packages is meant to be split.
      if run_apt install --yes --no-install-recommends --download-only $packages; then return; fi
    fi
  done
  tail -n 5 "$work/apt.log" >&2
  fail "Cannot download MySQL from the archive of this machine's apt sources: check the network," \
    "then run this again, or install MySQL 8.0 or later and set XENON_MYSQLD (log: $work/apt.log)"
}

# The machine's own proxies and time limits are kept, its hooks are not. The stored release file of
# an archive snapshot may be past its date, which is why only its signature is checked.
write_apt_config() (
  # A proxy's address may hold a password.
  umask 077
  {
    apt-config dump 2>/dev/null | grep '^Acquire::' | grep -v '^Acquire::GzipIndexes' || true
    cat <<CONFIG
Dir::Etc::parts "$work/parts";
Dir::Etc::main "/dev/null";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "$work/parts";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$work/parts";
Dir::State::status "$work/status";
Dir::State::lists "$work/lists";
Dir::State::extended_states "$work/extended_states";
Dir::Cache "$work";
Dir::Cache::archives "$work/archives";
Dir::Log "$work";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "$(id -un)";
APT::Install-Suggests "false";
APT::Get::AllowUnauthenticated "false";
CONFIG
  } >"$work/apt.conf"
)

run_apt() { APT_CONFIG="$work/apt.conf" apt-get -qq "$@" >>"$work/apt.log" 2>&1 </dev/null; }

# The addresses that apt itself understands from every kind of source file, best guess first.
archive_addresses() {
  # shellcheck disable=SC2016 # apt-get fills the placeholder, not the shell.
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    grep -E '^[a-z+]+:' | grep -Ev '^cdrom:|security' | awk '!seen[$0]++' | grep -E '/debian/?$' |
    head -n 3
}

unpack() {
  prefix=$cache/prefix.new
  rm -rf "$prefix"
  mkdir -p "$prefix"
  say "unpacking"
  for package in "$work"/archives/*.deb; do
    dpkg-deb --extract "$package" "$prefix" || fail "Cannot unpack \"$package\":" \
      "free some space on this disk (500 MB are needed), remove that file, run this again"
  done
  prune
}

# Only what a server and its clients need at run time stays: the rest is perl, manuals, and tools.
prune() {
  for program in "$prefix"/usr/bin/*; do
    case " $clients " in
    *" $(basename "$program") "*) ;;
    *) rm -rf "$program" ;;
    esac
  done
  for folder in "$prefix"/usr/share/*; do
    case $folder in */mysql) ;; *) rm -rf "$folder" ;; esac
  done
  for folder in "$prefix"/*; do
    case $folder in */usr | */lib | */lib64) ;; *) rm -rf "$folder" ;; esac
  done
  find "$prefix/usr/lib" \( -name gconv -o -name 'perl*' -o -name systemd -o -name '*.a' \) \
    -prune -exec rm -rf {} +
}

# Both steps are one rename each; bin is the last, so bin/mysqld exists only when all is there.
publish() {
  rm -rf "$cache/bin" "$cache/bin.new" "$cache/prefix"
  mkdir -p "$cache/bin.new"
  loader=$(find "$prefix" -name 'ld-linux*.so.*' -o -name 'ld64.so.*' | head -n 1)
  [ -n "$loader" ] || fail "Cannot find the loader among the unpacked files: remove \"$cache\"" \
    "and run this again"
  server=$(cd "$prefix" && find usr -type f -path '*sbin/mysqld' | head -n 1)
  library_path=$(library_folders)
  write_server_wrapper >"$cache/bin.new/mysqld"
  for client in $clients; do write_client_wrapper "$client" >"$cache/bin.new/$client"; done
  chmod 755 "$cache"/bin.new/*
  mv "$prefix" "$cache/prefix"
  mv "$cache/bin.new" "$cache/bin"
  usable "$cache/bin/mysqld" || fail "Cannot run the unpacked server, which says" \
    "\"$(version_of "$cache/bin/mysqld")\": remove \"$cache\" and run this again"
  rm -rf "$cache/download"
  say "ready: $(version_of "$cache/bin/mysqld")"
}

# Every folder with shared libraries, as a list for the loader that begins at $prefix.
library_folders() {
  (cd "$prefix" && find . -name '*.so.*' -printf '%h\n' | sort -u | sed 's|^\./||') |
    sed 's|^|$prefix/|' | paste -s -d :
}

wrapper_head() {
  cat <<HEAD
#!/bin/sh
# Written by packaging/fetch_mysql.sh: runs the unpacked program through its own loader.
prefix=\$(dirname -- "\$(dirname -- "\$(readlink -f -- "\$0")")")/prefix
loader=\$prefix/${loader#"$prefix"/}
libraries=$library_path
export LC_ALL=C
HEAD
}

# mysqld wants --defaults-file before everything else, and a later option wins: so the fixed ones go
# between the two, where a caller can still override them.
write_server_wrapper() {
  wrapper_head
  cat <<WRAPPER
server=\$prefix/$server
first=
case \${1-} in
--defaults-file=* | --defaults-extra-file=* | --no-defaults | --print-defaults)
  first=\$1
  shift
  ;;
esac
exec "\$loader" --library-path "\$libraries" "\$server" \${first:+"\$first"} \\
  --basedir="\$prefix/usr" --plugin-dir="\$prefix/usr/lib/mysql/plugin" \\
  --lc-messages-dir="\$prefix/usr/share/mysql" "\$@"
WRAPPER
}

write_client_wrapper() {
  wrapper_head
  cat <<WRAPPER
exec "\$loader" --library-path "\$libraries" "\$prefix/usr/bin/$1" "\$@"
WRAPPER
}

main
