# Short names for those who like them; everything is done by `cargo xtask`.

[private]
default:
    @just --list

# Build the eBPF objects and the monitor binary
build:
    cargo xtask build

# Build, then run `monitor stream` or `monitor ARGS`
run *ARGS:
    cargo xtask run -- {{ARGS}}

# Every check, or the tests whose names contain FILTER
test *FILTER:
    cargo xtask test {{FILTER}}

# Rewrite golden and generated files
bless:
    cargo xtask test --bless

# Measure what monitoring costs
bench *ARGS:
    cargo xtask bench -- {{ARGS}}

# Half an hour of containers that come and go
soak *ARGS:
    cargo xtask soak -- {{ARGS}}

# Other kernels: one, `--all`, or those called so
vm *ARGS:
    cargo xtask vm {{ARGS}}

# A Debian package; `--test` installs it in a guest
package *ARGS:
    cargo xtask package {{ARGS}}

# The README's pictures of the dashboard
screenshots:
    cargo xtask screenshots
