#!/bin/sh
# Called by cargo in place of rustc: adds the coverage that libFuzzer is guided by to this repository's crates, so that nothing else has to
# be compiled again. The flags are those of cargo-fuzz.
case " $* " in
*"--crate-name build_script_"*) ;;
*'feature="fuzzing"'* | *"--crate-name snapshot "* | *"--crate-name answer "* | *"--crate-name host_functions "*)
  exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
  ;;
esac
exec "$@"
