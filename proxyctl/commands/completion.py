"""`proxyctl completion`: the script with which a shell completes proxyctl."""

from enum import StrEnum
from typing import Annotated

import typer

from proxyctl.runtime import Runtime

app = typer.Typer(
    epilog="""Examples:
  source <(proxyctl completion bash)
  proxyctl completion zsh > ~/.zfunc/_proxyctl
  proxyctl completion fish > ~/.config/fish/completions/proxyctl.fish
"""
)


class Shell(StrEnum):
    """The shells that there is a script for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


@app.command("completion")
def completion(
    ctx: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", help="Your shell.", show_default=False)],
) -> None:
    """Print the script that lets a shell complete commands, options, and names of profiles, Services and numbers.

    The names are those that the last listing commands saw. A TAB sends nothing and reads no credentials.
    """
    from proxyctl.completion.answer import script

    runtime: Runtime = ctx.obj
    runtime.stdout.write(script(shell.value))
