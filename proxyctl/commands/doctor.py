"""`proxyctl doctor`: check the setup, and print how to fix it."""

from proxyctl.commands.options import DATA, command
from proxyctl.runtime import Runtime


@command("doctor", None, DATA)
def doctor(runtime: Runtime) -> None:
    """Check config, credentials, state, network and terminal.

    Each check is ok, warning or fail, with a hint how to fix it. At most one request is sent, nothing is changed, and
    no secret is shown. The exit code is that of the worst failure. Warnings do not count.

    Examples:
      proxyctl doctor
      proxyctl doctor --profile prod
      proxyctl doctor -o json
    """
    from proxyctl.doctor import report

    report(runtime)
