#!/bin/sh
# The examples in the documents do what is told there.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"

for document in README.md docs/script.md; do
    expect_exit 0 python3 "$source/tests/docs_examples.py" "$source/$document" "$CKPTLUA"
done
for example in fibonacci conjgrad; do
    folder=$source/examples/$example
    expect_exit 0 python3 "$source/tests/docs_examples.py" "$folder/README.md" "$CKPTLUA" "$folder"
done
