#!/bin/sh
# Builds dist/xenon: one executable file that holds the program and the Deno runtime, for machines that have
# neither Deno nor Node. The same sources and the same runtime give the same bytes.
#
# The file is a short shell script followed by two gzipped files, the program and the runtime. Each is unpacked
# once, under a name made of its SHA-256, so that a new program with the same runtime starts at once.
#
#     packaging/build.sh [OUTPUT]
set -eu

main() {
  repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
  output=${1:-$repository/dist/xenon}
  case $output in /*) ;; *) output=$PWD/$output ;; esac
  cd "$repository"
  [ -x node_modules/.bin/deno ] || npm ci --no-audit --no-fund >&2
  runtime=$(find_runtime)
  mkdir -p "$(dirname -- "$output")" .cache
  scratch=$(mktemp -d "$(dirname -- "$output")/.build.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM

  bundle_program "$scratch/program.js"
  gzip -9n <"$scratch/program.js" >"$scratch/program.gz"
  compress_runtime "$runtime"
  write_stub "$scratch/program.js" "$runtime" >"$scratch/xenon"
  cat "$scratch/program.gz" "$runtime_gz" >>"$scratch/xenon"
  chmod 755 "$scratch/xenon"
  mv -f "$scratch/xenon" "$output"
  echo "build: $output, $(($(wc -c <"$output") / 1000000)) MB" >&2
}

# The npm package `deno` is a launcher; the program itself comes in a package of its own for each platform.
find_runtime() {
  for candidate in node_modules/@deno/*/deno; do
    if "$candidate" --version >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
  echo "build: Cannot find a Deno for this machine below node_modules/@deno: run npm ci" >&2
  exit 1
}

bundle_program() {
  # The bundler warns that it is experimental; errors still reach the terminal. It must not minify:
  # its minifier drops "using" declarations whose variable nobody reads, and with them the release.
  "$runtime" bundle --quiet --platform deno -o "$1" main.ts >&2
  [ -s "$1" ] || { echo "build: Cannot bundle main.ts as the bundler wrote nothing" >&2; exit 1; }
}

# Compressing the runtime takes much longer than all the rest, so its result is kept.
compress_runtime() {
  runtime_sum=$(sum_of "$1")
  runtime_gz=.cache/deno-$runtime_sum.gz
  [ -s "$runtime_gz" ] && return
  gzip -6n <"$1" >"$scratch/runtime.gz"
  mv -f "$scratch/runtime.gz" "$runtime_gz"
}

sum_of() {
  sha256sum <"$1" | cut -d ' ' -f 1
}

# The stub reads both parts from the end of the file, so it need not know its own length.
write_stub() {
  sed -e "s/@PROGRAM_SUM@/$(sum_of "$1")/" \
    -e "s/@PROGRAM_SIZE@/$(wc -c <"$scratch/program.gz")/" \
    -e "s/@RUNTIME_SUM@/$runtime_sum/" \
    -e "s/@RUNTIME_SIZE@/$(wc -c <"$runtime_gz")/" \
    packaging/stub.sh
}

main "$@"
