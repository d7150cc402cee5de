"""What people write with the official Python library, run as a program: reserve numbers of a pool, one after another
or with a pool of threads. It never tries again, as the library does not.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from tests.benchmarks.bare_server import SERVICE_SID, number_sid


def main(url: str, threads: int, count: int) -> None:
    http = TwilioHttpClient()
    http.session.trust_env = False
    client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"], http_client=http)
    client.proxy.base_url = url
    numbers = client.proxy.v1.services(SERVICE_SID).phone_numbers

    def reserve(index: int) -> str:
        try:
            return (
                "reserved"
                if numbers(number_sid(index)).update(is_reserved=True).is_reserved
                else "not reserved"
            )
        except TwilioRestException as error:
            return f"{error.status} {error.code}"

    if threads == 1:
        outcomes = [reserve(index) for index in range(count)]
    else:
        with ThreadPoolExecutor(threads) as pool:
            outcomes = list(pool.map(reserve, range(count)))
    http.session.close()
    for outcome in outcomes:
        print(outcome)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
