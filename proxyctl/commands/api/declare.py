"""`proxyctl api`: any other request, with the auth, retries and output of proxyctl."""

from proxyctl.commands.options import DATA, DRY_RUN, RECORDED, SUMMARY, argument, command, option


@command("api", "api.request:send", DATA, DRY_RUN, RECORDED, SUMMARY)
def api_request(
    method: str = argument("METHOD", "GET, POST or DELETE."),
    path: str = argument("PATH", "/v1/…, /messaging/v1/… or /2010-04-01/…, without a host."),
    data: list[str] | None = option(
        "-d --data KEY=VALUE", "Send a form field (a query parameter with GET). Repeat it for others."
    ),
    paginate: bool = option("--paginate", "Read all pages of a list, and print one array of its items."),
) -> None:
    """Send any request with the auth and retries of proxyctl, and print the response as JSON.

    /v1/… is Proxy, /messaging/v1/… is Messaging, and /2010-04-01/… has the account's numbers.

    Examples:
      proxyctl api GET /v1/Services
      proxyctl api GET /v1/Services/KS…/Sessions --paginate
      proxyctl api POST /v1/Services/KS… -d DefaultTtl=3600
    """
