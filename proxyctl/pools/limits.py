"""How many numbers may be where: Twilio's documented limits."""

MOST_RESERVED = 5000  # of each Service
MOST_UNRESERVED = 500
POOL_LIMITS = {True: MOST_RESERVED, False: MOST_UNRESERVED}  # by is_reserved
MOST_SENDERS = 400  # of one Messaging Service, unless Twilio raised it
