# Thin recipes; the scripts work without just.

# List the recipes.
default:
    @just --list

# Run all tests, or those that match.
test *args:
    script/test {{args}}

# Show sterna at work on generated data.
demo *args:
    script/demo {{args}}

# Format the code.
format:
    cargo fmt

# Run what must hold before a change is merged.
ci:
    .ci/run

# Run the micro-benchmarks.
bench *args:
    cargo bench --locked {{args}}

# Compare the benchmarks with those of a base (origin/main, or the one given).
bench-check *args:
    script/bench-check {{args}}

# Check licences and advisories of the dependencies.
deny:
    script/deny

# Open a shell with an embedded server of the production schema.
sandbox *args:
    cargo run --locked -- sandbox {{args}} -- "${SHELL:-bash}"
