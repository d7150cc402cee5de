"""`python .ci/generate`: write the man pages and completions anew; with `--check`, only say what is stale."""

import sys

from files import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
